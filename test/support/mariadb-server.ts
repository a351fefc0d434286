/** A MariaDB of the tests' own: its own folder and port, nothing of the machine's touched. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createConnection } from "mysql2/promise";
import { debianEnvironment, debianPackages } from "./debian-packages.ts";
import { freePort } from "./free-port.ts";

const PACKAGES = ["mariadb-server-core", "mariadb-client-core", "mariadb-common"];
const STARTUP = 60_000;

export interface MariadbServer {
  readonly port: number;
  /** For `createPool(url)` of mysql2: the superuser, in the database `test`. */
  readonly url: string;
  /** Ends the server as a power failure would end it for its clients: nothing is said, nothing is written. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the data it had. */
  restart(): Promise<void>;
  /** Stops and continues the process: connections stay open, new ones are accepted by the system, and nobody answers. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a server with an empty database `test`.
 *
 * @param settings options of `mariadbd` as it writes them, without their dashes
 */
export async function startMariadb(settings: Readonly<Record<string, string>> = {}): Promise<MariadbServer> {
  const root = await debianPackages(...PACKAGES);
  const env = await debianEnvironment(root);
  const folder = await mkdtemp(join(tmpdir(), "fastsession-mariadb-"));
  const data = join(folder, "data");
  const basedir = join(root, "usr");
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  const common = [
    "--no-defaults",
    `--basedir=${basedir}`,
    `--lc-messages-dir=${join(basedir, "share/mysql")}`,
    ...user,
  ];
  const install = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
  const installer = join(basedir, "bin/mariadb-install-db");
  await promisify(execFile)("bash", [installer, ...common, `--datadir=${data}`, ...install], { env, cwd: folder });

  const port = await freePort();
  const options = {
    "plugin-dir": join(basedir, "lib/mysql/plugin"),
    datadir: data,
    socket: join(folder, "socket"),
    "pid-file": join(folder, "pid"),
    "bind-address": "127.0.0.1",
    port: String(port),
    "innodb-buffer-pool-size": "32M",
    // Survives the process, as the tests need; the disk's own failure is not among them.
    "innodb-flush-log-at-trx-commit": "2",
    "max-connections": "400",
    ...settings,
  };
  const args = [...common, ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)];

  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(join(basedir, "sbin/mariadbd"), args, { env, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    child.stderr?.on("data", (chunk: Buffer) => (log = (log + String(chunk)).slice(-4000)));
    await answering(port, () => {
      if (child.exitCode !== null) throw new Error(`MariaDB ended while it started:\n${log}`);
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };

  await start();
  return {
    port,
    url: `mysql://root@127.0.0.1:${port}/test`,
    kill: () => end("SIGKILL"),
    restart: start,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    stop: async () => {
      await end("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The command-line client, and the environment it needs. */
export async function mariadbClient(): Promise<{ readonly program: string; readonly env: NodeJS.ProcessEnv }> {
  const root = await debianPackages(...PACKAGES);
  return { program: join(root, "usr/bin/mariadb"), env: await debianEnvironment(root) };
}

/** Waits until the server lets somebody in, and sees to it that there is a database. */
async function answering(port: number, check: () => void): Promise<void> {
  for (const until = performance.now() + STARTUP; ;) {
    check();
    try {
      const connection = await createConnection({ host: "127.0.0.1", port, user: "root" });
      await connection.query("create database if not exists test");
      await connection.end();
      return;
    } catch (error) {
      if (performance.now() > until) throw new Error("MariaDB does not answer", { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
