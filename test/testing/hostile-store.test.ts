import { expect, test } from "vitest";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/index.ts";

test("is as local as the store it stands before, and counts calls", () => {
  const store = new HostileStore(new MemoryStore());
  expect(store.capabilities).toEqual(new MemoryStore().capabilities);
  expect(store.load("key", 0)).toBeNull();
  expect([store.takeCalls(), store.takeCalls()]).toEqual([["load"], []]);
});

test("answers promises when it is not local, also where a verb fails", async () => {
  const store = new HostileStore(new MemoryStore(), { local: false });
  expect(store.capabilities.local).toBe(false);
  await expect(store.load("key", 0)).resolves.toBeNull();
  store.fail("load", new Error("down"));
  await expect(store.load("key", 0)).rejects.toThrow("down");
  store.heal();
  await expect(store.load("key", 0)).resolves.toBeNull();
});

test("throws at once when it is local and a verb fails", () => {
  const store = new HostileStore(new MemoryStore());
  store.fail("load", new Error("down"));
  expect(() => store.load("key", 0)).toThrow("down");
});

test("holds a verb before it does anything, until it is released", async () => {
  const inner = new MemoryStore();
  const store = new HostileStore(inner, { local: false });
  const held = store.hold("create");
  const record = { key: "key", fields: {}, createdAt: 0, lastUsedAt: 0, expiresAt: 1000, handle: "handle" };
  const created = store.create(record, { operation: "operation", now: 0 });
  await held.arrived;
  expect(inner.size).toBe(0);
  held.release();
  await expect(created).resolves.toMatchObject({ ok: true });
  expect(inner.size).toBe(1);
});

test("answers something else where it is told to", () => {
  const store = new HostileStore(new MemoryStore());
  store.alter("load", () => "nonsense");
  expect(store.load("key", 0)).toBe("nonsense");
});

test("has only the verbs of the store it stands before", () => {
  const bare = { capabilities: new MemoryStore().capabilities, load: () => null } as unknown as SessionStore;
  const store: SessionStore = new HostileStore(bare);
  expect(["load", "sweep", "lock"].filter((verb) => verb in store)).toEqual(["load"]);
});
