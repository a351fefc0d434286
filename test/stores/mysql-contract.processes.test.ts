import { createPool as createCallbackPool } from "mysql2";
import { createPool, type Pool } from "mysql2/promise";
import { afterAll, beforeAll, test } from "vitest";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type MariadbServer, startMariadb } from "../support/mariadb-server.ts";

let server: MariadbServer;
let pools: readonly [Pool, Pool];
let stores: readonly [MysqlStore, MysqlStore];

beforeAll(async () => {
  server = await startMariadb();
  const callbackPool = createCallbackPool(server.url);
  pools = [createPool(server.url), callbackPool.promise()];
  stores = [new MysqlStore(pools[0]), new MysqlStore(callbackPool)];
  await stores[0].migrate();
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await server.stop();
});

async function empty(): Promise<void> {
  await pools[0].query("delete from fastsession_sessions");
  await pools[0].query("delete from fastsession_users");
}

storeContract({
  test,
  createStore: async () => {
    await empty();
    return stores[0];
  },
  parallelStores: async () => {
    await empty();
    return { stores, close: () => undefined };
  },
  breakableStore: async () => {
    await empty();
    const proxy = await CuttingProxy.before(server.port);
    const pool = createPool({ uri: server.url, port: proxy.port, connectionLimit: 4 });
    const close = async (): Promise<void> => {
      await pool.end();
      await proxy.close();
    };
    return { store: new MysqlStore(pool), breakConnections: () => proxy.cutAll(), close };
  },
});
