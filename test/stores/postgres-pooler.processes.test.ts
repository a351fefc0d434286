/** Through a PgBouncer in transaction mode, which gives each statement whatever connection is free. */
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreNotice } from "../../src/core/session-store.ts";
import { type PostgresClient, PostgresStore } from "../../src/stores/postgres.ts";
import { type Pooler, startPgbouncer } from "../support/pgbouncer.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import {
  bindTo,
  change,
  create,
  fieldsOf,
  HOUR,
  increment,
  newKey,
  NOW,
  openPool,
  storeFailure,
  until,
} from "./postgres-scene.ts";

let server: PostgresServer;
let pooler: Pooler;
let pool: pg.Pool;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startPostgres();
  pooler = await startPgbouncer(server.port);
  pool = openPool(pooler.url, { max: 20 });
  sql = postgres(pooler.url, { max: 20, prepare: false });
  await new PostgresStore(pool).migrate();
});
afterAll(async () => {
  await pool.end();
  await sql.end();
  await pooler.stop();
  await server.stop();
});

test.each([
  ["pg", () => pool],
  ["postgres.js with `prepare: false`", () => sql],
])("%s loses no write and keeps a cap", async (_, client: () => PostgresClient) => {
  const store = new PostgresStore(client());
  const { key } = await create(store);
  const writes = Array.from({ length: 200 }, (_, n) => store.commit(key, change({ set: { [`f${n}`]: "1" } })));
  const increments = Array.from({ length: 50 }, () => increment(store, key, "n"));
  await Promise.all([...writes, ...increments]);
  const { n, ...others } = await fieldsOf(store, key);
  expect([n, Object.keys(others).length]).toEqual(["50", 200]);

  const bind = bindTo(newKey(), { cap: { max: 3, policy: "evict-oldest", tombstoneUntil: NOW + HOUR } });
  await Promise.all(Array.from({ length: 40 }, () => create(store, {}, bind)));
  expect((await store.listByUser(bind.userId, { now: NOW, limit: 10 })).sessions).toHaveLength(3);
});

test("says that nothing is heard through it, and hears on a direct connection", async () => {
  const deaf = new PostgresStore(pool, { listen: true });
  await expect(deaf.watch(() => undefined)).rejects.toEqual(storeFailure("a direct connection"));

  const direct = postgres(server.url, { max: 1 });
  for (const listen of [() => new pg.Client(server.url), direct]) {
    const store = new PostgresStore(pool, { listen });
    const heard: StoreNotice[] = [];
    await store.watch((notice) => heard.push(notice));
    const { key } = await create(store);
    await store.destroy(key, { now: NOW, tombstoneUntil: NOW });
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ type: "revoked", keys: [key] }]);
    await store.close();
  }
  await direct.end();
});
