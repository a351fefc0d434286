import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import postgres from "postgres";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { LiveStore } from "../../src/core/session-store.ts";
import { migrationSql, type PostgresClient, PostgresStore } from "../../src/stores/postgres.ts";

/** Connects to nothing until it is asked something. */
const pool = new pg.Pool({ connectionString: "postgres://nobody@127.0.0.1:1/nowhere" });

describe("a PostgresStore", () => {
  test("takes the clients there are, and does nothing with them", () => {
    const clients: PostgresClient[] = [pool, new pg.Client(), postgres(), Object.create(PGlite.prototype) as PGlite];
    for (const client of clients) expect(new PostgresStore(client).capabilities.feed).toBe(null);
    expect(pool.totalCount).toBe(0);
  });

  test("refuses what is no client", () => {
    for (const client of [undefined, null, {}, "postgres://localhost", () => pool]) {
      expect(() => new PostgresStore(client as never)).toThrow(TypeError);
    }
  });

  test.each([
    { schema: 'a"b' },
    { schema: "" },
    { schema: "s".repeat(51) },
    { schema: "1st" },
    { prepare: 1 },
    { announceChanges: "yes" },
    { listen: "postgres://localhost" },
    { listen: pool },
  ])("refuses the options %o", (options) => {
    expect(() => new PostgresStore(pool, options as never)).toThrow(TypeError);
  });

  test("cannot listen on the one connection of a Client of pg", () => {
    expect(() => new PostgresStore(new pg.Client(), { listen: true })).toThrow(/^listen is true \(of a Pool/);
    // Nor on that of a pool: verbs would wait for it for ever.
    expect(() => new PostgresStore(new pg.Pool({ max: 1 }), { listen: true })).toThrow(/more than one connection/);
  });

  test("has a feed in its type where it has one", () => {
    const listening = new PostgresStore(pool, { listen: true });
    expect(listening.capabilities.feed).toBe("fleet");
    expectTypeOf(listening).toExtend<LiveStore>();
    expectTypeOf(new PostgresStore(pool, { listen: () => new pg.Client() })).toExtend<LiveStore>();
    expectTypeOf(listening).toExtend<PostgresStore>();
    expectTypeOf(new PostgresStore(pool)).not.toExtend<LiveStore>();
    expectTypeOf(new PostgresStore(pool, { schema: "web" })).not.toExtend<LiveStore>();
  });

  test("says at once that it cannot be watched without a feed", async () => {
    const watching = new PostgresStore(pool).watch(() => undefined);
    await expect(watching).rejects.toMatchObject({ code: "ERR_SESSION_UNSUPPORTED" });
  });

  test("says that there is no server, and that nothing was written", async () => {
    const failing = new PostgresStore(pool).destroy("k", { now: 0, tombstoneUntil: 0 });
    await expect(failing).rejects.toMatchObject({
      code: "ERR_SESSION_STORE",
      message: "PostgreSQL failed: no connection, see cause",
      cause: { code: "ECONNREFUSED" },
    });
  });
});

// 8 GB of notifications fill the queue: this is what PostgreSQL says then, by its source (async.c).
test("a queue of notifications that is full is told from a text that is too long", async () => {
  const full = Object.assign(new Error("too many notifications in the NOTIFY queue"), {
    severity: "ERROR",
    code: "54000",
    routine: "PreCommit_Notify",
  });
  const client = { query: () => Promise.reject(full) };
  const failing = new PostgresStore(client).destroy("k", { now: 0, tombstoneUntil: 0 });
  await expect(failing).rejects.toMatchObject({
    code: "ERR_SESSION_STORE",
    message: expect.stringContaining("pg_notification_queue_usage"),
  });
});

test("migrationSql prints statements for one schema, and refuses what is no name of one", () => {
  expect(migrationSql()).toContain('create table if not exists "public".fastsession_sessions (');
  expect(migrationSql({ schema: "web" })).not.toContain("public");
  expect(() => migrationSql({ schema: 'web"; drop table users; --' })).toThrow(TypeError);
});
