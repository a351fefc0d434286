import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "fastsession";
import { sessionHandlers } from "../cases.mjs";

/** Our defaults. `secure: "auto"`, as the benchmark speaks no TLS. */
export async function setUp(framework, store) {
  return serveFrom(framework, await createStore(store));
}

export async function serveFrom(framework, store) {
  const { fastSession } = await import(`fastsession/${framework}`);
  const middleware = fastSession({ secretKey: "only-for-the-benchmark-0123456789abcdef", secure: "auto", store });
  return { middleware, handlers: sessionHandlers };
}

async function createStore(store) {
  switch (store) {
    case "memory":
      return new MemoryStore();
    case "sqlite":
      return sqliteStore();
    case "redis":
      return redisStore();
    case "postgres":
      return postgresStore();
    default:
      throw new TypeError(`no store ${store}`);
  }
}

async function sqliteStore() {
  const { SqliteStore } = await import("fastsession/stores/sqlite");
  const folder = mkdtempSync(join(tmpdir(), "fastsession-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return new SqliteStore(join(folder, "sessions.sqlite"));
}

export async function redisStore(options) {
  const { RedisStore } = await import("fastsession/stores/redis");
  const { Redis } = await import("ioredis");
  return new RedisStore(new Redis(process.env.BENCH_REDIS_URL), options);
}

async function postgresStore() {
  const { PostgresStore } = await import("fastsession/stores/postgres");
  const { default: pg } = await import("pg");
  const store = new PostgresStore(new pg.Pool({ connectionString: process.env.BENCH_POSTGRES_URL, max: 10 }));
  await store.migrate();
  return store;
}
