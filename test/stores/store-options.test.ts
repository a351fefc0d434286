/** What every store refuses when it is made: names that there are not, which would be ignored, and values of another type. */
import { Cluster, Redis } from "ioredis";
import { Keyv } from "keyv";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { createStorage } from "unstorage";
import { afterAll, expect, test } from "vitest";
import { createSessions, originalDefaults } from "../../src/index.ts";
import { cached } from "../../src/stores/cached.ts";
import { fromExpressStore } from "../../src/stores/express-store.ts";
import { fromKeyv } from "../../src/stores/keyv.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { fromUnstorage } from "../../src/stores/unstorage.ts";

const expressStore = { get() {}, set() {}, destroy() {} };
// Connected to nothing.
const redis = new Redis({ lazyConnect: true });
const mysql = createPool({ host: "127.0.0.1", port: 1 });
afterAll(() => mysql.end());

const makers: Readonly<Record<string, (options: never) => unknown>> = {
  RedisStore: (options) => new RedisStore(redis, options),
  PostgresStore: (options) => new PostgresStore(new pg.Pool(), options),
  MysqlStore: (options) => new MysqlStore(mysql, options),
  SqliteStore: (options) => new SqliteStore(":memory:", options),
  MemoryStore: (options) => new MemoryStore(options),
  cached: (options) => cached(new RedisStore(redis, { announceChanges: true }), options),
  fromExpressStore: (options) => fromExpressStore(expressStore, options),
  fromUnstorage: (options) => fromUnstorage(createStorage(), options),
  fromKeyv: (options) => fromKeyv(new Keyv({ throwOnErrors: true }), options),
};

test.each(Object.keys(makers))("%s refuses an option that it does not have, and names those that it has", (name) => {
  const make = makers[name] as (options: unknown) => unknown;
  const expected = expect.objectContaining({
    name: "TypeError",
    message: expect.stringMatching(new RegExp(`unknown option "announce" of ${name}: known are \\w+`)),
  });
  expect(() => make({ announce: true })).toThrow(expected);
  expect(() => make({})).not.toThrow();
  expect(() => make(undefined)).not.toThrow();
  for (const options of [null, "fs:", 5]) expect(() => make(options), String(options)).toThrow(TypeError);
});

test.each<[string, object]>([
  ["RedisStore", { announceChanges: "yes" }],
  ["RedisStore", { announceChanges: null }],
  ["RedisStore", { prefix: 5 }],
  ["RedisStore", { durability: true }],
  ["RedisStore", { durability: null }],
  ["RedisStore", { durability: { replicas: 1, milliseconds: 500, wait: 1 } }],
  ["RedisStore", { durability: { replicas: 1 } }],
  ["RedisStore", { durability: { replicas: "1", milliseconds: 500 } }],
  ["PostgresStore", { announceChanges: "yes" }],
  ["PostgresStore", { prepare: 1 }],
  ["MysqlStore", { prefix: ["fs_"] }],
  ["MysqlStore", { timeout: "5000" }],
  ["SqliteStore", { durability: "most" }],
  ["SqliteStore", { busyTimeout: "20" }],
  ["MemoryStore", { maxSessions: "5" }],
  ["cached", { maxEntries: "5" }],
  ["cached", { maxStale: "5" }],
  ["cached", { maxStale: [5] }],
  ["fromUnstorage", { sweep: "yes" }],
  ["fromUnstorage", { consistency: "strong" }],
  ["fromKeyv", { keys: "ids" }],
])("%s refuses %j", (name, options) => {
  const make = makers[name] as (options: unknown) => unknown;
  expect(() => make(options)).toThrow(TypeError);
  expect(() => make(options)).toThrow(Object.keys(options)[0]);
});

test("ids of one's own are refused at the start where Redis Cluster needs its own, and nowhere else", () => {
  const cluster = new Cluster([{ host: "127.0.0.1", port: 1 }], { lazyConnect: true });
  const secretKey = "a secret of more than thirty-two bytes";
  const onCluster = new RedisStore(cluster, { announceChanges: true });
  for (const store of [onCluster, cached(onCluster)]) {
    const start = (options: object) => () => createSessions({ secretKey, store, ...options });
    expect(start({ idGenerator: () => crypto.randomUUID() })).toThrow(TypeError);
    expect(start(originalDefaults)).toThrow("{ ...originalDefaults, idGenerator: undefined }");
    expect(start({ ...originalDefaults, idGenerator: undefined })).not.toThrow();
    expect(start({})).not.toThrow();
  }
  expect(() => createSessions({ secretKey, store: new RedisStore(redis), ...originalDefaults })).not.toThrow();
});
