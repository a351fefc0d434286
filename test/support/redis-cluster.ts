/** A Redis Cluster of masters without replicas: the smallest that shows what crosses slots. */
import { freePort } from "./free-port.ts";
import { RedisServer } from "./redis-server.ts";

const SLOTS = 16_384;

export class RedisCluster {
  readonly servers: readonly RedisServer[];

  constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  /** Resolves when every server knows all slots. */
  static async start(masters = 3): Promise<RedisCluster> {
    const buses = await Promise.all(Array.from({ length: masters }, () => freePort()));
    const servers = await Promise.all(
      buses.map((bus) =>
        RedisServer.start({ "cluster-enabled": "yes", "cluster-port": String(bus), "cluster-node-timeout": "2000" }),
      ),
    );
    const share = Math.ceil(SLOTS / masters);
    for (const [index, server] of servers.entries()) {
      const last = Math.min((index + 1) * share, SLOTS) - 1;
      await server.command(`CLUSTER ADDSLOTSRANGE ${index * share} ${last}`);
      for (const [other, { port }] of servers.entries()) {
        if (other !== index) await server.command(`CLUSTER MEET 127.0.0.1 ${port} ${buses[other]}`);
      }
    }
    const cluster = new RedisCluster(servers);
    await cluster.settled();
    return cluster;
  }

  get ports(): readonly number[] {
    return this.servers.map(({ port }) => port);
  }

  /** Resolves when all servers agree that every slot is served. */
  async settled(): Promise<void> {
    for (const server of this.servers) {
      for (;;) {
        const info = await server.command("CLUSTER INFO");
        const slots = await server.command("CLUSTER SLOTS");
        const known = this.ports.every((port) => slots.includes(`:${port}\r\n`));
        if (info.includes("cluster_state:ok") && known) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Which server has a slot. */
  async owner(slot: number): Promise<RedisServer> {
    for (const server of this.servers) {
      const reply = await server.command(`CLUSTER COUNTKEYSINSLOT ${slot}`);
      const nodes = await server.command("CLUSTER NODES");
      const own = nodes.split("\n").find((line) => line.includes("myself")) ?? "";
      const ranges = own.split(" ").slice(8);
      const has = ranges.some((range) => {
        const [first = NaN, last = first] = range.split("-").map(Number);
        return first <= slot && slot <= last;
      });
      if (has && reply.startsWith(":")) return server;
    }
    throw new Error(`nobody has slot ${slot}`);
  }

  /** Moves a slot with its keys, one key at a time, as `redis-cli --cluster reshard` does. `between` runs after each. */
  async moveSlot(
    slot: number,
    to: RedisServer,
    between: () => Promise<unknown> = async () => undefined,
  ): Promise<void> {
    const from = await this.owner(slot);
    const [fromId, toId] = [await idOf(from), await idOf(to)];
    await to.command(`CLUSTER SETSLOT ${slot} IMPORTING ${fromId}`);
    await from.command(`CLUSTER SETSLOT ${slot} MIGRATING ${toId}`);
    for (;;) {
      const reply = await from.command(`CLUSTER GETKEYSINSLOT ${slot} 1`);
      const key = reply.split("\r\n")[2];
      if (key === undefined || key === "") break;
      await from.command(`MIGRATE 127.0.0.1 ${to.port} ${JSON.stringify(key)} 0 5000`);
      await between();
    }
    for (const server of [to, from, ...this.servers]) await server.command(`CLUSTER SETSLOT ${slot} NODE ${toId}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

async function idOf(server: RedisServer): Promise<string> {
  return (await server.command("CLUSTER MYID")).split("\r\n")[1] ?? "";
}
