/** MysqlStore when the database, the network or the pool fails. */
import { createPool, type Pool, type PoolConnection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { FastSessionError } from "../../src/core/errors.ts";
import type { NewSession } from "../../src/core/session-record.ts";
import { type MysqlPool, MysqlStore } from "../../src/stores/mysql.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type MariadbServer, startMariadb } from "../support/mariadb-server.ts";

const NOW = Date.UTC(2030, 0, 1);
const HOUR = 3_600_000;
const END = { now: NOW, tombstoneUntil: NOW + 60_000 };

let server: MariadbServer;
let proxy: CuttingProxy;
let pool: Pool;
let store: MysqlStore;
const pools: Pool[] = [];
let count = 0;

beforeAll(async () => {
  server = await startMariadb({ "innodb-lock-wait-timeout": "1" });
  proxy = await CuttingProxy.before(server.port);
  pool = createPool(server.url);
  store = new MysqlStore(pool);
  await store.migrate();
});
afterAll(async () => {
  await pool.end();
  await proxy.close();
  await server.stop();
});
beforeEach(async () => {
  await pool.query("delete from fastsession_sessions");
  await pool.query("delete from fastsession_users");
});
afterEach(async () => {
  proxy.pass();
  proxy.keepWhole();
  for (const one of pools.splice(0)) await one.end();
});

function operation(): string {
  return `op-${(count += 1)}`;
}

function session(key: string, fields: Record<string, string> = {}): NewSession {
  return { key, fields, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR, handle: `handle-${key}` };
}

async function create(key: string, fields?: Record<string, string>, userId?: string): Promise<void> {
  const bind = userId === undefined ? undefined : { userId, metadata: {}, maxAge: null };
  expect(await store.create(session(key, fields), { operation: operation(), now: NOW, bind })).toMatchObject({
    ok: true,
  });
}

async function fieldsOf(key: string): Promise<unknown> {
  const found = await store.load(key, NOW);
  return found?.kind === "session" ? found.fields : found;
}

/** A pool of one connection through the proxy. */
function throughProxy(): Pool {
  const made = createPool({ uri: server.url, port: proxy.port, connectionLimit: 1 });
  pools.push(made);
  return made;
}

/** Calls as the core does: the same again while its outcome is unknown. */
async function surely<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if ((error as FastSessionError).code !== "ERR_SESSION_STORE_UNKNOWN") throw error;
    }
  }
}

/** A pool's connections, each failed statement told of. */
function telling(told: (errno: number) => unknown, from = pool): MysqlPool {
  return {
    getConnection: async () => {
      const connection = await from.getConnection();
      return {
        query: (sql) => connection.query(sql),
        release: () => connection.release(),
        destroy: () => connection.destroy(),
        execute: async (query, values) => {
          try {
            return await connection.execute(query, values);
          } catch (error) {
            await told((error as { errno: number }).errno);
            throw error;
          }
        },
      };
    },
  };
}

/** A connection that holds the lock of a record. */
async function holding(key: string): Promise<PoolConnection> {
  const holder = await pool.getConnection();
  await holder.beginTransaction();
  await holder.query("select id from fastsession_sessions where session_key = ? for update", [key]);
  return holder;
}

test("what was acknowledged before the server is killed is there when it is back", async () => {
  await create("k", {});
  const acknowledged: number[] = [];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let round = 0; ; round += 1) {
      const name = writer * 1_000_000 + round;
      const change = { operation: operation(), now: NOW, set: { [name]: "1" } };
      try {
        expect(await store.commit("k", change)).toMatchObject({ ok: true });
      } catch (error) {
        return (error as FastSessionError).code;
      }
      acknowledged.push(name);
      if (acknowledged.length === 100) void server.kill();
    }
  });
  const ends = await Promise.all(writers);
  for (const code of ends) expect(code).toMatch(/^ERR_SESSION_STORE/);
  await expect(store.ping()).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
  await server.restart();
  const fields = (await fieldsOf("k")) as Record<string, string>;
  expect(acknowledged.filter((name) => !(name in fields))).toEqual([]);
  // Each writer had one call under way, which may have happened.
  expect(Object.keys(fields).length - acknowledged.length).toBeLessThanOrEqual(4);
  await create("after", {});
});

test("a lock that is held for too long is waited for again", async () => {
  await create("k", { a: "1" });
  const holder = await holding("k");
  const errors: number[] = [];
  const patient = new MysqlStore(
    telling(async (errno) => {
      errors.push(errno);
      await holder.rollback();
      holder.release();
    }),
  );
  expect(await patient.commit("k", { operation: operation(), now: NOW, set: { a: "2" } })).toEqual({
    ok: true,
    version: 2,
  });
  expect(errors).toEqual([1205]);
});

test("a lock that is held to the end fails the call, which counts once when it is sent again", async () => {
  await create("k", { a: "1" });
  const holder = await holding("k");
  const limited = new MysqlStore(pool, { timeout: 1500 });
  const change = { operation: operation(), now: NOW, expect: { a: "1" }, set: { a: "2" } };
  await expect(limited.commit("k", change)).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_SESSION_STORE/) as string,
  });
  await holder.rollback();
  holder.release();
  expect(await store.commit("k", change)).toEqual({ ok: true, version: 2 });
});

test("a deadlock is tried again", async () => {
  await create("a", {}, "ann");
  await create("b", {}, "ann");
  const errors: number[] = [];
  // Connections on which nobody gives up by himself.
  await pool.query("set global innodb_lock_wait_timeout = 50");
  const patient = createPool(server.url);
  pools.push(patient);
  const holder = await patient.getConnection();
  await holder.beginTransaction();
  // The database ends the transaction that has done less.
  for (let index = 0; index < 50; index += 1) {
    await holder.query("insert into fastsession_users (user_id, generation) values (?, 1)", [`user ${index}`]);
  }
  await holder.query("select id from fastsession_sessions where session_key = 'b' for update");
  const victim = new MysqlStore(
    telling((errno) => errors.push(errno), patient),
    { timeout: 60_000 },
  );
  const revoked = victim.revokeUser("ann", END);
  await waiting();
  await holder.query("select id from fastsession_sessions where session_key = 'a' for update");
  await holder.rollback();
  holder.release();
  await pool.query("set global innodb_lock_wait_timeout = 1");
  expect((await revoked).keys.toSorted()).toEqual(["a", "b"]);
  expect(errors).toEqual([1213]);
});

/** Until somebody waits for a lock. */
async function waiting(): Promise<void> {
  for (;;) {
    const [rows] = await pool.query("show global status like 'Innodb_row_lock_current_waits'");
    if (Number((rows as { Value: string }[])[0]?.Value) > 0) return;
  }
}

test("a pool whose connections are all taken fails the call, which has not happened, and is not blamed later", async () => {
  const small = createPool({ uri: server.url, connectionLimit: 1 });
  pools.push(small);
  const hurried = new MysqlStore(small, { timeout: 50 });
  const taken = await small.getConnection();
  await create("k", { a: "1" });
  const change = { operation: operation(), now: NOW, set: { a: "2" } };
  const refused = await Promise.allSettled(Array.from({ length: 20 }, () => hurried.commit("k", change)));
  for (const one of refused) expect(one).toMatchObject({ reason: { code: "ERR_SESSION_STORE" } });
  taken.release();
  const calm = new MysqlStore(small);
  expect(await calm.load("k", NOW)).toMatchObject({ fields: { a: "1" } });
  expect(await calm.commit("k", change)).toEqual({ ok: true, version: 2 });
});

test("a server that accepts and never answers does not keep the pool", async () => {
  await create("k", { a: "1" });
  const hung = throughProxy();
  const calm = new MysqlStore(hung);
  const impatient = new MysqlStore(hung, { timeout: 200 });
  await calm.load("k", NOW);
  proxy.hang();
  const change = { operation: operation(), now: NOW, set: { a: "2" } };
  await expect(impatient.commit("k", change)).rejects.toMatchObject({ code: "ERR_SESSION_STORE_UNKNOWN" });
  await expect(impatient.load("k", NOW)).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
  proxy.pass();
  expect(await surely(() => calm.commit("k", change))).toEqual({ ok: true, version: 2 });
});

test("a server that is read-only says so, and the next connection may lead to another", async () => {
  await create("k", { a: "1" });
  const [reader] = [createPool(server.url.replace("root", "web"))];
  pools.push(reader);
  await pool.query("create or replace user web");
  await pool.query("grant select, insert, update, delete, execute on test.* to web");
  const web = new MysqlStore(reader);
  try {
    await pool.query("set global read_only = on");
    const change = { operation: operation(), now: NOW, set: { a: "2" } };
    await expect(web.commit("k", change)).rejects.toMatchObject({ code: "ERR_SESSION_STORE", cause: { errno: 1290 } });
    expect(await web.load("k", NOW)).toMatchObject({ fields: { a: "1" } });
  } finally {
    await pool.query("set global read_only = off");
  }
  expect(await web.commit("k", { operation: operation(), now: NOW, set: { a: "3" } })).toEqual({
    ok: true,
    version: 2,
  });
});

test("a session that outgrows a packet is refused and stays whole", async () => {
  await create("k", { a: "1" });
  const half = "x".repeat(9_000_000);
  await store.commit("k", { operation: operation(), now: NOW, set: { one: half } });
  const change = { operation: operation(), now: NOW, set: { two: half } };
  await expect(store.commit("k", change)).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
  expect(Object.keys((await fieldsOf("k")) as object)).toEqual(["a", "one"]);
});
