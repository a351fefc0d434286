import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { newOperation } from "../../src/core/session-id.ts";
import type { StoreNotice } from "../../src/core/session-store.ts";
import { migrationSql, PostgresStore } from "../../src/stores/postgres.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import {
  bindTo,
  change,
  create,
  EMPTY,
  fieldsOf,
  HOUR,
  newKey,
  NOW,
  openPool,
  session,
  storeFailure,
  until,
} from "./postgres-scene.ts";
import { expectSameAsMemory } from "./random-calls.ts";

let server: PostgresServer;
let pool: pg.Pool;
let store: PostgresStore;

beforeAll(async () => {
  server = await startPostgres();
  pool = openPool(server.url);
  store = new PostgresStore(pool);
  await store.migrate();
});
beforeEach(() => pool.query(EMPTY));
afterAll(async () => {
  await pool.end();
  await server.stop();
});

/** A database of its own. */
async function newDatabase(name: string): Promise<{ readonly url: string; readonly pool: pg.Pool }> {
  await pool.query(`create database ${name}`);
  const url = server.url.replace(/postgres$/, name);
  return { url, pool: openPool(url) };
}

describe("the tables", () => {
  test("are made once by processes that start together, and again harm nothing", async () => {
    const database = await newDatabase("starting");
    const stores = Array.from({ length: 8 }, () => new PostgresStore(database.pool));
    await Promise.all(stores.map((one) => one.migrate()));
    const { key } = await create(stores[0] as PostgresStore, { fields: { a: "1" } });
    await stores[1]?.migrate();
    await database.pool.query(migrationSql());
    expect(await fieldsOf(stores[1] as PostgresStore, key)).toEqual({ a: "1" });
    await database.pool.end();
  });

  test("are made without a word, also by a client that prints notices, and made again", async () => {
    const database = await newDatabase("quiet");
    const notices: unknown[] = [];
    const sql = postgres(database.url, { max: 1, onnotice: ({ message }) => notices.push(message) });
    await new PostgresStore(sql).migrate();
    await sql.unsafe(migrationSql());
    expect(notices).toEqual([]);
    // Notices of one's own come as before.
    await sql.unsafe("do $$ begin raise notice 'mine'; end $$");
    expect(notices).toEqual(["mine"]);
    await sql.end();
    await database.pool.end();
  });

  test("may be made from what is printed, in a schema of one's own, and used without the right to make any", async () => {
    const database = await newDatabase("printed");
    await database.pool.query(migrationSql({ schema: "Web" }));
    await database.pool.query(`create role web login; grant usage on schema "Web" to web;
      grant select, insert, update, delete on all tables in schema "Web" to web`);
    const limited = openPool(database.url.replace("postgres@", "web@"));
    const own = new PostgresStore(limited, { schema: "Web", listen: true });
    await own.migrate();
    await own.ping();
    const heard: StoreNotice[] = [];
    await own.watch((notice) => heard.push(notice));
    const { key } = await create(own, { fields: { a: "1" } }, bindTo("ann"));
    expect(await own.destroy(key, { now: NOW, tombstoneUntil: NOW })).toBe(true);
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ type: "revoked", keys: [key] }]);
    await expect(new PostgresStore(limited, { schema: "other" }).migrate()).rejects.toEqual(
      storeFailure("this role may not"),
    );
    await own.close();
    await limited.end();
    await database.pool.end();
  });

  test("are asked for where they are missing", async () => {
    const database = await newDatabase("empty");
    const lost = new PostgresStore(database.pool);
    await expect(lost.load("k", NOW)).rejects.toEqual(storeFailure("run migrate()"));
    await expect(lost.ping()).rejects.toEqual(storeFailure("run migrate()"));
    await database.pool.end();
  });

  test("are not looked for where there is no such database", async () => {
    const nowhere = openPool(server.url.replace(/postgres$/, "nowhere"));
    const missing = new PostgresStore(nowhere);
    const failure = storeFailure("there is no such database");
    await expect(missing.migrate()).rejects.toEqual(failure);
    await expect(missing.sweep(NOW, 1)).rejects.toEqual(failure);
    await nowhere.end();
  });

  test("lose a record's fields with it, whoever deletes it", async () => {
    await create(store, { fields: { a: "1" } });
    await pool.query("delete from fastsession_sessions");
    expect((await pool.query("select * from fastsession_fields")).rows).toEqual([]);
  });

  test("show the data of live sessions as JSON", async () => {
    const user = bindTo("ann", { metadata: { agent: "Firefox" } });
    await create(store, { fields: { cart: '{"items":[1,2]}', odd: '"\\u0000"', other: "no JSON" } }, user);
    const { key } = await create(store, { fields: { cart: '{"items":[9]}' } });
    await store.destroy(key, { now: NOW, tombstoneUntil: NOW + HOUR });
    const query = `select user_id, metadata->>'agent' as agent, name, value->'items'->>1 as second,
      expires_at = to_timestamp(${NOW + HOUR} / 1000) as hour from fastsession_data order by name`;
    const common = { user_id: "ann", agent: "Firefox", hour: true };
    expect((await pool.query(query)).rows).toEqual([
      { ...common, name: "cart", second: "2" },
      { ...common, name: "odd", second: null },
      { ...common, name: "other", second: null },
    ]);
  });
});

test("any text comes back, also those that PostgreSQL cannot hold", async () => {
  const texts = { "\0": "\0", "\ud800": "\udc00 half", "\x1e": '\x1e"a"', "\\": '\\"{},NULL', NULL: "NULL", "": "" };
  const { key } = await create(store, { fields: texts }, bindTo("ann \ud800\0", { metadata: { "\0": "\udc00" } }));
  expect(await fieldsOf(store, key)).toEqual(texts);
  const expectation = change({ expect: { ...texts, "\0": "1", none: "\0" } });
  expect(await store.commit(key, expectation)).toMatchObject({ current: { "\0": "\0", none: null } });
  const { sessions } = await store.listByUser("ann \ud800\0", { now: NOW, limit: 10 });
  expect(sessions.map(({ metadata }) => metadata)).toEqual([{ "\0": "\udc00" }]);
});

test("statements have names that fit, also in schemas of 50 characters that differ in the last", async () => {
  const one = openPool(server.url, { max: 1 });
  const said: unknown[] = [];
  const logged = vi.spyOn(console, "error").mockImplementation((...words) => void said.push(words));
  const stores = ["a", "b"].map((last) => new PostgresStore(one, { schema: "s".repeat(49) + last, prepare: true }));
  const keys: string[] = [];
  for (const each of stores) {
    await each.migrate();
    const { key } = await create(each, { fields: { a: String(keys.length) } }, bindTo("ann"));
    keys.push(key);
    await each.revokeHandle("nobody", { now: NOW, tombstoneUntil: NOW });
    await each.generation("ann");
  }
  for (const [index, each] of stores.entries()) {
    expect(await fieldsOf(each, keys[index] as string)).toEqual({ a: String(index) });
    expect((await each.listByUser("ann", { now: NOW, limit: 9 })).sessions).toHaveLength(1);
    await each.revokeUser("ann", { now: NOW, tombstoneUntil: NOW + HOUR });
    expect(await each.load(keys[index] as string, NOW)).toMatchObject({ kind: "tombstone" });
  }
  const { rows } = await one.query<{ name: string }>("select name from pg_prepared_statements");
  expect(rows.length).toBeGreaterThanOrEqual(2 * 6);
  expect(rows.filter(({ name }) => name.length >= 63)).toEqual([]);
  expect(said).toEqual([]);
  logged.mockRestore();
  await one.end();
});

test("a name that no index holds is refused, and so says the error", async () => {
  const name = Array.from({ length: 4000 }, () => String.fromCharCode(33 + Math.random() * 90)).join("");
  const creating = store.create(session({ fields: { [name]: "1" } }), { operation: newOperation(), now: NOW });
  await expect(creating).rejects.toEqual(storeFailure("2,700 bytes", "ERR_SESSION_TOO_LARGE"));
});

test("answers what the memory store answers, and keeps what it keeps, for random calls", async () => {
  const emptied = (): PostgresStore =>
    Object.assign(new PostgresStore(pool), { close: async () => void (await pool.query(EMPTY)) });
  const seen = await expectSameAsMemory(emptied, { userIndex: true, runs: 4 });
  for (const verb of ["create", "commit", "rotate"]) expect(seen).toContain(`${verb}: ok`);
});

/** How often each verb waits for the network, on a connection that has been used before. */
async function roundTrips(client: string): Promise<Record<string, number>> {
  const proxy = await CuttingProxy.before(server.port);
  const url = server.url.replace(String(server.port), String(proxy.port));
  const sql = client.startsWith("postgres.js") ? postgres(url, { max: 1 }) : openPool(url, { max: 1 });
  const [, prepared] = client.split(", ");
  const counted = new PostgresStore(sql, prepared === undefined ? {} : { prepare: prepared === "prepared" });
  const at = { now: NOW, tombstoneUntil: NOW + HOUR };
  const bind = bindTo("ann", { since: 0, cap: { max: 1, policy: "evict-oldest", tombstoneUntil: NOW + HOUR } });
  const verbs: [string, (key: string) => Promise<unknown>][] = [
    ["create", () => counted.create(session(), { operation: newOperation(), now: NOW })],
    ["create with a cap", () => counted.create(session(), { operation: newOperation(), now: NOW, bind })],
    ["load", (key) => counted.load(key, NOW)],
    ["commit", (key) => counted.commit(key, change({ expect: { a: null }, set: { a: "1" } }))],
    ["conflict", (key) => counted.commit(key, change({ expect: { b: "1" } }))],
    ["renew", (key) => counted.renew(key, { now: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR })],
    ["rotate with a cap", (key) => counted.rotate(key, newKey(), change(), { leave: rotated(), bind })],
    ["destroy", (key) => counted.destroy(key, at)],
    ["list", () => counted.listByUser("ann", { now: NOW, limit: 10 })],
    ["revokeHandle", () => counted.revokeHandle("nobody", at)],
    ["revokeUser", () => counted.revokeUser("ann", at)],
    ["generation", () => counted.generation("ann")],
    ["lock", (key) => counted.lock(key, { now: NOW, lease: 1000 })],
    ["sweep", () => counted.sweep(NOW, 100)],
    ["ping", () => counted.ping()],
  ];
  const trips: Record<string, number> = {};
  for (const [verb, call] of verbs) {
    const { key } = await create(counted);
    // A prepared statement is made at its first use.
    await call((await create(counted)).key);
    proxy.resetCounts();
    await call(key);
    trips[verb] = proxy.counts.roundTrips;
  }
  await sql.end();
  await proxy.close();
  return trips;
}

describe.each(["pg", "pg, prepared", "postgres.js"])("with %s", (client) => {
  test("every verb is one round trip", async () => {
    expect(Object.entries(await roundTrips(client)).filter(([, trips]) => trips !== 1)).toEqual([]);
  });
});

test("with postgres.js that prepares nothing every verb is two round trips: it asks for types first", async () => {
  const all = Object.entries(await roundTrips("postgres.js, not prepared"));
  expect(all.filter(([, trips]) => trips !== 2)).toEqual([]);
});

function rotated() {
  return { kind: "tombstone", reason: "rotated", expiresAt: NOW + HOUR } as const;
}

test("ten thousand sessions of a user are listed in pages and ended at once, and everybody hears of each", async () => {
  const listening = new PostgresStore(pool, { listen: true });
  const heard: string[] = [];
  await listening.watch((notice) => "keys" in notice && heard.push(...notice.keys));
  const template = await create(store, { fields: { a: "1" } }, bindTo("ann"));
  await pool.query(`insert into fastsession_sessions
      (key, kind, version, created_at, last_used_at, rotated_at, expires_at, handle, user_id, bound_at, generation, metadata)
    select rpad('v1.abc.' || n, 50, '-'), kind, version, created_at, last_used_at, rotated_at, expires_at, handle || n, user_id,
      bound_at + n / 3, generation, metadata from fastsession_sessions, generate_series(1, 9999) n`);
  await pool.query(`insert into fastsession_fields
    select id, 'a', '1' from fastsession_sessions on conflict do nothing`);
  const handles = new Set<string>();
  let pages = 0;
  for (let after: string | null = null; after !== null || pages === 0; pages += 1) {
    const page = await store.listByUser("ann", { now: NOW, after, limit: 1000 });
    for (const { handle } of page.sessions) handles.add(handle);
    ({ after } = page);
  }
  expect([handles.size, pages]).toEqual([10_000, 10]);
  const { keys } = await store.revokeUser("ann", { now: NOW, tombstoneUntil: NOW + HOUR, except: template.key });
  expect(keys).toHaveLength(9999);
  await until(() => heard.length === 9999);
  expect(heard.toSorted()).toEqual(keys.toSorted());
  expect((await pool.query("select count(*)::int as left from fastsession_fields")).rows).toEqual([{ left: 1 }]);
  await listening.close();
});

describe("while a row is locked", () => {
  /** Begins a transaction; answers how to commit it once somebody waits for it. */
  async function holding(sql: string, values: unknown[]): Promise<() => Promise<void>> {
    const client = await pool.connect();
    await client.query("begin");
    await client.query(sql, values);
    const { rows } = await client.query("select pg_backend_pid() as pid");
    return async () => {
      const blocked = "select 1 from pg_stat_activity where $1::int = any (pg_blocking_pids(pid))";
      await until(async () => (await pool.query(blocked, [rows[0].pid])).rows.length > 0);
      await client.query("commit");
      client.release();
    };
  }

  test.each(["evict-oldest", "evict-idle"] as const)(
    "a login ends nobody for a session that goes by itself meanwhile, with %s",
    async (policy) => {
      const cap = { max: 2, policy, tombstoneUntil: NOW + HOUR };
      const one = await create(store, { lastUsedAt: NOW - 1 }, bindTo("ann", { cap }));
      const two = await create(store, {}, bindTo("ann", { cap }));
      const gone = await holding("update fastsession_sessions set kind = 'revoked' where key = $1", [one.key]);
      const options = { operation: newOperation(), now: NOW, bind: bindTo("ann", { cap }) };
      const login = store.create(session(), options);
      await gone();
      expect(await login).toEqual({ ok: true, evicted: [] });
      expect((await store.load(two.key, NOW))?.kind).toBe("session");
    },
  );
});

test("instants may be fractions of a millisecond, as precise clocks give them", async () => {
  const half = await create(store, { lastUsedAt: NOW + 0.5, expiresAt: NOW + HOUR + 0.5 });
  const at = { now: NOW + 0.5, lastUsedAt: NOW + 1.25, expiresAt: NOW + HOUR + 1.25 };
  expect(await store.renew(half.key, at)).toBe(true);
  expect(await store.commit(half.key, change({ now: NOW + 1.5, set: { a: "1" } }))).toMatchObject({ ok: true });
  expect(await store.sweep(NOW + 0.5, 10)).toBe(0);
});

test("a feed that is closed while it opens leaves no connection behind", async () => {
  const own = openPool(server.url);
  const closing = new PostgresStore(own, { listen: true });
  const watching = closing.watch(() => undefined).catch((error: unknown) => error);
  await closing.close();
  await watching;
  // Waits for all that are lent out.
  await own.end();
});

test("who begins to listen while the connection is broken is told so, and of its return", async () => {
  const made: pg.Client[] = [];
  const state = { down: false };
  const listen = (): pg.Client => {
    const client = new pg.Client(state.down ? "postgres://nobody@127.0.0.1:1/nowhere" : server.url);
    made.push(client);
    return client;
  };
  const listening = new PostgresStore(pool, { listen });
  const [first, second]: [string[], string[]] = [[], []];
  await listening.watch(({ type }) => first.push(type));
  state.down = true;
  const { rows } = await (made[0] as pg.Client).query<{ pid: number }>("select pg_backend_pid() as pid");
  await pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
  await until(() => first.length === 1);
  await listening.watch(({ type }) => second.push(type));
  state.down = false;
  await until(() => first.length === 2 && second.includes("restored"));
  expect([first, second]).toEqual([
    ["lost", "restored"],
    ["lost", "restored"],
  ]);
  await listening.close();
});
