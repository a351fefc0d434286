import { afterAll, beforeAll, describe, test } from "vitest";
import { RedisStore } from "../../src/stores/redis.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
import { clusterClients, type Connected } from "../support/redis-clients.ts";
import { RedisCluster } from "../support/redis-cluster.ts";

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
  });
});
