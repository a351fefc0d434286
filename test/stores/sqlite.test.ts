import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewSession, StoredSession } from "../../src/core/session-record.ts";
import type { Awaitable } from "../../src/core/units.ts";
import { openFile, type OwnDatabase } from "../../src/stores/sqlite-driver.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";

const NOW = Date.UTC(2030, 0, 1);
const HOUR = 3_600_000;

let folder = "";
let path = "";
const opened: { close(): unknown }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fastsession-"));
  path = join(folder, "sessions.sqlite");
});
afterEach(() => {
  for (const connection of opened.splice(0)) connection.close();
  rmSync(folder, { recursive: true });
});

function openStore(source: ConstructorParameters<typeof SqliteStore>[0] = path): SqliteStore {
  const store = new SqliteStore(source);
  opened.push(store);
  return store;
}

/** A connection of somebody else to the same file. */
function connect(): OwnDatabase {
  const connection = openFile(path);
  opened.push(connection);
  return connection;
}

function record(key: string, fields: Record<string, string> = {}, expiresAt = NOW + HOUR): NewSession {
  return { key, fields, createdAt: NOW, lastUsedAt: NOW, expiresAt, handle: `handle of ${key}` };
}

/** The answer of a verb of a local store: none of these tests holds the file's lock. */
function sync<T>(answer: Awaitable<T>): T {
  if (answer instanceof Promise) throw new Error("the verb answered a promise");
  return answer;
}

function create(store: SqliteStore, ...of: Parameters<typeof record>): void {
  expect(store.create(record(...of), { operation: "create", now: NOW })).toMatchObject({ ok: true });
}

function load(store: SqliteStore, key: string): StoredSession {
  const found = store.load(key, NOW);
  if (found?.kind !== "session") throw new Error(`${key} is ${found?.kind ?? "absent"}`);
  return found;
}

function rowsOf(db: OwnDatabase, sql: string): Record<string, unknown>[] {
  return (db.prepare(sql).all() as Record<string, unknown>[]).map(({ _metadata, ...row }) => row);
}

describe("the file", () => {
  test("is made at the first use and not before", () => {
    const store = openStore();
    expect(existsSync(path)).toBe(false);
    expect(store.load("k", NOW)).toBeNull();
    expect(existsSync(path)).toBe(true);
  });

  test("is made by open(), which fails with what to do where it cannot be", () => {
    openStore().open();
    expect(existsSync(path)).toBe(true);
    expect(() => openStore(join(folder, "nowhere", "sessions.sqlite")).open()).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_STORE", message: expect.stringContaining("folder must exist") }),
    );
  });

  test("keeps everything over a restart", async () => {
    const first = openStore();
    const bind = { userId: "ann", metadata: { device: "phone" }, maxAge: 60 };
    sync(first.create(record("k", { a: "1" }), { operation: "o", now: NOW, bind }));
    const before = load(first, "k");
    await first.close();

    const second = openStore();
    expect(second.load("k", NOW)).toEqual(before);
    expect(before.binding).toEqual({ ...bind, boundAt: NOW, generation: 0 });
  });

  test("holds all data by itself after close(), without its log", async () => {
    const store = openStore();
    create(store, "k", { a: "1" });
    await store.close();
    const log = `${path}-wal`;
    expect(existsSync(log) ? statSync(log).size : 0).toBe(0);
  });

  test("is closed once, and then every verb throws", async () => {
    const store = openStore();
    store.open();
    await store.close();
    await store.close();
    expect(() => store.load("k", NOW)).toThrow(expect.objectContaining({ code: "ERR_SESSION_STORE" }));
    expect(() => store.destroy("k", { now: NOW, tombstoneUntil: NOW })).toThrow("closed");
  });

  test("is shared by two stores, each of which sees what the other wrote last", () => {
    const one = openStore();
    const other = openStore();
    create(one, "k", { a: "1", b: "1" });
    expect(other.commit("k", { operation: "o1", now: NOW, set: { a: "2" } })).toEqual({ ok: true, version: 2 });
    expect(one.commit("k", { operation: "o2", now: NOW, expect: { a: "1", b: "1" }, set: { a: "3" } })).toEqual({
      ok: false,
      reason: "conflict",
      current: { a: "2" },
    });
    expect(one.destroy("k", { now: NOW, tombstoneUntil: NOW + 1 })).toBe(true);
    expect(other.commit("k", { operation: "o3", now: NOW, set: { a: "4" } })).toEqual({ ok: false, reason: "gone" });
  });

  test("of a later version is refused and left as it is", () => {
    openStore().open();
    connect().exec("update fastsession_schema set version = 2; pragma wal_checkpoint(truncate)");
    const before = readFileSync(path);
    expect(() => openStore().open()).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_STORE", message: expect.stringContaining("update fastsession") }),
    );
    expect(readFileSync(path)).toEqual(before);
  });
});

describe("a local store", () => {
  test("answers every verb without a promise", () => {
    const store = openStore();
    create(store, "k");
    const at = { now: NOW, tombstoneUntil: NOW };
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + 1 } as const;
    const answers = [
      store.load("k", NOW),
      store.commit("k", { operation: "o", now: NOW }),
      store.renew("k", { now: NOW, lastUsedAt: NOW, expiresAt: NOW }),
      store.rotate("k", "k2", { operation: "o", now: NOW }, { leave }),
      store.destroy("k2", at),
      store.listByUser("ann", { now: NOW, limit: 10 }),
      store.revokeHandle("nobody", at),
      store.revokeUser("ann", at),
      store.generation("ann"),
      store.sweep(NOW, 10),
      store.ping(),
    ];
    expect(answers.filter((answer) => answer instanceof Promise)).toEqual([]);
  });

  test("tells of what ended when it has ended, by the key of the record behind an alias, and of nothing refused", () => {
    const store = openStore();
    const heard: unknown[] = [];
    store.watch(({ type, ...rest }) => heard.push(type, rest, store.load("moved", NOW)?.kind));
    create(store, "first");
    const leave = { kind: "alias", to: "moved", sealedId: "", expiresAt: NOW + HOUR } as const;
    sync(store.rotate("first", "moved", { operation: "rotate", now: NOW }, { leave }));
    sync(store.destroy("nobody", { now: NOW, tombstoneUntil: NOW + HOUR }));
    sync(store.destroy("first", { now: NOW, tombstoneUntil: NOW + HOUR }));
    expect(heard).toEqual(["rotated", { keys: ["first"] }, "session", "revoked", { keys: ["moved"] }, "tombstone"]);
  });

  test("says that it is durable, but in memory", () => {
    expect(new SqliteStore(path).capabilities).toMatchObject({
      local: true,
      keys: "hash",
      feed: "process",
      durable: true,
    });
    expect(new SqliteStore(":memory:").capabilities.durable).toBe(false);
  });

  test.for([
    [undefined, {}, "path"],
    ["", {}, "path"],
    [{}, {}, "path"],
    ["a", { durability: "off" }, "durability"],
    ["a", { busyTimeout: -1 }, "busyTimeout"],
    ["a", { busyDeadline: 0.5 }, "busyDeadline"],
  ] as const)("refuses %j with %j at once", ([source, options, named]) => {
    const construct = (): unknown => new SqliteStore(source as never, options as never);
    expect(construct).toThrow(TypeError);
    expect(construct).toThrow(named);
  });
});

describe("a field", () => {
  const hostile = [
    "",
    "\0",
    "a\0b",
    "\x1e",
    "\x1f",
    "a\x1fb\x1ec",
    "\ud800",
    "a\udc00b",
    "🙂é",
    "__proto__",
    "toString",
  ];

  test.for(hostile)("with the name %j is read, expected, replaced and removed by it", (name) => {
    const store = openStore(":memory:");
    create(store, "k", { [name]: "1", other: "x" });
    expect(load(store, "k").fields).toEqual({ [name]: "1", other: "x" });
    expect(store.commit("k", { operation: "o", now: NOW, expect: { [name]: null } })).toEqual({
      ok: false,
      reason: "conflict",
      current: { [name]: "1" },
    });
    sync(store.commit("k", { operation: "o", now: NOW, expect: { [name]: "1" }, set: { [name]: "2" } }));
    expect(load(store, "k").fields).toEqual({ [name]: "2", other: "x" });
    sync(store.commit("k", { operation: "o", now: NOW, remove: [name] }));
    expect(load(store, "k").fields).toEqual({ other: "x" });
  });

  test.for([...hostile, "{broken", '{"a": 1.0}'])("with the text %j keeps it", (text) => {
    const store = openStore(":memory:");
    create(store, "k", { a: text });
    expect(load(store, "k").fields).toEqual({ a: text });
    expect(store.commit("k", { operation: "o", now: NOW, expect: { a: text } })).toMatchObject({ ok: true });
  });

  test("with a text of four megabytes keeps it", () => {
    const store = openStore(":memory:");
    const text = "0123456789abcde é".repeat(240_000);
    create(store, "k", { a: text, b: "1" });
    const { fields } = load(store, "k");
    expect(fields["a"] === text).toBe(true);
    expect(fields["b"]).toBe("1");
  });

  test("damaged by somebody else comes as it stands", () => {
    const store = openStore();
    create(store, "k", { a: '{"b":1}', c: "1" });
    connect().exec(`update fastsession_fields set text = '{"b' where name = 'a'`);
    expect(load(store, "k").fields).toEqual({ a: '{"b', c: "1" });
  });

  test("that is no text is refused, and nothing of the call happens", () => {
    const store = openStore();
    create(store, "k", { a: "1" });
    const change = { operation: "o", now: NOW, set: { a: "2", b: 3 as unknown as string } };
    expect(() => store.commit("k", change)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ name: "TypeError" }) }),
    );
    expect(load(store, "k")).toMatchObject({ version: 1, fields: { a: "1" } });
  });

  test("beside a large one costs a few pages to change, and not the large one", () => {
    const store = openStore();
    create(store, "k", { large: "x".repeat(400_000), counter: "1" });
    const log = `${path}-wal`;
    connect().exec("pragma wal_checkpoint(truncate)");
    sync(store.commit("k", { operation: "o", now: NOW, expect: { counter: "1" }, set: { counter: "2" } }));
    expect(statSync(log).size).toBeLessThan(40_000);
  });
});

describe("what has ended", () => {
  test("leaves no data behind: no field, user, handle or metadata", () => {
    const store = openStore();
    const bind = { userId: "ann", metadata: { device: "phone" }, maxAge: null };
    for (const key of ["destroyed", "revoked", "evicted"]) {
      sync(store.create(record(key, { a: "1" }), { operation: key, now: NOW, bind: { ...bind, userId: key } }));
    }
    sync(store.destroy("destroyed", { now: NOW, tombstoneUntil: NOW + HOUR }));
    sync(store.revokeUser("revoked", { now: NOW, tombstoneUntil: NOW + HOUR }));
    const cap = { max: 1, policy: "evict-oldest", tombstoneUntil: NOW + HOUR } as const;
    sync(store.create(record("new"), { operation: "o", now: NOW, bind: { ...bind, userId: "evicted", cap } }));
    const db = connect();
    expect(rowsOf(db, "select * from fastsession_fields")).toEqual([]);
    const rest = "select count(*) as n from fastsession_sessions where coalesce(handle, user_id, metadata) is not null";
    expect(rowsOf(db, `${rest} and key <> 'new'`)).toEqual([{ n: 0 }]);
  });

  test("by a row deleted in a shell takes its fields along", () => {
    const store = openStore();
    create(store, "k", { secret: "1" });
    connect().exec("pragma foreign_keys = off; delete from fastsession_sessions where key = 'k'");
    create(store, "next");
    expect(load(store, "next").fields).toEqual({});
  });

  test("by a generation raised in a shell is gone for every verb", () => {
    const store = openStore();
    const bind = { userId: "ann", metadata: {}, maxAge: null };
    sync(store.create(record("k", { a: "1" }), { operation: "o", now: NOW, bind }));
    connect().exec("insert into fastsession_users values ('ann', 1)");
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + 1 } as const;
    const at = { now: NOW, tombstoneUntil: NOW + 1 };
    expect(store.load("k", NOW)).toMatchObject({ kind: "tombstone", reason: "revoked" });
    expect(store.commit("k", { operation: "o", now: NOW })).toMatchObject({ reason: "gone" });
    expect(store.renew("k", { now: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR })).toBe(false);
    expect(store.rotate("k", "k2", { operation: "o", now: NOW }, { leave })).toMatchObject({ reason: "gone" });
    expect(store.listByUser("ann", { now: NOW, limit: 9 }).sessions).toEqual([]);
    expect(store.revokeHandle("handle of k", at)).toBeNull();
    expect(store.destroy("k", at)).toBe(false);
  });

  test("is swept in any number, up to the limit", () => {
    const store = openStore();
    for (let n = 0; n < 450; n += 1) create(store, `k${n}`, { a: "1" }, NOW + 1);
    create(store, "alive");
    expect(store.sweep(NOW, 1000)).toBe(0);
    expect(store.sweep(NOW + 1, 250)).toBe(250);
    expect(store.sweep(NOW + 1, 1000)).toBe(200);
    expect(rowsOf(connect(), "select count(*) as n from fastsession_fields")).toEqual([{ n: 0 }]);
    expect(load(store, "alive").expiresAt).toBe(NOW + HOUR);
  });

  test("a sweep writes its log back as it goes, not in one long pause", () => {
    const store = openStore();
    for (let n = 0; n < 5000; n += 1) create(store, `k${n}`, { a: "x".repeat(500) }, NOW + 1);
    connect().exec("pragma wal_checkpoint(truncate)");
    while (store.sweep(NOW + 1, 50) === 50);
    expect(store.load("k0", NOW)).toBeNull();
    // SQLite itself would let it grow to a thousand pages, 4 MB, and then write them all.
    expect(statSync(`${path}-wal`).size).toBeLessThan(1_000_000);
  });

  test("a rotation moves no field", () => {
    const store = openStore();
    create(store, "k", { large: "x".repeat(400_000) });
    connect().exec("pragma wal_checkpoint(truncate)");
    const leave = { kind: "alias", to: "k2", sealedId: "sealed", expiresAt: NOW + 1 } as const;
    sync(store.rotate("k", "k2", { operation: "o", now: NOW, set: { a: "1" } }, { leave }));
    expect(statSync(`${path}-wal`).size).toBeLessThan(60_000);
    expect(Object.keys(load(store, "k2").fields).sort()).toEqual(["a", "large"]);
  });
});

describe("a connection of the user's own", () => {
  test("works, is set up by its owner, and stays open after close()", async () => {
    const db = connect();
    db.exec("pragma journal_mode = wal; pragma busy_timeout = 77; pragma synchronous = extra");
    const store = openStore(db);
    create(store, "k", { a: "1" });
    expect(load(store, "k").fields).toEqual({ a: "1" });
    await store.close();
    expect(rowsOf(db, "select timeout from pragma_busy_timeout")).toEqual([{ timeout: 77 }]);
    expect(rowsOf(db, "select synchronous from pragma_synchronous")).toEqual([{ synchronous: 3 }]);
  });

  test("takes the options that are given", () => {
    const db = connect();
    new SqliteStore(db, { durability: "full", busyTimeout: 5 }).open();
    expect(rowsOf(db, "select timeout from pragma_busy_timeout")).toEqual([{ timeout: 5 }]);
    expect(rowsOf(db, "select synchronous from pragma_synchronous")).toEqual([{ synchronous: 2 }]);
  });

  test("with a transaction open is refused, and that transaction goes on", () => {
    const db = connect();
    const store = openStore(db);
    store.open();
    db.exec("create table mine (n); begin; insert into mine values (1)");
    expect(() => store.renew("k", { now: NOW, lastUsedAt: NOW, expiresAt: NOW })).toThrow("SQLite failed");
    db.exec("commit");
    expect(rowsOf(db, "select n from mine")).toEqual([{ n: 1 }]);
  });

  test("may give its rows as objects alone", () => {
    const db = connect();
    const plain = {
      exec: (sql: string): unknown => db.exec(sql),
      prepare: (sql: string) => {
        const statement = db.prepare(sql);
        return {
          run: (...values: never[]) => statement.run(...values),
          get: (...values: never[]) => statement.get(...values),
          all: (...values: never[]) => statement.all(...values),
        };
      },
    };
    const store = openStore(plain);
    create(store, "k", { a: "1" });
    sync(store.commit("k", { operation: "o", now: NOW, expect: { a: "1" }, set: { b: "2" } }));
    expect(load(store, "k")).toMatchObject({ version: 2, fields: { a: "1", b: "2" } });
  });
});

test("people query the data as JSON", () => {
  const store = openStore();
  const bind = { userId: "ann", metadata: {}, maxAge: null };
  const fields = { cart: '{"items": [1, 2]}', odd: "no json" };
  sync(store.create(record("k", fields), { operation: "o", now: NOW, bind }));
  expect(
    rowsOf(connect(), "select user_id, name, value ->> '$.items[1]' as item from fastsession_data order by name"),
  ).toEqual([
    { user_id: "ann", name: "cart", item: 2 },
    { user_id: "ann", name: "odd", item: null },
  ]);
});
