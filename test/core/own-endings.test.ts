/** Which ends of a notice are this process's own. */
import { describe, expect, it } from "vitest";
import { OwnEndings } from "../../src/core/own-endings.ts";
import { newId } from "../../src/core/session-id.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";

const NOW = 1_764_000_000_000;
const at = { now: NOW, tombstoneUntil: NOW + 60_000 };
/** Much longer than a test may take. */
const PATIENCE = 600_000;

function start(inner: SessionStore = new MemoryStore(), moves = false) {
  const own = new OwnEndings(moves);
  own.active = true;
  return { own, store: own.noting(inner) };
}

async function begin(store: SessionStore, userId?: string, max?: number): Promise<string> {
  const key = newId();
  const record = { key, fields: {}, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + 1e6, handle: newId() };
  const cap = max === undefined ? undefined : { max, policy: "evict-oldest" as const, tombstoneUntil: NOW + 60_000 };
  const bind = userId === undefined ? undefined : { userId, metadata: {}, maxAge: null, since: undefined, cap };
  await store.create(record, { operation: newId(), now: NOW, bind });
  return key;
}

for (const local of [true, false]) {
  describe(`on a ${local ? "local" : "remote"} store`, () => {
    const make = () => {
      const hostile = new HostileStore(new MemoryStore(), { local });
      return { ...start(hostile), hostile };
    };

    it("an end by a call of this process is its own, once", async () => {
      const { own, store } = make();
      const key = await begin(store);
      expect(await store.destroy(key, at)).toBe(true);
      expect(await own.countOthers([key], PATIENCE)).toBe(0);
      expect(await own.countOthers([key], PATIENCE)).toBe(1);
    });

    it("costs no call of its own, and nothing is kept before anybody wants to know", async () => {
      const hostile = new HostileStore(new MemoryStore(), { local });
      const own = new OwnEndings(false);
      const store = own.noting(hostile);
      const keys = [await begin(store), await begin(store, "ann")];
      hostile.takeCalls();
      await store.destroy(keys[0] as string, at);
      await store.revokeUser?.("ann", at);
      expect(hostile.takeCalls()).toEqual(["destroy", "revokeUser"]);
      own.active = true;
      expect(await own.countOthers(keys, PATIENCE)).toBe(2);
      await store.destroy(await begin(store), at);
      expect(hostile.takeCalls()).toEqual(["create", "destroy"]);
    });

    it("an end that another process was first with is another's", async () => {
      const { own, store } = make();
      const key = newId();
      expect(await store.destroy(key, at)).toBe(false);
      expect(await own.countOthers([key], PATIENCE)).toBe(1);
    });

    it("a user's sessions that this process ended are its own, and so are those that a login evicted", async () => {
      const { own, store } = make();
      const keys = [await begin(store, "ann"), await begin(store, "ann")];
      const last = await begin(store, "ann", 1);
      expect(await own.countOthers([...keys, newId()], PATIENCE)).toBe(1);
      const other = newId();
      await store.rotate(
        await begin(store),
        other,
        { operation: newId(), now: NOW, lastUsedAt: NOW, expiresAt: NOW + 1e6 },
        {
          leave: { kind: "tombstone", reason: "rotated", expiresAt: NOW + 60_000 },
          bind: {
            userId: "ann",
            metadata: {},
            maxAge: null,
            since: undefined,
            cap: { max: 1, policy: "evict-oldest", tombstoneUntil: NOW + 60_000 },
          },
        },
      );
      expect(await own.countOthers([last], PATIENCE)).toBe(0);
      await store.revokeUser?.("ann", at);
      expect(await own.countOthers([other], PATIENCE)).toBe(0);
    });

    it("a session that this process ended by its handle is its own", async () => {
      const { own, store } = make();
      const key = await begin(store, "ann");
      const { handle } = (await store.load(key, NOW)) as { handle: string };
      expect(await store.revokeHandle?.(handle, at)).toBe(key);
      expect(await store.revokeHandle?.(handle, at)).toBeNull();
      expect(await own.countOthers([key], PATIENCE)).toBe(0);
    });
  });
}

it("a notice that overtakes the answer waits for it, and no longer", async () => {
  const hostile = new HostileStore(new MemoryStore(), { local: false });
  const { own, store } = start(hostile);
  const key = await begin(store, "ann");
  const held = hostile.hold("revokeUser");
  const revoking = store.revokeUser?.("ann", at);
  const counting = own.countOthers([key], PATIENCE);
  held.release();
  await revoking;
  expect(await counting).toBe(0);
});

it("a call that fails is nobody's end, and is waited for no more", async () => {
  const hostile = new HostileStore(new MemoryStore(), { local: false });
  const { own, store } = start(hostile);
  const key = await begin(store, "ann");
  hostile.fail("revokeUser");
  await expect(Promise.resolve(store.revokeUser?.("ann", at))).rejects.toThrow("connection refused");
  expect(await own.countOthers([key], PATIENCE)).toBe(1);
});

it("a verb that the store does not have stays away", () => {
  const inner = new MemoryStore() as SessionStore;
  for (const verb of ["revokeHandle", "revokeUser", "lock", "watch"] as const) {
    Object.defineProperty(inner, verb, { value: undefined });
  }
  const { store } = start(inner);
  expect([store.revokeHandle, store.revokeUser, store.lock, store.watch]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(store.listByUser).toBeTypeOf("function");
});

it("of ends whose notice was lost the last 10,000 are kept", async () => {
  const inner = Object.assign(new MemoryStore(), { destroy: () => true });
  const { own, store } = start(inner);
  const keys = Array.from({ length: 10_001 }, (_, index) => `key-${index}`);
  for (const key of keys.slice(0, 10_000)) await store.destroy(key, at);
  expect(await own.countOthers([keys[0] as string], PATIENCE)).toBe(0);
  await store.destroy(keys[0] as string, at);
  await store.destroy(keys[10_000] as string, at);
  expect(await own.countOthers([keys[1] as string], PATIENCE)).toBe(1);
  expect(await own.countOthers([keys[2] as string, keys[0] as string, keys[10_000] as string], PATIENCE)).toBe(0);
});

it("where ids change in use, an end through an alias is known by the key behind it", async () => {
  const hostile = new HostileStore(new MemoryStore(), { local: false });
  const { own, store } = start(hostile, true);
  const [oldKey, newKey] = [await begin(store), newId()];
  await store.rotate(
    oldKey,
    newKey,
    { operation: newId(), now: NOW, lastUsedAt: NOW, expiresAt: NOW + 1e6 },
    { leave: { kind: "alias", to: newKey, sealedId: "sealed", expiresAt: NOW + 60_000 }, bind: undefined },
  );
  expect(await store.destroy(oldKey, at)).toBe(true);
  expect(await own.countOthers([newKey], PATIENCE)).toBe(0);
});
