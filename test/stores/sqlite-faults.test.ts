import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FastSessionError } from "../../src/core/errors.ts";
import type { StoredSession } from "../../src/core/session-record.ts";
import type { Change } from "../../src/core/session-store.ts";
import { openFile, type OwnDatabase } from "../../src/stores/sqlite-driver.ts";
import { SqliteStore, type SqliteStoreOptions } from "../../src/stores/sqlite.ts";

const NOW = Date.UTC(2030, 0, 1);
const HOUR = 3_600_000;

let folder = "";
let path = "";
const opened: { close(): unknown }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fastsession-"));
  path = join(folder, "sessions.sqlite");
});
afterEach(async () => {
  for (const connection of opened.splice(0)) await connection.close();
  rmSync(folder, { recursive: true });
});

function connect(): OwnDatabase {
  const connection = openFile(path);
  opened.push(connection);
  return connection;
}

/** A store with the record `k` in it, whose field `a` is `0`. */
function openStore(options: SqliteStoreOptions = {}, source: string | OwnDatabase = path): SqliteStore {
  const store = new SqliteStore(source, options);
  opened.push(store);
  const times = { createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR };
  const created = store.create({ key: "k", fields: { a: "0" }, handle: "h", ...times }, { operation: "o", now: NOW });
  expect(created).toEqual({ ok: true, evicted: [] });
  return store;
}

function set(fields: Record<string, string>, expected?: Record<string, string | null>): Change {
  return { operation: "o", now: NOW, set: fields, ...(expected === undefined ? {} : { expect: expected }) };
}

function fieldsOf(store: SqliteStore): StoredSession["fields"] {
  return (store.load("k", NOW) as StoredSession).fields;
}

const storeFailure = (message: string): unknown =>
  expect.objectContaining({
    name: "FastSessionError",
    code: "ERR_SESSION_STORE",
    message: expect.stringContaining(message),
    cause: expect.any(Error),
  });

describe("while another connection writes", () => {
  test("a verb answers a promise, kept when the lock is free; loads go on meanwhile", async () => {
    const store = openStore({ busyTimeout: 1 });
    const other = connect();
    other.exec("begin immediate");
    const answer = store.commit("k", set({ a: "1" }));
    expect(answer).toBeInstanceOf(Promise);
    expect(fieldsOf(store)).toEqual({ a: "0" });
    other.exec("commit");
    expect(await answer).toEqual({ ok: true, version: 2 });
    expect(fieldsOf(store)).toEqual({ a: "1" });
  });

  test("all later ones wait in order, and the next after them is synchronous again", async () => {
    const store = openStore({ busyTimeout: 1 });
    const other = connect();
    other.exec("begin immediate");
    const answers = Array.from({ length: 20 }, (_, n) => store.commit("k", set({ a: `${n + 1}` }, { a: `${n}` })));
    other.exec("commit");
    const versions: unknown[] = [];
    for (const answer of answers) {
      expect(answer).toBeInstanceOf(Promise);
      versions.push(await answer);
    }
    expect(versions).toEqual(Array.from({ length: 20 }, (_, n) => ({ ok: true, version: n + 2 })));
    expect(store.commit("k", set({ a: "x" }))).toEqual({ ok: true, version: 22 });
  });

  test("for longer than the deadline, a verb fails with what to do, and has not happened", async () => {
    const store = openStore({ busyTimeout: 0, busyDeadline: 30 });
    const other = connect();
    other.exec("begin immediate");
    const answers = [store.commit("k", set({ a: "1" })), store.destroy("k", { now: NOW, tombstoneUntil: NOW })];
    for (const answer of answers) await expect(answer).rejects.toEqual(storeFailure("busyDeadline"));
    other.exec("commit");
    expect(store.commit("k", set({ b: "2" }))).toEqual({ ok: true, version: 2 });
    expect(fieldsOf(store)).toEqual({ a: "0", b: "2" });
  });

  test("a sweep waits for its turn and counts all it removed", async () => {
    const store = openStore({ busyTimeout: 1 });
    for (let n = 0; n < 500; n += 1) {
      const record = { key: `k${n}`, fields: {}, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + 1, handle: `h${n}` };
      expect(store.create(record, { operation: "o", now: NOW })).toMatchObject({ ok: true });
    }
    const other = connect();
    other.exec("begin immediate");
    const removed = store.sweep(NOW + 1, 450);
    other.exec("commit");
    expect(await removed).toBe(450);
    expect(await store.sweep(NOW + 1, 450)).toBe(50);
  });

  test("close() lets what waits finish first", async () => {
    const store = openStore({ busyTimeout: 1 });
    const other = connect();
    other.exec("begin immediate");
    const answer = store.commit("k", set({ a: "1" }));
    const closed = store.close();
    other.exec("commit");
    expect(await answer).toEqual({ ok: true, version: 2 });
    await closed;
    expect(() => store.load("k", NOW)).toThrow("closed");
  });

  test("an error other than the lock reaches the one verb that caused it", async () => {
    const store = openStore({ busyTimeout: 1 });
    const other = connect();
    other.exec("begin immediate");
    const bad = store.commit("k", set({ a: 1 as unknown as string }));
    const good = store.commit("k", set({ b: "1" }));
    other.exec("commit");
    await expect(bad).rejects.toEqual(storeFailure("see cause"));
    expect(await good).toEqual({ ok: true, version: 2 });
  });
});

// By a limit of pages, which gives SQLITE_FULL. `sqlite.processes.test.ts` has writes that the system itself refuses.
describe("a full disk", () => {
  test("fails the write and nothing else; with space again, writes go on", () => {
    const db = connect();
    db.exec("pragma journal_mode = wal");
    const store = openStore({}, db);
    const { page_count: pages } = db.prepare("select page_count from pragma_page_count").get() as {
      page_count: number;
    };
    db.exec(`pragma max_page_count = ${pages + 2}`);
    const large = set({ b: "1", a: "x".repeat(100_000) });
    expect(() => store.commit("k", large)).toThrow(FastSessionError);
    expect(() => store.commit("k", large)).toThrow(storeFailure("no space"));
    expect(fieldsOf(store)).toEqual({ a: "0" });
    expect(store.commit("k", set({ a: "1" }))).toEqual({ ok: true, version: 2 });

    db.exec("pragma max_page_count = 100000");
    expect(store.commit("k", large)).toEqual({ ok: true, version: 3 });
    expect(integrity(db)).toBe("ok");
  });
});

describe("a connection that may only read", () => {
  test("fails writes with what to do, and loads", () => {
    const db = connect();
    const store = openStore({}, db);
    db.exec("pragma query_only = on");
    expect(() => store.commit("k", set({ a: "1" }))).toThrow(storeFailure("may not be written"));
    expect(fieldsOf(store)).toEqual({ a: "0" });
    db.exec("pragma query_only = off");
    expect(store.commit("k", set({ a: "1" }))).toEqual({ ok: true, version: 2 });
  });
});

describe("a file", () => {
  test("that is no database is refused and left as it is", () => {
    const text = "not a database, but somebody's file\n".repeat(200);
    writeFileSync(path, text);
    const store = new SqliteStore(path);
    expect(() => store.load("k", NOW)).toThrow(storeFailure("no SQLite database"));
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("that is damaged fails the verb, typed", async () => {
    await openStore().close();
    const bytes = readFileSync(path);
    // The first page has the schema; what comes after it is lost.
    writeFileSync(path, bytes.fill(0xff, 4096));
    const store = new SqliteStore(path);
    opened.push(store);
    expect(() => store.load("k", NOW)).toThrow(storeFailure("damaged"));
    expect(() => store.commit("k", set({ a: "1" }))).toThrow(storeFailure("damaged"));
  });
});

function integrity(db: OwnDatabase): string {
  return (db.prepare("pragma integrity_check").get() as { integrity_check: string }).integrity_check;
}
