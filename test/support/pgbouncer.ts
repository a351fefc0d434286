/** A PgBouncer of the tests' own, in transaction mode. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianEnvironment, debianPackages } from "./debian-packages.ts";
import { freePort } from "./free-port.ts";

const STARTUP = 30_000;

export interface Pooler {
  /** For any client: as the server's own, through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @param serverPort a PostgreSQL of this machine; four connections to it serve all clients */
export async function startPgbouncer(serverPort: number): Promise<Pooler> {
  const root = await debianPackages("pgbouncer");
  const folder = await mkdtemp(join(tmpdir(), "fastsession-pgbouncer-"));
  const port = await freePort();
  const settings = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: folder,
    auth_type: "any",
    pool_mode: "transaction",
    default_pool_size: 4,
    max_client_conn: 200,
    ignore_startup_parameters: "extra_float_digits",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const server = `postgres = host=127.0.0.1 port=${serverPort} dbname=postgres user=postgres`;
  const file = join(folder, "pgbouncer.ini");
  await writeFile(file, ["[databases]", server, "[pgbouncer]", ...lines, ""].join("\n"));
  // It refuses to run as the superuser.
  const identity = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const program = join(root, "usr/sbin/pgbouncer");
  const env = await debianEnvironment(root);
  const child = spawn(program, [file], { ...identity, cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log = (log + String(chunk)).slice(-4000)));
  await listening(port, () => {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended while it started:\n${log}`);
  });
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listening(port: number, check: () => void): Promise<void> {
  for (const until = performance.now() + STARTUP; ;) {
    check();
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch (error) {
      if (performance.now() > until) throw new Error("PgBouncer does not answer", { cause: error });
    } finally {
      socket.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
