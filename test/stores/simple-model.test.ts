import { describe, expect, test } from "vitest";
import { fromSimpleStore, type SimpleData, type SimpleStore } from "../../src/stores/simple.ts";
import { expectSameAsMemory } from "./random-calls.ts";

/** Hands out its objects themselves. */
function liveStore(): SimpleStore {
  const sessions = new Map<string, SimpleData>();
  return {
    hasSessionId: (id) => sessions.has(id),
    createStore: (id) => sessions.set(id, {}),
    getStore: (id) => sessions.get(id),
    saveStore: () => undefined,
    gc: () => undefined,
  };
}

/** Keeps texts, as a file or a database does, and takes its time. */
function remoteStore(): SimpleStore {
  const sessions = new Map<string, string>();
  return {
    hasSessionId: async (id) => sessions.has(id),
    createStore: async (id) => sessions.set(id, "{}"),
    getStore: async (id) => JSON.parse(sessions.get(id) ?? "null") as SimpleData | null,
    saveStore: async (id, data) => sessions.set(id, JSON.stringify(data)),
    gc: async () => undefined,
  };
}

/** Keeps texts and removes them. */
function deletingStore(): SimpleStore {
  const sessions = new Map<string, string>();
  return {
    hasSessionId: (id) => sessions.has(id),
    createStore: (id) => sessions.set(id, "{}"),
    getStore: (id) => JSON.parse(sessions.get(id) ?? "null") as SimpleData | null,
    saveStore: (id, data) => sessions.set(id, JSON.stringify(data)),
    gc: () => undefined,
    deleteStore: (id) => sessions.delete(id),
  };
}

describe("a custom store", () => {
  test.for([
    ["of live objects", liveStore],
    ["of copies, behind promises", remoteStore],
    ["that deletes", deletingStore],
  ] as const)("%s answers what the memory store answers, and keeps what it keeps", async ([, create]) => {
    const seen = await expectSameAsMemory(() => fromSimpleStore(create()), { userIndex: false, runs: 25 });
    expect(seen).toEqual(
      expect.arrayContaining([
        ...["ok", "duplicate"].map((answer) => `create: ${answer}`),
        ...["ok", "gone", "moved", "conflict"].map((answer) => `commit: ${answer}`),
        ...["ok", "gone", "moved", "conflict", "duplicate"].map((answer) => `rotate: ${answer}`),
        "renew: true",
        "renew: false",
        "destroy: true",
        "destroy: false",
      ]),
    );
  });
});
