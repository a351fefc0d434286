import { randomUUID } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newId } from "../../src/core/session-id.ts";
import type { Key, NewSession } from "../../src/core/session-record.ts";
import type { Bind, Change, StoreNotice } from "../../src/core/session-store.ts";
import { SessionRecord } from "../../src/stores/memory-record.ts";
import { shardOf } from "../../src/stores/memory-sharded-map.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { storeContract } from "../../src/testing/store-contract.ts";

const NOW = 1_764_000_000_123;
const HOUR = 3_600_000;

let made = 0;

function session(given: Partial<NewSession> = {}): NewSession {
  made += 1;
  const { key = `key-${made}`, fields = { a: "1" }, createdAt = NOW, lastUsedAt = createdAt } = given;
  return { key, fields, createdAt, lastUsedAt, expiresAt: createdAt + HOUR, handle: `handle-${made}`, ...given };
}

function change(given: Partial<Change>): Change {
  return { operation: "operation", now: NOW, ...given };
}

function boundTo(userId: string): Bind {
  return { userId, metadata: {}, maxAge: null };
}

/** Creates a session that must be admitted. */
function create(store: MemoryStore, given: Partial<NewSession> = {}, bind?: Bind): NewSession {
  const one = session(given);
  const answer = store.create(one, { operation: "operation", now: one.createdAt, bind });
  if (!answer.ok) throw new Error(`the session is ${answer.reason}`);
  return one;
}

function isAlive(store: MemoryStore, key: Key): boolean {
  return store.load(key, NOW)?.kind === "session";
}

describe("MemoryStore keeps the store contract:", () => {
  storeContract({ test, createStore: () => new MemoryStore() });
});

describe("a full MemoryStore", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("lets an expired session go before a live one", () => {
    const store = new MemoryStore({ maxSessions: 3 });
    const old = create(store, { createdAt: NOW - 2 * HOUR });
    const oldLogin = create(store, { createdAt: NOW - 2 * HOUR }, boundTo("ann"));
    const alive = create(store);
    create(store);
    create(store);
    expect([old, oldLogin, alive].map(({ key }) => isAlive(store, key))).toEqual([false, false, true]);
    expect(store.size).toBe(3);
  });

  test("lets the anonymous session unused for longest go, renewals counted", () => {
    const store = new MemoryStore({ maxSessions: 3 });
    const [first, second, third] = [create(store), create(store), create(store)];
    store.renew(first.key, { now: NOW, lastUsedAt: NOW + 2, expiresAt: NOW + 2 * HOUR });
    store.commit(second.key, change({ lastUsedAt: NOW + 1, expiresAt: NOW + HOUR + 1 }));
    create(store, { createdAt: NOW + 3 });
    expect([first, second, third].map(({ key }) => isAlive(store, key))).toEqual([true, true, false]);
    create(store, { createdAt: NOW + 3 });
    expect([first, second].map(({ key }) => isAlive(store, key))).toEqual([true, false]);
  });

  test("never lets a user's session go for a visitor, and refuses what has no room", () => {
    const store = new MemoryStore({ maxSessions: 2 });
    const login = create(store, {}, boundTo("ann"));
    const visitor = create(store);
    const second = create(store, {}, boundTo("bob"));
    expect([login, visitor, second].map(({ key }) => isAlive(store, key))).toEqual([true, false, true]);
    const refused = store.create(session(), { operation: "operation", now: NOW });
    expect(refused).toEqual({ ok: false, reason: "rejected", why: "full" });
    expect(store.commit(login.key, change({ set: { a: "2" } })).ok).toBe(true);
  });

  test("admits a login in the place of the one that its cap ends", () => {
    const store = new MemoryStore({ maxSessions: 1 });
    const first = create(store, {}, boundTo("ann"));
    const bind: Bind = { ...boundTo("ann"), cap: { max: 1, policy: "evict-oldest", tombstoneUntil: NOW + 1 } };
    const second = create(store, {}, bind);
    expect([first, second].map(({ key }) => isAlive(store, key))).toEqual([false, true]);
    expect(store.size).toBe(1);
  });

  test("rotates what it has, also when nothing else may go", () => {
    const store = new MemoryStore({ maxSessions: 1 });
    const { key } = create(store, {}, boundTo("ann"));
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + 1 } as const;
    expect(store.rotate(key, "next", change({}), { leave })).toMatchObject({ ok: true });
    expect(isAlive(store, "next")).toBe(true);
  });

  test("tells its listeners who had to go", () => {
    const store = new MemoryStore({ maxSessions: 1 });
    const heard: StoreNotice[] = [];
    store.watch((notice) => heard.push(notice));
    const { key } = create(store);
    create(store);
    expect(heard).toEqual([{ type: "revoked", keys: [key] }]);
  });

  test("looks at a bounded number of sessions for each new one, whatever a flood does", () => {
    const store = new MemoryStore({ maxSessions: 5_000 });
    const keys: Key[] = [];
    for (let index = 0; index < 2_500; index += 1) {
      keys.push(create(store, { createdAt: NOW + index * 7 }).key);
      create(store, { createdAt: NOW + index * 7 }, boundTo(`user ${index % 10}`));
    }
    for (const key of keys) store.renew(key, { now: NOW, lastUsedAt: NOW + HOUR / 2, expiresAt: NOW + 2 * HOUR });
    const looked = vi.spyOn(SessionRecord.prototype, "expiresAt", "get");
    let most = 0;
    for (let index = 0; index < 5_000; index += 1) {
      looked.mockClear();
      const createdAt = NOW + HOUR / 2 + index * 3;
      store.create(session({ createdAt }), { operation: "operation", now: createdAt });
      most = Math.max(most, looked.mock.calls.length);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(100);
    expect(store.size).toBe(5_000);
    expect(store.listByUser("user 0", { now: NOW, limit: 1_000 }).sessions).toHaveLength(250);
  });

  test("holds no more tombstones than sessions are allowed", () => {
    const store = new MemoryStore({ maxSessions: 10 });
    const ended = Array.from({ length: 50 }, (_, index) => {
      const { key } = create(store);
      store.destroy(key, { now: NOW, tombstoneUntil: NOW + 60_000 + index });
      return key;
    });
    expect(ended.filter((key) => store.load(key, NOW) !== null)).toEqual(ended.slice(-10));
  });
});

describe("maxBytes", () => {
  const large = JSON.stringify("x".repeat(10_000));

  test("bounds what all sessions take together", () => {
    const store = new MemoryStore({ maxBytes: 100_000 });
    const keys = Array.from({ length: 30 }, () => create(store, { fields: { large } }).key);
    const alive = keys.filter((key) => isAlive(store, key));
    expect(alive.length).toBeGreaterThan(7);
    expect(alive.length).toBeLessThan(10);
    expect(alive).toEqual(keys.slice(-alive.length));
  });

  test("counts texts beyond Latin-1 twice", () => {
    const store = new MemoryStore({ maxBytes: 100_000 });
    for (let index = 0; index < 30; index += 1) create(store, { fields: { large: large.replaceAll("x", "寸") } });
    expect(store.size).toBe(4);
  });

  test("makes room for a session that grows, at the cost of others", () => {
    const store = new MemoryStore({ maxBytes: 100_000 });
    const grown = create(store);
    const others = Array.from({ length: 8 }, () => create(store, { fields: { large } }).key);
    store.commit(grown.key, change({ set: { large: large.repeat(5) } }));
    expect(isAlive(store, grown.key)).toBe(true);
    expect(others.filter((key) => isAlive(store, key)).length).toBeLessThan(5);
    store.commit(grown.key, change({ remove: ["large"] }));
    for (let index = 0; index < 9; index += 1) create(store, { fields: { large } });
    expect(store.size).toBe(9);
  });

  test("refuses what cannot fit, and lets nobody go for it", () => {
    const store = new MemoryStore({ maxBytes: 100_000 });
    create(store, { fields: { large: large.repeat(6) } }, boundTo("ann"));
    const visitor = create(store);
    const tooLarge = session({ fields: { large: large.repeat(5) } });
    const refused = { ok: false, reason: "rejected", why: "full" };
    expect(store.create(tooLarge, { operation: "operation", now: NOW })).toEqual(refused);
    expect(isAlive(store, visitor.key)).toBe(true);
  });

  test("is given back when sessions end, move to another key or user, or expire", () => {
    const store = new MemoryStore({ maxBytes: 30_000 });
    for (let round = 0; round < 20; round += 1) {
      const { key } = create(store, { fields: { large } }, round % 2 === 0 ? boundTo("ann") : undefined);
      const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + 1 } as const;
      const bind = round % 3 === 0 ? null : boundTo("bob");
      store.rotate(key, `next-${round}`, change({ set: { b: large } }), { leave, bind });
      if (round % 4 === 0) store.destroy(`next-${round}`, { now: NOW, tombstoneUntil: NOW });
      else store.sweep(NOW + HOUR, 10);
    }
    expect(store.size).toBe(0);
    create(store, { fields: { large, again: large } }, boundTo("ann"));
  });
});

describe("the sweep of a MemoryStore", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("looks at what is due and nothing else", () => {
    const store = new MemoryStore();
    for (let index = 0; index < 10_000; index += 1) create(store, { createdAt: NOW + index });
    for (let index = 0; index < 5; index += 1) create(store, { expiresAt: NOW + 20_000 });
    const looked = vi.spyOn(SessionRecord.prototype, "expiresAt", "get");
    expect(store.sweep(NOW + 60_000, 1_000)).toBe(5);
    expect(looked.mock.calls.length).toBeLessThan(20);
  });

  test("looks at a bounded number of sessions in one call, when all were renewed", () => {
    const store = new MemoryStore();
    const keys = Array.from({ length: 10_000 }, () => create(store).key);
    for (const key of keys) store.renew(key, { now: NOW, lastUsedAt: NOW + 1, expiresAt: NOW + 3 * HOUR });
    const expired = create(store);
    const looked = vi.spyOn(SessionRecord.prototype, "expiresAt", "get");
    const rounds = [];
    while (isAlive(store, expired.key)) {
      looked.mockClear();
      store.sweep(NOW + 2 * HOUR, 100);
      rounds.push(looked.mock.calls.length);
    }
    expect(Math.max(...rounds)).toBeLessThan(5_000);
    expect(store.size).toBe(10_000);
  });

  test("removes a hundred thousand expired sessions in batches, and none of a thousand live ones", () => {
    const store = new MemoryStore();
    for (let index = 0; index < 100_000; index += 1) create(store, { createdAt: NOW - HOUR - (index % 5_000) });
    const alive = Array.from({ length: 1_000 }, (_, index) => create(store, { createdAt: NOW - index }).key);
    const batches = [];
    do batches.push(store.sweep(NOW, 1_000));
    while (batches.at(-1) === 1_000);
    expect(batches).toHaveLength(101);
    expect(store.size).toBe(1_000);
    expect(alive.every((key) => isAlive(store, key))).toBe(true);
  });
});

test("the fields of a session that ended are free at once", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const store = new MemoryStore();
  const { key } = create(store);
  const ended = new WeakRef(loadFields(store, key));
  store.destroy(key, { now: NOW, tombstoneUntil: NOW + HOUR });
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(ended.deref()).toBeUndefined();
});

function loadFields(store: MemoryStore, key: Key): object {
  const found = store.load(key, NOW);
  if (found?.kind !== "session") throw new Error("the session is alive");
  return found.fields;
}

describe("a field", () => {
  test("named __proto__ is a field and nothing else", () => {
    const store = new MemoryStore();
    const fields = JSON.parse('{"__proto__":"1","a":"2"}') as Record<string, string>;
    const { key } = create(store, { fields });
    store.commit(key, change({ remove: ["a"] }));
    const kept = loadFields(store, key);
    expect(Object.entries(kept)).toEqual([["__proto__", "1"]]);
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["1"]).toBeUndefined();
  });

  test("that is no text is a mistake of the caller, and nothing is stored", () => {
    const store = new MemoryStore();
    const wrong = { count: 1 } as unknown as Record<string, string>;
    expect(() => store.create(session({ fields: wrong }), { operation: "operation", now: NOW })).toThrow(TypeError);
    expect(store.size).toBe(0);
    const { key } = create(store);
    expect(() => store.commit(key, change({ clear: true, set: wrong }))).toThrow(TypeError);
    expect(loadFields(store, key)).toEqual({ a: "1" });
  });
});

test("a listener finds the step done and may use the store", () => {
  const store = new MemoryStore();
  const { key } = create(store);
  const seen: unknown[] = [];
  store.watch(() => {
    seen.push(store.load(key, NOW)?.kind);
    create(store, { key: "from the listener" });
  });
  store.destroy(key, { now: NOW, tombstoneUntil: NOW + 1 });
  expect([seen, isAlive(store, "from the listener")]).toEqual([["tombstone"], true]);
});

test("a lock follows its session through a rotation", () => {
  const store = new MemoryStore();
  const { key } = create(store);
  const held = store.lock(key, { now: NOW, lease: 1_000 });
  store.rotate(key, "next", change({}), { leave: { kind: "alias", to: "next", sealedId: "", expiresAt: NOW + HOUR } });
  expect(store.lock("next", { now: NOW, lease: 1_000 })).toBeNull();
  expect(store.lock(key, { now: NOW, lease: 1_000 })).toBeNull();
  held?.release();
  expect(store.lock("next", { now: NOW, lease: 1_000 })).not.toBeNull();
});

test.for([
  ["UUIDs", 12, () => randomUUID()],
  ["ids of the library", 12, () => newId()],
  ["numbered users", Infinity, (index: number) => `user_${1_000_000_000 + index}`],
  ["mail addresses", Infinity, (index: number) => `person.${index}@example.com`],
] as const)("%s spread over the shards of a map", ([, significant, key]) => {
  const shards = new Array<number>(256).fill(0);
  for (let index = 0; index < 25_600; index += 1) {
    const shard = shardOf(key(index), significant);
    shards[shard] = (shards[shard] ?? 0) + 1;
  }
  expect(Math.max(...shards)).toBeLessThan(200);
});

test.for([
  [{ maxSessions: 0 }, /maxSessions/],
  [{ maxSessions: Number.NaN }, /maxSessions/],
  [{ maxBytes: 0 }, /maxBytes/],
  [{ maxBytes: -1 }, /maxBytes/],
] as const)("refuses %j", ([options, name]) => {
  expect(() => new MemoryStore(options)).toThrow(name);
  expect(() => new MemoryStore(options)).toThrow(TypeError);
});
