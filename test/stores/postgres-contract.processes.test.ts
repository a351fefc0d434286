import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type PostgresClient, PostgresStore } from "../../src/stores/postgres.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";

let server: PostgresServer;
const pools: pg.Pool[] = [];
const clients: postgres.Sql[] = [];
let embedded: PGlite;

/** Quicker than `truncate` for a few rows. A trigger takes the fields along. */
const EMPTY = "delete from fastsession_sessions; delete from fastsession_users";

const options = { listen: true, announceChanges: true } as const;

beforeAll(async () => {
  server = await startPostgres();
  for (let count = 0; count < 2; count += 1) {
    pools.push(new pg.Pool({ connectionString: server.url, max: 8 }));
    clients.push(postgres(server.url, { max: 8, fetch_types: count === 0, onnotice: () => undefined }));
  }
  embedded = new PGlite();
  await new PostgresStore(pools[0] as pg.Pool).migrate();
  await new PostgresStore(embedded).migrate();
});

afterAll(async () => {
  for (const pool of pools) await pool.end();
  for (const client of clients) await client.end();
  await embedded.close();
  await server.stop();
});

describe.each([
  {
    name: "pg",
    instances: (): readonly PostgresClient[] => pools,
    through: (connectionString: string) => {
      const store = new pg.Pool({ connectionString, max: 4 }).on("error", () => undefined);
      return { store, end: () => store.end() };
    },
  },
  {
    name: "postgres.js",
    instances: (): readonly PostgresClient[] => clients,
    through: (url: string) => {
      // Else a connection cut in its first query, of the client's own, is an unhandled rejection.
      const store = postgres(url, { max: 4, fetch_types: false });
      // After a cut it would wait for ever.
      return { store, end: () => store.end({ timeout: 0 }) };
    },
  },
])("$name", ({ instances, through }) => {
  const open = async () => {
    await pools[0]?.query(EMPTY);
    const stores = instances().map((client) => new PostgresStore(client, options)) as [PostgresStore, PostgresStore];
    const close = () => Promise.all(stores.map((store) => store.close()));
    return { store: stores[0], stores, close };
  };
  const breakableStore = async () => {
    await pools[0]?.query(EMPTY);
    const proxy = await CuttingProxy.before(server.port);
    const url = server.url.replace(String(server.port), String(proxy.port));
    const client = through(url);
    const close = async (): Promise<void> => {
      await client.end();
      await proxy.close();
    };
    return { store: new PostgresStore(client.store), breakConnections: () => proxy.cutAll(), close };
  };
  storeContract({ test, createStore: open, parallelStores: open, breakableStore });
});

describe("PGlite", () => {
  storeContract({
    test,
    createStore: async () => {
      await embedded.exec(EMPTY);
      return new PostgresStore(embedded, options);
    },
  });
});
