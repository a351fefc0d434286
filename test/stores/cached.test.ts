import { describe, expect, test } from "vitest";
import type { Key, StoredSession } from "../../src/core/session-record.ts";
import type { SessionStore, StoreNotice } from "../../src/core/session-store.ts";
import { cached, type CachedOptions } from "../../src/stores/cached.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { storeContract } from "../../src/testing/store-contract.ts";
import { counting } from "../support/counting-store.ts";
import { Backend, RemoteStore } from "./broken-remote-stores.ts";

const NOW = 1_764_000_000_123;
const HOUR = 3_600_000;

/** A store of a fleet whose feed a test can cut. */
class Remote extends RemoteStore {
  readonly #listeners = new Set<(notice: StoreNotice) => void>();

  override async watch(listener: (notice: StoreNotice) => void) {
    this.#listeners.add(listener);
    const stop = await super.watch(listener);
    return () => {
      this.#listeners.delete(listener);
      stop();
    };
  }

  tell(notice: StoreNotice) {
    for (const listener of this.#listeners) listener(notice);
  }
}

/** A process: a cache over a store over the shared backend. */
async function open(backend: Backend = new Backend(), options: CachedOptions = {}) {
  const remote = new Remote(backend);
  const { store: counted, calls } = counting(remote);
  const store = cached(counted, options);
  const heard: StoreNotice[] = [];
  await store.watch((notice) => heard.push(notice));
  calls.take();
  return { store, remote, heard, loads: () => calls.take().filter((verb) => verb === "load").length };
}

let operations = 0;
const operation = () => `operation ${(operations += 1)}`;

async function create(store: SessionStore, key: Key = operation(), expiresAt = NOW + HOUR): Promise<Key> {
  const session = { key, fields: { a: "1" }, createdAt: NOW, lastUsedAt: NOW, expiresAt, handle: `handle of ${key}` };
  expect(await store.create(session, { operation: operation(), now: NOW })).toMatchObject({ ok: true });
  return key;
}

const set = (store: SessionStore, key: Key, a: string) =>
  store.commit(key, { operation: operation(), now: NOW, set: { a } });

async function valueOf(store: SessionStore, key: Key, now = NOW): Promise<string | undefined> {
  const found = await store.load(key, now);
  return found?.kind === "session" ? found.fields["a"] : found?.kind;
}

/** News are under way for some turns. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !condition(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

describe("a cached store keeps the store contract:", () => {
  storeContract({
    test,
    createStore: () => cached(new RemoteStore()),
    parallelStores: () => {
      const backend = new Backend();
      const stores = [cached(new RemoteStore(backend)), cached(new RemoteStore(backend))] as const;
      return { stores, close: () => Promise.all(stores.map((store) => store.close())) };
    },
  });
});

describe("a cached store", () => {
  test("reads an unchanged session once, and answers it without a promise afterwards", async () => {
    const { store, loads } = await open();
    const key = await create(store);
    expect(await valueOf(store, key)).toBe("1");
    for (let round = 0; round < 9; round += 1)
      expect((store.load(key, NOW) as StoredSession).fields).toEqual({ a: "1" });
    expect(loads()).toBe(1);
  });

  test("keeps nothing that is no session", async () => {
    const { store, loads } = await open();
    const key = await create(store);
    await store.destroy(key, { now: NOW, tombstoneUntil: NOW + HOUR });
    expect([await valueOf(store, key), await valueOf(store, key), await valueOf(store, "nobody")]).toEqual([
      "tombstone",
      "tombstone",
      undefined,
    ]);
    expect(loads()).toBe(3);
  });

  test("sees its own process's writes at once", async () => {
    const { store } = await open();
    const key = await create(store);
    expect(await valueOf(store, key)).toBe("1");
    await set(store, key, "2");
    expect(await valueOf(store, key)).toBe("2");
    await store.renew(key, { now: NOW, lastUsedAt: NOW + 7, expiresAt: NOW + 2 * HOUR });
    expect(await store.load(key, NOW)).toMatchObject({ lastUsedAt: NOW + 7, expiresAt: NOW + 2 * HOUR });
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + HOUR } as const;
    await store.rotate(key, "moved", { operation: operation(), now: NOW }, { leave });
    expect([await valueOf(store, key), await valueOf(store, "moved")]).toEqual(["tombstone", "2"]);
    await store.destroy("moved", { now: NOW, tombstoneUntil: NOW + HOUR });
    expect(await valueOf(store, "moved")).toBe("tombstone");
  });

  test("serves none of its own revocations and evictions", async () => {
    const { store } = await open();
    const bind = { userId: "ann", metadata: {}, maxAge: null };
    const keys = ["k0", "k1", "k2"] as const;
    for (const key of keys) {
      const session = { key, fields: { a: "1" }, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR, handle: key };
      const cap = { max: 2, policy: "evict-oldest", tombstoneUntil: NOW + HOUR } as const;
      await store.create(session, { operation: operation(), now: NOW, bind: { ...bind, cap } });
      await valueOf(store, key);
    }
    const states = async () => Promise.all(keys.map((key) => valueOf(store, key)));
    expect(await states()).toEqual(["tombstone", "1", "1"]);
    await store.revokeHandle?.("k1", { now: NOW, tombstoneUntil: NOW + HOUR });
    expect(await states()).toEqual(["tombstone", "tombstone", "1"]);
    await store.revokeUser?.("ann", { now: NOW, tombstoneUntil: NOW + HOUR });
    expect(await states()).toEqual(["tombstone", "tombstone", "tombstone"]);
  });

  test.for(["changed", "revoked", "rotated"] as const)("reads again what another process %s", async (what) => {
    const backend = new Backend();
    const [here, there] = [await open(backend), await open(backend)];
    const key = await create(there.store);
    expect(await valueOf(here.store, key)).toBe("1");
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + HOUR } as const;
    if (what === "changed") await set(there.store, key, "2");
    if (what === "revoked") await there.store.destroy(key, { now: NOW, tombstoneUntil: NOW + HOUR });
    if (what === "rotated") await there.store.rotate(key, operation(), { operation: operation(), now: NOW }, { leave });
    await until(() => here.heard.length > 0);
    expect(here.heard).toEqual([{ type: what, keys: [key] }]);
    expect(await valueOf(here.store, key)).toBe(what === "changed" ? "2" : "tombstone");
  });

  test("keeps no load that was under way when the news came", async () => {
    const { store, remote, loads } = await open();
    const key = await create(store);
    const reading = store.load(key, NOW);
    remote.tell({ type: "changed", keys: [key] });
    await reading;
    loads();
    await valueOf(store, key);
    expect(loads()).toBe(1);
  });

  test("keeps no load that a write of its own overtook", async () => {
    const gates: (() => void)[] = [];
    let held = false;
    const remote = new (class extends Remote {
      override async load(key: Key, now: number) {
        const found = await super.load(key, now);
        if (held) await new Promise<void>((resolve) => gates.push(resolve));
        return found;
      }
    })();
    const store = cached(remote);
    await store.watch(() => undefined);
    const key = await create(store);
    held = true;
    const late = valueOf(store, key);
    await until(() => gates.length > 0);
    held = false;
    await set(store, key, "2");
    gates[0]?.();
    expect(await late).toBe("1");
    expect(await valueOf(store, key)).toBe("2");
  });

  test("keeps nothing while the feed is lost, and begins anew when it is restored", async () => {
    const backend = new Backend();
    const [here, there] = [await open(backend), await open(backend)];
    const key = await create(there.store);
    await valueOf(here.store, key);
    here.loads();
    here.remote.tell({ type: "lost" });
    for (let round = 0; round < 3; round += 1) await valueOf(here.store, key);
    expect(here.loads()).toBe(3);
    here.remote.tell({ type: "restored" });
    for (let round = 0; round < 3; round += 1) await valueOf(here.store, key);
    expect(here.loads()).toBe(1);
    expect(here.heard).toEqual([{ type: "lost" }, { type: "restored" }]);
  });

  test("keeps no load that began before the feed was lost", async () => {
    const { store, remote, loads } = await open();
    const key = await create(store);
    const reading = store.load(key, NOW);
    remote.tell({ type: "lost" });
    remote.tell({ type: "restored" });
    await reading;
    loads();
    await valueOf(store, key);
    expect(loads()).toBe(1);
  });

  test("serves nothing older than maxStale, whatever the feed says", async () => {
    const backend = new Backend();
    const { store, loads } = await open(backend, { maxStale: 3 });
    const key = await create(store);
    await valueOf(store, key);
    // Past the store, so that nobody is told.
    backend.memory.commit(key, { operation: operation(), now: NOW, set: { a: "2" } });
    expect(await valueOf(store, key, NOW + 2_999)).toBe("1");
    expect(loads()).toBe(1);
    expect(await valueOf(store, key, NOW + 3_000)).toBe("2");
    expect(loads()).toBe(1);
    expect(await valueOf(store, key, NOW + 2_999)).toBe("2");
    expect(loads()).toBe(1);
  });

  test("asks the store before it lets a session end: another process can have renewed it", async () => {
    const backend = new Backend();
    const { store } = await open(backend, { maxStale: 3_600 });
    const key = await create(store, operation(), NOW + 1_000);
    await valueOf(store, key);
    backend.memory.renew(key, { now: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR });
    expect(await store.load(key, NOW + 1_000)).toMatchObject({ kind: "session", expiresAt: NOW + HOUR });
  });

  test("reads at the store what the holder of a lock reads", async () => {
    const backend = new Backend();
    const store = cached(
      new (class extends Remote {
        override readonly capabilities = { ...new RemoteStore().capabilities, lock: true };
        async lock(key: Key, options: { now: number; lease: number }) {
          return this.memory.lock(key, options);
        }
      })(backend),
    );
    await store.watch(() => undefined);
    const key = await create(store);
    await valueOf(store, key);
    backend.memory.commit(key, { operation: operation(), now: NOW, set: { a: "2" } });
    const held = await store.lock?.(key, { now: NOW, lease: 1_000 });
    expect(await valueOf(store, key)).toBe("2");
    await held?.release();
  });

  test("keeps at most maxEntries, the ones used last", async () => {
    const { store, loads } = await open(new Backend(), { maxEntries: 2 });
    for (const key of ["a", "b", "c"]) await create(store, key);
    for (const key of ["a", "b", "a", "c"]) await valueOf(store, key);
    expect(loads()).toBe(3);
    await valueOf(store, "a");
    expect(loads()).toBe(0);
    await valueOf(store, "b");
    expect(loads()).toBe(1);
  });

  test("goes to the store until it listens, and tries again to", async () => {
    let failures = 1;
    const remote = new (class extends Remote {
      override async watch(listener: (notice: StoreNotice) => void) {
        if ((failures -= 1) >= 0) throw new Error("no connection for the feed");
        return super.watch(listener);
      }
    })();
    const { store: counted, calls } = counting(remote);
    const store = cached(counted);
    const key = await create(store);
    for (const second of [0, 0.5]) expect(await valueOf(store, key, NOW + second * 1000)).toBe("1");
    expect(calls.take()).toEqual(["create", "watch", "load", "load"]);
    await valueOf(store, key, NOW + 1_000);
    await until(() => !(store.load(key, NOW + 1_500) instanceof Promise));
    failures = 1;
  });

  test("hears nothing more and keeps nothing once it is closed", async () => {
    const { store, remote, heard, loads } = await open();
    const key = await create(store);
    await valueOf(store, key);
    await store.close();
    loads();
    await valueOf(store, key);
    await valueOf(store, key);
    expect(loads()).toBe(2);
    heard.length = 0;
    remote.tell({ type: "changed", keys: [key] });
    expect(heard).toEqual([]);
  });

  test("has the verbs that its store has, and owns up to late reads", () => {
    const bare = new (class extends Remote {
      override readonly capabilities = { ...new RemoteStore().capabilities, userIndex: false };
      override listByUser = undefined as never;
      override generation = undefined as never;
      override revokeUser = undefined as never;
      override revokeHandle = undefined as never;
      override sweep = undefined as never;
    })();
    const store = cached(bare);
    expect(Object.keys(store)).toEqual(["capabilities"]);
    expect(store.capabilities).toMatchObject({
      local: false,
      feed: "fleet",
      userIndex: false,
      consistency: "eventual",
    });
  });

  test("refuses at start a store that does not tell enough, and limits out of range", () => {
    expect(() => cached(new MemoryStore())).toThrow(/announceChanges: true/);
    const silent = new RemoteStore();
    Object.assign(silent, { capabilities: { ...silent.capabilities, announcesChanges: false } });
    expect(() => cached(silent)).toThrow(TypeError);
    for (const maxEntries of [0, 1.5, Number.NaN])
      expect(() => cached(new RemoteStore(), { maxEntries })).toThrow(/maxEntries/);
    for (const maxStale of [0, -1, 3601, Number.NaN])
      expect(() => cached(new RemoteStore(), { maxStale })).toThrow(/maxStale/);
  });
});
