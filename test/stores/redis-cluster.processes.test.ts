import { Cluster as Cluster5, Redis } from "ioredis";
import { Cluster as Cluster6 } from "ioredis6";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoreNotice } from "../../src/core/session-store.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
import { clusterClients, type Connected } from "../support/redis-clients.ts";
import { RedisCluster } from "../support/redis-cluster.ts";
import { HOUR, make as makeSession, until } from "../support/redis-sessions.ts";

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await RedisCluster.start();
});

afterAll(() => cluster.stop());

describe.each(Object.entries(clusterClients))("RedisStore on a Cluster with %s", (name, connect) => {
  let clients: readonly [Connected, Connected];
  let stores = 0;

  beforeAll(async () => {
    clients = [await connect(cluster.ports), await connect(cluster.ports)];
  });

  afterAll(() => Promise.all(clients.map((one) => one.close())));

  const make = (): { stores: readonly [RedisStore, RedisStore]; close: () => Promise<unknown> } => {
    const prefix = `${name.replaceAll(" ", "")}:${(stores += 1)}:`;
    const [one, other] = clients.map(({ client }) => new RedisStore(client, { prefix, announceChanges: true })) as [
      RedisStore,
      RedisStore,
    ];
    return { stores: [one, other], close: () => Promise.resolve([one.close(), other.close()]) };
  };

  storeContract({
    test,
    createStore: () => {
      const {
        stores: [store],
        close,
      } = make();
      return { store, close };
    },
    parallelStores: make,
    breakableStore: async () => {
      const { client, close } = await connect(cluster.ports);
      const nodes = cluster.ports.map((port) => new Redis(port, "127.0.0.1"));
      return {
        store: new RedisStore(client, { prefix: `${name.replaceAll(" ", "")}:${(stores += 1)}:` }),
        breakConnections: () => Promise.all(nodes.map((node) => node.client("KILL", "TYPE", "NORMAL"))),
        close: () => {
          close();
          for (const node of nodes) node.disconnect();
        },
      };
    },
  });
});

test.each([Cluster5, Cluster6])(
  "the feed of ioredis %# waits for a Cluster that has only begun to connect",
  async (Cluster) => {
    const nodes = cluster.ports.map((port) => ({ host: "localhost", port }));
    const client = new Cluster(nodes, { redisOptions: { family: 4 } });
    const store = new RedisStore(client);
    const heard: StoreNotice[] = [];
    await store.watch((notice) => heard.push(notice));
    const key = await makeSession(store);
    await store.destroy(key, { now: Date.now(), tombstoneUntil: Date.now() + HOUR });
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ type: "revoked", keys: [key] }]);
    store.close();
    client.disconnect();
  },
);
