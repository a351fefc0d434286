/** A Redis of the tests' own: a free port, a temporary folder, its own process. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianEnvironment, debianPackages } from "./debian-packages.ts";
import { freePort } from "./free-port.ts";

/** Settings in the words of `redis.conf`, without the dashes. */
export type RedisSettings = Readonly<Record<string, string>>;

const NO_QUIT = /-ERR unknown command 'QUIT'.*\r\n$/;

export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #arguments: readonly string[];
  #process: ChildProcess | null = null;

  constructor(port: number, folder: string, settings: RedisSettings, first: readonly string[]) {
    this.port = port;
    this.folder = folder;
    const all = { port: String(port), bind: "127.0.0.1", dir: folder, save: "", ...settings };
    this.#arguments = [...first, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])];
  }

  /**
   * Starts a server that keeps nothing on disk unless `settings` say so.
   *
   * @param first arguments that come before the settings: a file of settings, `--sentinel`
   */
  static async start(settings: RedisSettings = {}, first: readonly string[] = []): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "fastsession-redis-"));
    const server = new RedisServer(await freePort(), folder, settings, first);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, or starts it again on the same port and folder; resolves when it answers. */
  async start(): Promise<void> {
    const packages = await debianPackages("redis-server");
    const child = spawn(join(packages, "usr/bin/redis-server"), this.#arguments, {
      env: await debianEnvironment(packages),
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    let log = "";
    child.stdout.on("data", (chunk) => (log = (log + String(chunk)).slice(-2000)));
    while (!(await this.#answers())) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`redis-server ended:\n${log}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Ends it at once, as a power cut of the process would. Its folder stays. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Stops and continues the process: connections stay open and nobody answers. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    if (existsSync(this.folder)) await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs one command by the inline protocol, for the tests' own housekeeping. @returns the raw reply */
  command(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1", () => socket.write(`${line}\r\nQUIT\r\n`));
      let reply = "";
      socket.on("data", (chunk) => {
        reply += String(chunk);
        // A Sentinel knows no QUIT, and says so after it has answered.
        if (NO_QUIT.test(reply)) socket.destroy();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(reply.replace(/\+OK\r\n$/, "").replace(NO_QUIT, "")));
    });
  }

  /** Whether it is up and has its data, not merely listens. */
  #answers(): Promise<boolean> {
    return this.command("PING").then(
      (reply) => reply.startsWith("+PONG"),
      () => false,
    );
  }
}
