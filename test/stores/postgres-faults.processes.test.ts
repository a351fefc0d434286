import type pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/fetch.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import type { StoreNotice } from "../../src/core/session-store.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import {
  bindTo,
  change,
  create,
  EMPTY,
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
let pool: pg.Pool;
let store: PostgresStore;

beforeAll(async () => {
  // As a careful administrator has it: what is acknowledged is on the disk.
  server = await startPostgres({ fsync: "on", synchronous_commit: "on", full_page_writes: "on" });
  pool = openPool(server.url, { max: 20 });
  store = new PostgresStore(pool);
  await store.migrate();
});
beforeEach(() => pool.query(EMPTY));
afterAll(async () => {
  await pool.end();
  await server.stop();
});

/** The server, through a proxy that can be told to break. */
async function throughProxy(): Promise<{ readonly proxy: CuttingProxy; readonly url: string }> {
  const proxy = await CuttingProxy.before(server.port);
  return { proxy, url: server.url.replace(String(server.port), String(proxy.port)) };
}

test("a server killed under load has every acknowledged write when it is back, and those who listen learn of it", async () => {
  const notices: StoreNotice["type"][] = [];
  const listening = new PostgresStore(pool, { listen: true });
  await listening.watch(({ type }) => notices.push(type));
  const sql = postgres(server.url, { max: 2, onnotice: () => undefined });
  const other = new PostgresStore(sql, { listen: true });
  const heard: StoreNotice["type"][] = [];
  await other.watch(({ type }) => heard.push(type));

  const { key } = await create(store);
  const acknowledged: string[] = [];
  const failures: unknown[] = [];
  const load = new AbortController();
  const write = async (name: string): Promise<void> => {
    for (let n = 0; !load.signal.aborted; n += 1) {
      try {
        await store.commit(key, change({ set: { [`${name}${n}`]: "1" } }));
        acknowledged.push(`${name}${n}`);
      } catch (error) {
        failures.push(error);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const writers = ["a", "b", "c", "d"].map(write);
  await until(() => acknowledged.length > 200);
  await server.kill();
  const before = acknowledged.length;
  await server.restart();
  await until(() => acknowledged.length > before + 50);
  load.abort();
  await Promise.all(writers);
  expect(Object.keys(await fieldsOf(store, key))).toEqual(expect.arrayContaining(acknowledged));
  expect(failures.length).toBeGreaterThan(0);
  for (const failure of failures) expect(failure).toBeInstanceOf(FastSessionError);

  await until(() => notices.includes("restored") && heard.includes("restored"));
  for (const types of [notices, heard]) expect(types).toEqual(["lost", "restored"]);
  const ended = await create(store);
  await store.destroy(ended.key, { now: NOW, tombstoneUntil: NOW });
  await until(() => notices.includes("revoked") && heard.includes("revoked"));
  await listening.close();
  await other.close();
  await sql.end();
});

test("a pool without a free connection is an error in time, and sessions are back when one is free", async () => {
  const small = openPool(server.url, { max: 1, connectionTimeoutMillis: 100 });
  const limited = new PostgresStore(small);
  const { key } = await create(limited);
  const taken = await small.connect();
  await expect(limited.load(key, NOW)).rejects.toEqual(storeFailure("no connection"));
  // It was never sent, and so says the code.
  await expect(limited.commit(key, change({ set: { a: "1" } }))).rejects.toEqual(storeFailure("no connection"));
  taken.release();
  expect(await fieldsOf(limited, key)).toEqual({});
  await small.end();
});

test.each(["pg", "postgres.js"])(
  "a server without a connection for %s says so, and nothing has happened",
  async (client) => {
    await pool.query("drop role if exists web");
    await pool.query("create role web login superuser");
    const { key } = await create(store, { fields: { a: "1" } });
    const url = server.url.replace("postgres@", "web@");
    const sql = client === "pg" ? openPool(url, { max: 1 }) : postgres(url, { max: 1 });
    const limited = new PostgresStore(sql);
    // Of a superuser no limit is asked for.
    await pool.query("alter role web nosuperuser connection limit 0");
    const refused = storeFailure("no connection free");
    await expect(limited.load(key, NOW)).rejects.toEqual(refused);
    await expect(limited.commit(key, change({ set: { a: "2" } }))).rejects.toEqual(refused);
    expect(await fieldsOf(store, key)).toEqual({ a: "1" });
    await pool.query("alter role web superuser connection limit -1");
    await limited.commit(key, change({ set: { a: "2" } }));
    expect(await fieldsOf(limited, key)).toEqual({ a: "2" });
    await sql.end();
  },
);

test("a server that accepts and never answers costs a request an error, and sessions are back when it is", async () => {
  const { proxy, url } = await throughProxy();
  const hanging = openPool(url, { max: 4 });
  const answer = fastSession({
    secretKey: "a secret of more than thirty-two bytes",
    secure: "auto",
    store: new PostgresStore(hanging),
    storeTimeout: 1,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  })((_, session) => Response.json(session.increment("n")));
  let cookie = "";
  const visit = async (): Promise<string> => {
    const response = await answer(new Request("http://localhost/", { headers: { cookie } }));
    cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
    return `${response.status} ${await response.text()}`;
  };
  expect([await visit(), await visit()]).toEqual(["200 1", "200 2"]);
  proxy.hang();
  const answers = await Promise.all(Array.from({ length: 8 }, visit));
  expect(new Set(answers)).toEqual(new Set(["503 Service Unavailable"]));
  proxy.pass();
  await until(() =>
    visit().then(
      (text) => text === "200 3",
      () => false,
    ),
  );
  await hanging.end();
  await proxy.close();
});

describe.each(["read committed", "repeatable read", "serializable"])("where transactions are %s", (level) => {
  test("no increment is lost, no cap exceeded, and a revocation wins", async () => {
    const options = `-c default_transaction_isolation=${level.replace(" ", "\\ ")}`;
    const pools = [openPool(server.url, { options, max: 6 }), openPool(server.url, { options, max: 6 })];
    const stores = pools.map((one) => new PostgresStore(one)) as [PostgresStore, PostgresStore];
    expect((await pools[0]?.query("show transaction_isolation"))?.rows).toEqual([{ transaction_isolation: level }]);
    const of = (n: number) => stores[n % 2] as PostgresStore;

    const { key } = await create(store);
    await Promise.all(Array.from({ length: 6 }, (_, n) => countTo(10, of(n), key)));
    expect(await fieldsOf(store, key)).toEqual({ n: "60" });

    const cap = { max: 2, policy: "evict-oldest", tombstoneUntil: NOW + HOUR } as const;
    const ann = bindTo("ann", { cap });
    await Promise.all(Array.from({ length: 12 }, (_, n) => create(of(n), {}, ann)));
    expect((await store.listByUser("ann", { now: NOW, limit: 10 })).sessions).toHaveLength(2);

    const bob = bindTo("bob", { since: 0, cap: { ...cap, max: 100 } });
    const logins = Array.from({ length: 12 }, (_, n) => {
      const record = {
        key: newKey(),
        fields: {},
        handle: `h${n}`,
        createdAt: NOW,
        lastUsedAt: NOW,
        expiresAt: NOW + HOUR,
      };
      return of(n).create(record, { operation: `login ${level} ${n}`, now: NOW, bind: bob });
    });
    await store.revokeUser("bob", { now: NOW, tombstoneUntil: NOW + HOUR });
    await Promise.all(logins);
    expect((await store.listByUser("bob", { now: NOW, limit: 100 })).sessions).toEqual([]);
    for (const one of pools) await one.end();
  });
});

async function countTo(count: number, counting: PostgresStore, key: string): Promise<void> {
  for (let n = 0; n < count; n += 1) await increment(counting, key, "n");
}

test("a server that is read-only answers reads, and says why it writes nothing", async () => {
  const { key } = await create(store, { fields: { a: "1" } });
  const replica = openPool(server.url, { options: "-c default_transaction_read_only=on" });
  const readOnly = new PostgresStore(replica);
  expect(await fieldsOf(readOnly, key)).toEqual({ a: "1" });
  await readOnly.migrate();
  const refused = storeFailure("connect to the primary");
  await expect(readOnly.commit(key, change({ set: { a: "2" } }))).rejects.toEqual(refused);
  await expect(readOnly.destroy(key, { now: NOW, tombstoneUntil: NOW })).rejects.toEqual(refused);
  expect(await fieldsOf(store, key)).toEqual({ a: "1" });
  await replica.end();
});

test("several sweepers of fifty thousand expired sessions remove each once and nothing else, and hold nobody up", async () => {
  await pool.query(`insert into fastsession_sessions (key, kind, version, created_at, last_used_at, expires_at, handle)
    select 'expired ' || n, 'session', 1, 0, 0, ${NOW} - n, 'h' || n from generate_series(0, 49999) n`);
  await pool.query("insert into fastsession_fields select id, 'a', '1' from fastsession_sessions");
  const { key } = await create(store, { fields: { n: "0" } });
  const load = new AbortController();
  const sweepers = Array.from({ length: 4 }, async () => {
    const sweeper = openPool(server.url, { max: 1 });
    const own = new PostgresStore(sweeper);
    let removed = 0;
    for (let batch = 1; batch > 0; removed += batch) batch = await own.sweep(NOW, 1000);
    await sweeper.end();
    return removed;
  });
  const requests = (async () => {
    let count = 0;
    for (; !load.signal.aborted; count += 1) await increment(store, key, "n");
    return count;
  })();
  const removed = await Promise.all(sweepers);
  load.abort();
  expect(removed.reduce((sum, one) => sum + one)).toBe(50_000);
  const count = await requests;
  expect(count).toBeGreaterThan(0);
  expect(await fieldsOf(store, key)).toEqual({ n: String(count) });
  expect((await pool.query("select count(*)::int as left from fastsession_fields")).rows).toEqual([{ left: 1 }]);
});
