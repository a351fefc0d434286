/** A PostgreSQL of the tests' own: its own folder and port, nothing of the machine's touched. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { debianEnvironment, debianPackages } from "./debian-packages.ts";

const STARTUP = 60_000;

/** Speed instead of safety against a power failure; a test of crashes asks for more. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  max_connections: "200",
  shared_buffers: "32MB",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
};

export interface PostgresServer {
  readonly port: number;
  /** For any client: the superuser, in the database `postgres`. */
  readonly url: string;
  /** Ends all of the server's processes at once: nothing is said, nothing is written. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the data it had. */
  restart(): Promise<void>;
  /** Stops and continues all its processes: connections stay open, new ones are accepted by the system, nobody answers. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a server with the empty database `postgres`. A server of the machine is taken where there is one, of whatever
 * version, else one of Debian's packages.
 *
 * @param settings lines of `postgresql.conf`
 */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const { bin, env } = await findPostgres();
  // The server refuses to run as the superuser.
  const identity = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const folder = await mkdtemp(join(tmpdir(), "fastsession-postgres-"));
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const data = join(folder, "data");
  const options = { ...identity, cwd: folder, env: { ...env, HOME: folder, LC_ALL: "C" } };
  const init = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  await promisify(execFile)(join(bin, "initdb"), init, options);

  const port = await freePort();
  const all = Object.entries({ ...SETTINGS, unix_socket_directories: folder, ...settings });
  const args = ["-D", data, "-p", String(port), ...all.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;

  let child: ChildProcess;
  const spawned = async (): Promise<void> => {
    child = spawn(join(bin, "postgres"), args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    child.stderr?.on("data", (chunk: Buffer) => (log = (log + String(chunk)).slice(-4000)));
    await answering(url, () => {
      if (child.exitCode !== null && child.stderr?.closed !== false)
        throw new Error(`PostgreSQL ended while it started:\n${log}`);
    });
  };
  const start = async (): Promise<void> => {
    for (const until = performance.now() + STARTUP; ;) {
      try {
        return await spawned();
      } catch (error) {
        // Processes of one that was killed hold its memory until they have noticed.
        if (!String(error).includes("shared memory block") || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const end = async (name: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(name);
    await ended;
  };

  await start();
  return {
    port,
    url,
    kill: async () => {
      // Each connection has a process, in a session of its own.
      const children = childrenOf(child.pid as number);
      const ended = end("SIGKILL");
      for (const pid of children) signal(pid, "SIGKILL");
      await ended;
    },
    restart: start,
    freeze: () => {
      // First the one that starts others.
      const pid = child.pid as number;
      signal(pid, "SIGSTOP");
      for (const one of childrenOf(pid)) signal(one, "SIGSTOP");
    },
    thaw: () => {
      const pid = child.pid as number;
      for (const one of [...childrenOf(pid), pid]) signal(one, "SIGCONT");
    },
    stop: async () => {
      await end("SIGQUIT");
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** Where the server's programs are, and the environment they start in. */
async function findPostgres(): Promise<{ readonly bin: string; readonly env: NodeJS.ProcessEnv }> {
  const onPath = (process.env["PATH"] ?? "").split(delimiter);
  const installed = [...versions("/usr"), ...onPath].find(hasServer);
  if (installed !== undefined) return { bin: installed, env: process.env };
  const root = await debianPackages("postgresql-15", "postgresql-client-15", "libpq5");
  const bin = versions(join(root, "usr")).find(hasServer);
  if (bin === undefined) throw new Error("No PostgreSQL here and none to be fetched: put its folder on PATH.");
  return { bin, env: await debianEnvironment(root) };
}

/** Debian's folders of each version, the newest first. */
function versions(usr: string): string[] {
  const folder = join(usr, "lib/postgresql");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(folder, version, "bin"));
}

function hasServer(bin: string): boolean {
  return existsSync(join(bin, "postgres")) && existsSync(join(bin, "initdb"));
}

/** Processes that this one started; none where the system does not tell. They end by themselves, a moment later. */
function childrenOf(pid: number): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  return existsSync(list) ? readFileSync(list, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Waits until the server lets somebody in. */
async function answering(url: string, check: () => void): Promise<void> {
  for (const until = performance.now() + STARTUP; ;) {
    check();
    const client = new pg.Client(url);
    try {
      await client.connect();
      await client.query("select 1");
      return;
    } catch (error) {
      if (performance.now() > until) throw new Error("PostgreSQL does not answer", { cause: error });
    } finally {
      await client.end().catch(() => undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
