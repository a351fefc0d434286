/** MysqlStore on a real MariaDB: what it costs, what it keeps, who may use it. Its faults are in the file beside. */
import { execFile } from "node:child_process";
import { createPool, type Pool } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NewSession } from "../../src/core/session-record.ts";
import { MysqlStore, migrationSql } from "../../src/stores/mysql.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type MariadbServer, mariadbClient, startMariadb } from "../support/mariadb-server.ts";

const NOW = Date.UTC(2030, 0, 1);
const HOUR = 3_600_000;
const END = { now: NOW, tombstoneUntil: NOW + 60_000 };

let server: MariadbServer;
let pool: Pool;
let store: MysqlStore;
let count = 0;

beforeAll(async () => {
  server = await startMariadb();
  pool = createPool(server.url);
  store = new MysqlStore(pool);
  await store.migrate();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(async () => {
  await pool.query("delete from fastsession_sessions");
  await pool.query("delete from fastsession_users");
});

function operation(): string {
  return `op-${(count += 1)}`;
}

function session(key: string, fields: Record<string, string> = { a: "1" }): NewSession {
  return { key, fields, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR, handle: `handle-${key}` };
}

function bind(userId: string, cap?: number) {
  const evict = { max: cap ?? 0, policy: "evict-oldest", tombstoneUntil: NOW + 60_000 } as const;
  return { userId, metadata: { agent: "x" }, maxAge: null, ...(cap !== undefined && { cap: evict }) };
}

async function create(key: string, fields?: Record<string, string>, in_ = store): Promise<void> {
  expect(await in_.create(session(key, fields), { operation: operation(), now: NOW })).toEqual({
    ok: true,
    evicted: [],
  });
}

async function fieldsOf(key: string, in_ = store): Promise<unknown> {
  const found = await in_.load(key, NOW);
  return found?.kind === "session" ? found.fields : found;
}

test("every verb is one round trip", async () => {
  const proxy = await CuttingProxy.before(server.port);
  const near = createPool({ uri: server.url, port: proxy.port, connectionLimit: 1 });
  const remote = new MysqlStore(near);
  try {
    const trips: Record<string, number> = {};
    for (const round of ["first", "k"]) {
      const [one, two, three] = [`${round}1`, `${round}2`, `${round}3`];
      const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + HOUR } as const;
      let lock: Awaited<ReturnType<MysqlStore["lock"]>> = null;
      const verbs: Record<string, () => Promise<unknown>> = {
        create: () => remote.create(session(one), { operation: operation(), now: NOW }),
        load: () => remote.load(one, NOW),
        commit: () =>
          remote.commit(one, { operation: operation(), now: NOW, expect: { a: "1", b: null }, set: { a: "2" } }),
        conflict: () => remote.commit(one, { operation: operation(), now: NOW, expect: { a: "1" }, set: { a: "2" } }),
        gone: () => remote.commit(two, { operation: operation(), now: NOW, set: { a: "2" } }),
        renew: () => remote.renew(one, { now: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR }),
        lock: async () => (lock = await remote.lock(one, { now: NOW, lease: 1000 })),
        release: async () => lock?.release(),
        login: () => remote.rotate(one, two, { operation: operation(), now: NOW }, { leave, bind: bind("ann", 1) }),
        evict: () => remote.create(session(three), { operation: operation(), now: NOW, bind: bind("ann", 1) }),
        list: () => remote.listByUser("ann", { now: NOW, limit: 10 }),
        generation: () => remote.generation("ann"),
        destroy: () => remote.destroy(three, END),
        revokeHandle: () => remote.revokeHandle(`handle-${two}`, END),
        revokeUser: () => remote.revokeUser("ann", END),
        sweep: () => remote.sweep(NOW, 10),
        ping: () => remote.ping(),
      };
      for (const [verb, run] of Object.entries(verbs)) {
        proxy.resetCounts();
        await run();
        trips[verb] = proxy.counts.roundTrips;
      }
    }
    expect(new Set(Object.values(trips)), JSON.stringify(trips)).toEqual(new Set([1]));
  } finally {
    await near.end();
    await proxy.close();
  }
});

test("any text and any name comes back, also what is no text in UTF-8", async () => {
  const odd = ["\0", "\ud800", "\x1e", '\x1e"a"', "a\udc00b", "__proto__", "\\u0000", "'\\'"];
  const fields = Object.fromEntries(odd.map((text) => [text, text]));
  await create("k", fields);
  // As a map: `toEqual` does not see a property of the name `__proto__`.
  const stored = (await fieldsOf("k")) as Record<string, string>;
  expect(new Map(Object.entries(stored))).toEqual(new Map(Object.entries(fields)));
  const { "\0": _, ...expected } = fields;
  const change = { operation: operation(), now: NOW, expect: { ...expected, "\udc00": null }, remove: ["\0"] };
  expect(await store.commit("k", change)).toEqual({ ok: true, version: 2 });
  expect(new Set(Object.keys((await fieldsOf("k")) as object))).toEqual(new Set(Object.keys(expected)));
});

test("a user id may have any 1020 bytes, and a longer one is refused rather than cut", async () => {
  for (const userId of ["\ud800", "\0", "x".repeat(1020)]) {
    await store.create(session(`k${userId.length}${userId.charCodeAt(0)}`), {
      operation: operation(),
      now: NOW,
      bind: bind(userId),
    });
    expect((await store.listByUser(userId, { now: NOW, limit: 9 })).sessions).toHaveLength(1);
  }
  await expect(store.generation("x".repeat(1021))).rejects.toThrow(TypeError);
});

test("settings of the pool change nothing", async () => {
  const odd = createPool({
    uri: server.url,
    flags: ["-FOUND_ROWS"],
    rowsAsArray: false,
    typeCast: false,
    namedPlaceholders: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    nestTables: true,
  });
  const other = new MysqlStore(odd, { prefix: "odd_" });
  try {
    await pool.query("set global sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'");
    await other.migrate();
    await create("k", { "'\"\\": "'\"\\ é" }, other);
    expect(await fieldsOf("k", other)).toEqual({ "'\"\\": "'\"\\ é" });
    const at = { now: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR };
    expect([await other.renew("k", at), await other.renew("k", at)]).toEqual([true, true]);
    const change = { operation: operation(), now: NOW, expect: { "'\"\\": "é" }, set: { b: "2" } };
    expect(await other.commit("k", change)).toEqual({ ok: false, reason: "conflict", current: { "'\"\\": "'\"\\ é" } });
    expect(await other.commit("k", { ...change, operation: operation(), expect: { c: null } })).toEqual({
      ok: true,
      version: 2,
    });
    expect(await other.destroy("k", END)).toBe(true);
  } finally {
    await pool.query("set global sql_mode = default");
    await odd.end();
  }
});

test("a login that arrives twice names the same evicted sessions", async () => {
  const options = { operation: operation(), now: NOW, bind: bind("ann", 1) };
  await store.create(session("one"), { ...options, operation: operation() });
  const login = await store.create(session("two"), options);
  expect(login).toEqual({ ok: true, evicted: ["one"] });
  expect(await store.create(session("two"), options)).toEqual(login);
  const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + HOUR } as const;
  await create("visitor");
  const change = { operation: operation(), now: NOW, set: { b: "1" } };
  const again = (): unknown => store.rotate("visitor", "three", change, { leave, bind: bind("ann", 1) });
  expect(await again()).toEqual({ ok: true, version: 2, evicted: ["two"] });
  expect(await again()).toEqual({ ok: true, version: 2, evicted: ["two"] });
});

test("a record knows its last eight calls", async () => {
  await create("k", {});
  const operations = Array.from({ length: 8 }, operation);
  for (const [index, name] of operations.entries()) {
    await store.commit("k", { operation: name, now: NOW, set: { n: String(index) } });
  }
  for (const [index, name] of operations.entries()) {
    const answer = await store.commit("k", { operation: name, now: NOW, set: { n: "again" } });
    expect(answer).toEqual({ ok: true, version: index + 2 });
  }
  expect(await fieldsOf("k")).toEqual({ n: "7" });
});

test("a session whose index entry is lost is ended by the generation", async () => {
  await store.create(session("k"), { operation: operation(), now: NOW, bind: bind("ann") });
  await pool.query("insert into fastsession_users (user_id, generation) values ('ann', 1)");
  expect(await store.load("k", NOW)).toEqual({ kind: "tombstone", reason: "revoked", expiresAt: NOW });
  expect(await store.renew("k", { now: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR })).toBe(false);
  expect(await store.commit("k", { operation: operation(), now: NOW })).toEqual({ ok: false, reason: "gone" });
  expect((await store.listByUser("ann", { now: NOW, limit: 9 })).sessions).toEqual([]);
});

test("several sweepers share the work", async () => {
  const keys = Array.from({ length: 700 }, (_, index) => `k${index}`);
  const rows = keys.map((key) => [key, "session", NOW, "{}"]);
  await pool.query("insert into fastsession_sessions (session_key, kind, expires_at, fields) values ?", [rows]);
  const swept = await Promise.all(Array.from({ length: 4 }, () => store.sweep(NOW, 1000)));
  expect(swept.reduce((sum, one) => sum + one)).toBe(700 - (await store.sweep(NOW, 1000)));
  expect(await store.sweep(NOW, 1000)).toBe(0);
});

test("a sweep leaves a session that is renewed meanwhile", async () => {
  const late = NOW + 2 * HOUR;
  await create("k");
  const connection = await pool.getConnection();
  await connection.query("start transaction");
  await connection.query("update fastsession_sessions set expires_at = ? where session_key = 'k'", [late + HOUR]);
  const sweeping = store.sweep(late, 10);
  expect(await Promise.race([sweeping, store.ping().then(() => sweeping)])).toBe(0);
  await connection.query("commit");
  connection.release();
  expect((await store.load("k", late))?.kind).toBe("session");
});

test("a login ends nobody for a session that goes by itself meanwhile", async () => {
  await store.create(session("one"), { operation: operation(), now: NOW, bind: bind("ann", 2) });
  await store.create(session("two"), { operation: operation(), now: NOW + 1, bind: bind("ann", 2) });
  const connection = await pool.getConnection();
  await connection.query("start transaction");
  await connection.query("update fastsession_sessions set kind = 'revoked', user_id = null where session_key = 'one'");
  const login = store.create(session("three"), { operation: operation(), now: NOW + 2, bind: bind("ann", 2) });
  // The server looks at its locks ten times a second.
  for (let waiting = 0; waiting === 0; await new Promise((resolve) => setTimeout(resolve, 150))) {
    const [rows] = await pool.query("select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'");
    waiting = (rows as unknown[]).length;
  }
  await connection.query("commit");
  connection.release();
  expect(await login).toEqual({ ok: true, evicted: [] });
  expect((await store.load("two", NOW))?.kind).toBe("session");
});

test("a public name that nobody can have is nobody's", async () => {
  await create("k");
  for (const handle of ["x".repeat(1000), "é", "?", "\0", "", "handle-k "]) {
    expect(await store.revokeHandle(handle, END), handle).toBeNull();
  }
});

test("instants may be fractions of a millisecond", async () => {
  const half = { ...session("k"), lastUsedAt: NOW + 0.5, expiresAt: NOW + HOUR + 0.5 };
  expect(await store.create(half, { operation: operation(), now: NOW + 0.5 })).toMatchObject({ ok: true });
  expect(await store.renew("k", { now: NOW + 0.5, lastUsedAt: NOW + 1.5, expiresAt: NOW + HOUR + 1.5 })).toBe(true);
});

test("the data can be queried", async () => {
  await store.create(session("k", { cart: '["a","b"]', 'na"me': "1" }), {
    operation: operation(),
    now: NOW,
    bind: bind("ann"),
  });
  const [rows] = await pool.query("select user_id, name, value from fastsession_data order by name");
  expect(rows).toEqual([
    { user_id: "ann", name: "cart", value: '["a","b"]' },
    { user_id: "ann", name: 'na"me', value: "1" },
  ]);
});

describe("the schema", () => {
  test("may be made again, and by many at once", async () => {
    const stores = [1, 2, 3].map(() => new MysqlStore(pool, { prefix: "many_" }));
    await Promise.all(stores.map((one) => one.migrate()));
    await create("k", { a: "1" }, stores[0]);
    await Promise.all(stores.map((one) => one.migrate()));
    expect(await fieldsOf("k", stores[1])).toEqual({ a: "1" });
  });

  test("may be made by the command-line client, and used by whom may create nothing", async () => {
    const { program, env } = await mariadbClient();
    const args = ["--no-defaults", "--host=127.0.0.1", `--port=${server.port}`, "--user=root", "test"];
    const script =
      migrationSql({ prefix: "printed_" }) +
      "create or replace user web; grant select, insert, update, delete, execute on test.* to web;\n";
    await new Promise<void>((resolve, reject) => {
      const child = execFile(program, args, { env }, (error) =>
        error === null ? resolve() : reject(new Error(error.message)),
      );
      child.stdin?.end(script + script);
    });
    const web = createPool(server.url.replace("root", "web"));
    const limited = new MysqlStore(web, { prefix: "printed_" });
    try {
      await limited.migrate();
      await create("k", { a: "1" }, limited);
      expect(await fieldsOf("k", limited)).toEqual({ a: "1" });
      expect(await limited.sweep(NOW + HOUR, 10)).toBe(1);
      const remedy = {
        code: "ERR_SESSION_STORE",
        message: expect.stringMatching(/this user may not.*docs\/mysql\.md/),
      };
      await expect(new MysqlStore(web, { prefix: "other_" }).migrate()).rejects.toMatchObject(remedy);
    } finally {
      await web.end();
    }
  });

  test("is completed where a part of it is missing", async () => {
    const partly = new MysqlStore(pool, { prefix: "partly_" });
    await partly.migrate();
    await pool.query("drop procedure partly_v1_sweep");
    await pool.query("drop view partly_data");
    await partly.migrate();
    expect(await partly.sweep(NOW, 10)).toBe(0);
    expect((await pool.query("select * from partly_data"))[0]).toEqual([]);
  });

  test.each([
    ["no such database", { database: "nowhere" }, /no such database: create it/],
    ["no such user", { user: "nobody", password: "x" }, /refuses this user or password/],
    ["a user without rights", { user: "guest" }, /may not use this database.*docs\/mysql\.md/],
    ["no database in its settings", { database: "" }, /names no database/],
    ["nobody at its port", { port: 1 }, /nobody answers at this address/],
  ])("says what to do where there is %s", async (_, settings, message) => {
    await pool.query("create or replace user guest");
    const wrong = createPool({ host: "127.0.0.1", port: server.port, user: "root", database: "test", ...settings });
    const lost = new MysqlStore(wrong);
    await expect(lost.migrate()).rejects.toMatchObject({
      code: "ERR_SESSION_STORE",
      message: expect.stringMatching(message),
    });
    await expect(lost.load("k", NOW)).rejects.toMatchObject({
      code: "ERR_SESSION_STORE",
      message: expect.stringMatching(message),
    });
    await wrong.end();
  });

  test("that is missing is named with its remedy", async () => {
    const lost = new MysqlStore(pool, { prefix: "lost_" });
    await expect(lost.load("k", NOW)).rejects.toThrow(/run migrate\(\)/);
    await expect(lost.destroy("k", END)).rejects.toThrow(/run migrate\(\)/);
  });
});

test.each([
  [undefined, {}],
  ["mysql://localhost", {}],
  [{ query: () => undefined }, {}],
  ["pool", { prefix: "a`b" }],
  ["pool", { prefix: "" }],
  ["pool", { timeout: 0 }],
  ["pool", { timeout: 2 ** 31 }],
])("refuses %j with %j", (given, options) => {
  expect(() => new MysqlStore((given === "pool" ? pool : given) as Pool, options)).toThrow(TypeError);
});
