/** A master, a replica and three Sentinels that watch them: what a failover needs. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { RedisServer } from "./redis-server.ts";

export const MASTER_NAME = "sessions";

export class RedisSentinels {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];

  constructor(master: RedisServer, replica: RedisServer, sentinels: readonly RedisServer[]) {
    this.master = master;
    this.replica = replica;
    this.sentinels = sentinels;
  }

  /** Resolves when the replica is in step and every Sentinel knows it and the others. */
  static async start(): Promise<RedisSentinels> {
    // Else a replica waits 5 s for company at its first synchronisation.
    const settings = { "repl-diskless-sync-delay": "0", appendonly: "no" };
    const master = await RedisServer.start(settings);
    const replica = await RedisServer.start({ ...settings, replicaof: `127.0.0.1 ${master.port}` });
    const sentinels = await Promise.all(Array.from({ length: 3 }, () => startSentinel(master.port)));
    const all = new RedisSentinels(master, replica, sentinels);
    await until(async () => (await replica.command("INFO replication")).includes("master_link_status:up"));
    for (const sentinel of sentinels) {
      await until(async () => {
        const state = await sentinel.command(`SENTINEL MASTER ${MASTER_NAME}`);
        return /num-slaves\r\n\$1\r\n1\r\n/.test(state) && /num-other-sentinels\r\n\$1\r\n2\r\n/.test(state);
      });
    }
    return all;
  }

  get ports(): readonly number[] {
    return this.sentinels.map(({ port }) => port);
  }

  /** Ends the master at once; resolves when the replica has taken its place. */
  async failOver(): Promise<void> {
    await this.master.kill();
    // Sentinels end the connections of a server whose role they change.
    const role = (): Promise<string> => this.replica.command("INFO replication").catch(() => "");
    await until(async () => (await role()).includes("role:master"));
  }

  async stop(): Promise<void> {
    await Promise.all([this.master, this.replica, ...this.sentinels].map((server) => server.stop()));
  }
}

async function startSentinel(master: number): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "fastsession-sentinel-"));
  const file = join(folder, "sentinel.conf");
  const port = await freePort();
  const lines = [
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${MASTER_NAME} 500`,
    `sentinel failover-timeout ${MASTER_NAME} 1000`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const server = new RedisServer(port, folder, {}, [file, "--sentinel"]);
  await server.start();
  return server;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
