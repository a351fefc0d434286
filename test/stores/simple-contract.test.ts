import { describe, test } from "vitest";
import { MemoryStore } from "../../src/stores/memory.ts";
import { fromSimpleStore, type SimpleData, type SimpleStore } from "../../src/stores/simple.ts";
import { type RegisterTest, storeContract } from "../../src/testing/store-contract.ts";

/** What `gc` removes is the custom store's to decide, and it does not say how much that is. */
const registered: RegisterTest = (name, run) => name.startsWith("sweep ") || test(name, run);

/** Keeps texts, as a file does, and answers later. */
function remoteStore(): SimpleStore {
  const sessions = new Map<string, string>();
  return {
    hasSessionId: async (id) => sessions.has(id),
    createStore: async (id) => sessions.set(id, "{}"),
    getStore: async (id) => JSON.parse(sessions.get(id) ?? "null") as SimpleData | null,
    saveStore: async (id, data) => sessions.set(id, JSON.stringify(data)),
    gc: async () => undefined,
    deleteStore: async (id) => sessions.delete(id),
  };
}

describe("a custom store of copies, behind promises", () => {
  storeContract({ test: registered, createStore: () => fromSimpleStore(remoteStore()) });
});

describe("a subclass of MemoryStore", () => {
  class Subclass extends MemoryStore {
    override saveStore(): unknown {
      return undefined;
    }
  }
  storeContract({ test: registered, createStore: () => fromSimpleStore(new Subclass()) });
});
