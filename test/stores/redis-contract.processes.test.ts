import { afterAll, beforeAll, describe, test } from "vitest";
import { RedisStore } from "../../src/stores/redis.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type Connected, singleClients } from "../support/redis-clients.ts";
import { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(() => server.stop());

describe.each(Object.entries(singleClients))("RedisStore with %s", (name, connect) => {
  let clients: readonly [Connected, Connected];
  let stores = 0;

  beforeAll(async () => {
    clients = [await connect(server.port), await connect(server.port)];
  });

  afterAll(() => Promise.all(clients.map((one) => one.close())));

  /** An empty store: a prefix nobody else has. */
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
      const proxy = await CuttingProxy.before(server.port);
      const { client, close } = await connect(proxy.port);
      return {
        store: new RedisStore(client, { prefix: `${name.replaceAll(" ", "")}:${(stores += 1)}:` }),
        breakConnections: () => proxy.cutAll(),
        close: async () => {
          close();
          await proxy.close();
        },
      };
    },
  });
});
