/** Several processes of one application over one backend. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { BackendName } from "./fleet-stores.ts";

const cache = fileURLToPath(new URL("../../.cache/", import.meta.url));
const program = fileURLToPath(new URL("fleet-server.ts", import.meta.url));

/** What `fleet-server.ts` answers to most requests. */
export interface Seen {
  readonly data: Record<string, unknown>;
  readonly cause: string;
  readonly userId: string | null;
  readonly handle: string | null;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** The cookie to send from now on: the new one, the one that was sent, or none. */
  readonly cookie: string;
}

/** What a process of the fleet is told beside its backend. */
export interface FleetSettings {
  readonly rotateEvery?: number;
  readonly encryption?: { readonly keys: readonly string[] };
}

interface Member {
  readonly child: ChildProcess;
  readonly port: number;
  readonly agent: Agent;
}

export class Fleet {
  readonly #members: Member[] = [];
  readonly #folder: string;
  readonly #arguments: readonly string[];

  private constructor(folder: string, name: BackendName, address: string) {
    this.#folder = folder;
    this.#arguments = [join(folder, "server.mjs"), name, address];
  }

  /** @param settings of each process, by its number */
  static async start(
    name: BackendName,
    address: string,
    size: number,
    settings: (member: number) => FleetSettings = () => ({}),
  ): Promise<Fleet> {
    // Compiled once, inside of the repository, whose packages it imports.
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, "fleet-"));
    const outfile = join(folder, "server.mjs");
    await build({
      entryPoints: [program],
      outfile,
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
    });
    const fleet = new Fleet(folder, name, address);
    const members = Array.from({ length: size }, (_, member) => fleet.#spawn(settings(member)));
    fleet.#members.push(...(await Promise.all(members)));
    return fleet;
  }

  get size(): number {
    return this.#members.length;
  }

  /** Starts one more process. */
  async join(settings: FleetSettings = {}): Promise<void> {
    this.#members.push(await this.#spawn(settings));
  }

  async #spawn(settings: FleetSettings): Promise<Member> {
    const args = [...this.#arguments, JSON.stringify(settings)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    const port = await new Promise<number>((resolve, reject) => {
      child.once("exit", () => reject(new Error("a process of the fleet ended")));
      child.stdout.once("data", (chunk: Buffer) => resolve(Number(String(chunk))));
    });
    return { child, port, agent: new Agent({ keepAlive: true, maxSockets: 16 }) };
  }

  /** Kills a process where it stands. */
  async kill(at: number): Promise<void> {
    const [{ child, agent }] = this.#members.splice(at % this.size, 1) as [Member];
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    agent.destroy();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((_, at) => at).map(() => this.kill(0)));
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Sends a request to one of the processes. Rejects where the connection breaks. */
  send(at: number, path: string, cookie = ""): Promise<Reply> {
    const { port, agent } = this.#members[at % this.size] as Member;
    return new Promise((resolve, reject) => {
      const request = get({ port, agent, host: "127.0.0.1", path, headers: { cookie } }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("error", reject);
        response.on("end", () => {
          const set = response.headers["set-cookie"]?.[0]?.split(";", 1)[0];
          resolve({ status: response.statusCode as number, body, cookie: set === undefined ? cookie : live(set) });
        });
      });
      request.on("error", reject);
    });
  }

  /** A request that must succeed. */
  async visit(at: number, path: string, cookie = ""): Promise<Seen & { readonly cookie: string }> {
    const reply = await this.send(at, path, cookie);
    if (reply.status !== 200) throw new Error(`${path} answered ${reply.status} ${reply.body}`);
    return { ...(JSON.parse(reply.body) as Seen), cookie: reply.cookie };
  }
}

/** A cookie without a value is one that the server took away. */
function live(cookie: string): string {
  return cookie.endsWith("=") ? "" : cookie;
}
