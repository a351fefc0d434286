import { describe, expect, test } from "vitest";
import { HIDDEN_KEY, type SessionObject } from "../../src/stores/memory-objects.ts";
import { MemoryStore } from "../../src/stores/memory.ts";

const NOW = 1_764_000_000_123;

function createRecord(store: MemoryStore, key: string, fields: Record<string, string>): void {
  const record = { key, fields, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + 1, handle: key };
  store.create(record, { operation: "operation", now: NOW });
}

describe("the original's five methods of MemoryStore", () => {
  test("keep a live object by id", async () => {
    const store = new MemoryStore();
    expect([await store.hasSessionId("id"), await store.getStore("id")]).toEqual([false, null]);
    store.createStore("id");
    const object = (await store.getStore("id")) as SessionObject;
    expect([await store.hasSessionId("id"), object, store.size]).toEqual([true, {}, 1]);
    object["counter"] = 1;
    store.saveStore("id", object);
    expect(await store.getStore("id")).toBe(object);
    store.deleteStore("id");
    expect([await store.hasSessionId("id"), await store.getStore("id"), store.size]).toEqual([false, null, 0]);
  });

  test("begin anew when an id is created again", async () => {
    const store = new MemoryStore();
    Object.assign((await store.getStore("id")) ?? (store.createStore("id") as object), { counter: 1 });
    store.createStore("id");
    expect(await store.getStore("id")).toEqual({});
  });

  test("show a copy of the data that the library keeps, without what is no JSON", async () => {
    const store = new MemoryStore();
    const fields = JSON.parse('{"counter":"1","cart":"[{\\"n\\":2}]","sealed":"v1.gQ==","__proto__":"3"}') as never;
    createRecord(store, "id", fields);
    const shown = (await store.getStore("id")) as SessionObject;
    expect(Object.entries(shown)).toEqual([
      ["counter", 1],
      ["cart", [{ n: 2 }]],
      ["__proto__", 3],
    ]);
    shown["counter"] = 9;
    expect(((await store.getStore("id")) as SessionObject)["counter"]).toBe(1);
    expect([await store.hasSessionId("id"), await store.hasSessionId("other")]).toEqual([true, false]);
  });

  test("remove by gc what has expired, objects by their hidden deadline", async () => {
    const store = new MemoryStore();
    for (const [id, hidden] of Object.entries({ past: { expiresAt: NOW }, future: { expiresAt: NOW + 1 }, odd: "x" })) {
      (store.createStore(id) as SessionObject)[HIDDEN_KEY] = hidden;
    }
    store.createStore("none");
    createRecord(store, "record", {});
    store.gc(NOW);
    const left = [];
    for (const id of ["past", "future", "odd", "none", "record"]) if (await store.hasSessionId(id)) left.push(id);
    expect(left).toEqual(["future", "odd", "none", "record"]);
    store.gc();
    expect([await store.hasSessionId("future"), await store.hasSessionId("record")]).toEqual([false, false]);
  });

  test("are bounded by maxSessions", () => {
    const store = new MemoryStore({ maxSessions: 2 });
    store.createStore("a");
    store.createStore("b");
    store.createStore("b");
    expect(() => store.createStore("c")).toThrow(expect.objectContaining({ code: "ERR_SESSION_STORE_FULL" }));
  });

  test("can be overridden by synchronous and asynchronous methods, with super's behind them", async () => {
    const written: string[] = [];
    class FileStore extends MemoryStore {
      override async getStore(id: string): Promise<SessionObject> {
        return (await super.getStore(id)) ?? {};
      }
      override async createStore(id: string): Promise<void> {
        super.createStore(id);
        await Promise.resolve();
      }
      override saveStore(id: string, data: SessionObject): void {
        written.push(`${id} ${JSON.stringify(data)}`);
      }
      override async gc(): Promise<void> {
        super.gc();
        await Promise.resolve();
      }
    }
    const store = new FileStore();
    await store.createStore("id");
    const data = await store.getStore("id");
    data["n"] = 1;
    store.saveStore("id", data);
    await store.gc();
    expect([written, await store.getStore("id")]).toEqual([['id {"n":1}'], { n: 1 }]);
  });
});
