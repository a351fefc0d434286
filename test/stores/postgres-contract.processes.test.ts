import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type PostgresClient, PostgresStore } from "../../src/stores/postgres.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
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
    clients.push(postgres(server.url, { max: 8, onnotice: () => undefined }));
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
  ["pg", () => pools],
  ["postgres.js", () => clients],
])("%s", (_, instances: () => readonly PostgresClient[]) => {
  const open = async () => {
    await pools[0]?.query(EMPTY);
    const stores = instances().map((client) => new PostgresStore(client, options)) as [PostgresStore, PostgresStore];
    const close = () => Promise.all(stores.map((store) => store.close()));
    return { store: stores[0], stores, close };
  };
  storeContract({ test, createStore: open, parallelStores: open });
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
