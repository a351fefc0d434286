/** Each kind of client that `RedisStore` takes, connected to a server of the tests. */
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis";
import { Cluster as Cluster6, Redis as Redis6 } from "ioredis6";
import { createClient, createCluster, createSentinel } from "redis";
import type { RedisClient } from "../../src/stores/redis.ts";

export interface Connected {
  readonly client: RedisClient;
  close(): unknown;
}

const ignore = (): void => undefined;
/** The tests break connections by the hundred. */
const impatient = { retryStrategy: () => 1, disconnectTimeout: 50 };

export const singleClients: Readonly<Record<string, (port: number) => Promise<Connected>>> = {
  "ioredis 5": (port) => {
    const client = new Redis5(port, "127.0.0.1", impatient).on("error", ignore);
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
  "ioredis 6": (port) => {
    const client = new Redis6(port, "127.0.0.1", impatient).on("error", ignore);
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
  "node-redis": async (port) => {
    const socket = { host: "127.0.0.1", port, reconnectStrategy: () => 1 };
    const client = createClient({ socket }).on("error", ignore);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
};

export const clusterClients: Readonly<Record<string, (ports: readonly number[]) => Promise<Connected>>> = {
  "ioredis 5": (ports) => {
    const client = new Cluster5(ports.map((port) => ({ host: "127.0.0.1", port }))).on("error", ignore);
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
  "ioredis 6": (ports) => {
    const client = new Cluster6(ports.map((port) => ({ host: "127.0.0.1", port }))).on("error", ignore);
    return Promise.resolve({ client, close: () => client.disconnect() });
  },
  "node-redis": async (ports) => {
    const rootNodes = ports.map((port) => ({ socket: { host: "127.0.0.1", port } }));
    const client = createCluster({ rootNodes }).on("error", ignore);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
};

export const sentinelClients: Readonly<Record<string, (ports: readonly number[], name: string) => Promise<Connected>>> =
  {
    "ioredis 5": (ports, name) => {
      const sentinels = ports.map((port) => ({ host: "127.0.0.1", port }));
      const client = new Redis5({ sentinels, name, ...impatient, maxRetriesPerRequest: null });
      client.on("error", ignore);
      return Promise.resolve({ client, close: () => client.disconnect() });
    },
    "ioredis 6": (ports, name) => {
      const sentinels = ports.map((port) => ({ host: "127.0.0.1", port }));
      const client = new Redis6({ sentinels, name, ...impatient, maxRetriesPerRequest: null });
      client.on("error", ignore);
      return Promise.resolve({ client, close: () => client.disconnect() });
    },
    "node-redis": async (ports, name) => {
      const sentinelRootNodes = ports.map((port) => ({ host: "127.0.0.1", port }));
      const client = createSentinel({ name, sentinelRootNodes, maxCommandRediscovers: 1000 }).on("error", ignore);
      await client.connect();
      return { client, close: () => client.destroy() };
    },
  };
