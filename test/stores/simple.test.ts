import { describe, expect, test, vi } from "vitest";
import type { NewSession, StoredSession } from "../../src/core/session-record.ts";
import type { Change } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import {
  fromSimpleStore,
  isSessionStore,
  isSimpleStore,
  missingSimpleStoreMethods,
  overridesSimpleMethods,
  type SimpleData,
  type SimpleStore,
} from "../../src/stores/simple.ts";

const NOW = Date.UTC(2030, 0, 1);
const HOUR = 3_600_000;

let operations = 0;
/** What every change has. */
function at(now = NOW): { operation: string; now: number } {
  operations += 1;
  return { operation: `operation ${operations}`, now };
}

/** The original's example: objects in a map. Writes down what it is called for. */
class MapStore implements SimpleStore {
  readonly sessions = new Map<string, SimpleData>();
  readonly calls: string[] = [];

  hasSessionId(id: string): boolean {
    this.calls.push(`hasSessionId ${id}`);
    return this.sessions.has(id);
  }
  createStore(id: string): unknown {
    this.calls.push(`createStore ${id}`);
    this.sessions.set(id, {});
    return undefined;
  }
  getStore(id: string): SimpleData | null {
    this.calls.push(`getStore ${id}`);
    return this.sessions.get(id) ?? null;
  }
  saveStore(id: string, data: SimpleData): unknown {
    this.calls.push(`saveStore ${id}`);
    expect(data).toBe(this.sessions.get(id));
    return undefined;
  }
  gc(): unknown {
    return this.calls.push("gc");
  }
}

class DeletingStore extends MapStore {
  deleteStore(id: string): unknown {
    this.calls.push(`deleteStore ${id}`);
    return this.sessions.delete(id);
  }
}

/** Keeps texts, and answers later. */
class RemoteStore implements SimpleStore {
  readonly sessions = new Map<string, string>();
  hasSessionId = async (id: string): Promise<boolean> => this.sessions.has(id);
  createStore = async (id: string): Promise<unknown> => this.sessions.set(id, "{}");
  getStore = async (id: string): Promise<SimpleData | null> => JSON.parse(this.sessions.get(id) ?? "null");
  saveStore = async (id: string, data: SimpleData): Promise<unknown> => this.sessions.set(id, JSON.stringify(data));
  gc = async (): Promise<unknown> => undefined;
}

function record(key: string, fields: Record<string, string> = {}): NewSession {
  return { key, fields, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR, handle: `handle of ${key}` };
}

function increment(text: string): Pick<Change, "expect" | "set"> {
  return { expect: { counter: text }, set: { counter: String(Number(text) + 1) } };
}

async function load(store: ReturnType<typeof fromSimpleStore>, key = "k"): Promise<StoredSession> {
  const found = await store.load(key, NOW);
  if (found?.kind !== "session") throw new Error(`${key} is ${found?.kind ?? "absent"}`);
  return found;
}

const userData = ({ __fastsession__: _, ...data }: SimpleData): SimpleData => data;

describe("a custom store", () => {
  test("keeps values, not texts, with what the library knows under one key that no handler sees", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    const bind = { userId: "ann", metadata: { device: "phone" }, maxAge: 60 };
    await store.create(record("k", { cart: '{"items":[1,2]}', name: '"é"' }), { ...at(), bind });
    expect(simple.sessions.get("k")).toEqual({
      cart: { items: [1, 2] },
      name: "é",
      __fastsession__: {
        kind: "session",
        version: 1,
        createdAt: NOW,
        lastUsedAt: NOW,
        rotatedAt: NOW,
        expiresAt: NOW + HOUR,
        handle: "handle of k",
        binding: { ...bind, boundAt: NOW, generation: 0 },
      },
    });
    const { fields, binding } = await load(store);
    expect(fields).toEqual({ cart: '{"items":[1,2]}', name: '"é"' });
    expect(binding?.userId).toBe("ann");
  });

  test("is called once for each step, by id, and saved with the object that it answered", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    const verbs = [
      () => store.create(record("k", { a: "1" }), at()),
      () => store.load("k", NOW),
      () => store.commit("k", { ...at(), set: { a: "2" } }),
      () => store.renew("k", { now: NOW, lastUsedAt: NOW + 1, expiresAt: NOW + 2 * HOUR }),
      () => store.sweep?.(NOW, 100),
    ];
    const calls: string[] = [];
    for (const verb of verbs) {
      await verb();
      calls.push(simple.calls.splice(0).join(", "));
    }
    expect(calls).toEqual([
      "hasSessionId k, createStore k, getStore k, saveStore k",
      "getStore k",
      "getStore k, saveStore k",
      "getStore k, saveStore k",
      "gc",
    ]);
  });

  test("that answers at once gets no promise in between", () => {
    const store = fromSimpleStore(new DeletingStore());
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + 1 } as const;
    const answers = [
      store.create(record("k"), at()),
      store.load("k", NOW),
      store.commit("k", { ...at(), set: { a: "1" } }),
      store.renew("k", { now: NOW, lastUsedAt: NOW, expiresAt: NOW }),
      store.rotate("k", "k2", at(), { leave }),
      store.destroy("k2", { now: NOW, tombstoneUntil: NOW }),
      store.sweep?.(NOW, 1),
    ];
    expect(answers.filter((answer) => answer instanceof Promise)).toEqual([]);
    expect(answers[4]).toMatchObject({ ok: true });
  });

  test("that answers later loses no write of one process", async () => {
    const store = fromSimpleStore(new RemoteStore());
    await store.create(record("k", { counter: "0" }), at());
    const count = async (): Promise<void> => {
      for (let text = "0"; ;) {
        const answer = await store.commit("k", { ...at(), ...increment(text) });
        if (answer.ok) return;
        if (answer.reason !== "conflict") throw new Error(answer.reason);
        text = answer.current["counter"] as string;
      }
    };
    const own = Array.from({ length: 20 }, (_, n) => store.commit("k", { ...at(), set: { [`own${n}`]: "1" } }));
    await Promise.all([...Array.from({ length: 20 }, count), ...own]);
    const { fields } = await load(store);
    expect(fields["counter"]).toBe("20");
    expect(Object.keys(fields)).toHaveLength(21);
  });

  test("does not make one session wait for another", async () => {
    const simple = new RemoteStore();
    const store = fromSimpleStore(simple);
    await store.create(record("k"), at());
    await store.create(record("other"), at());
    let release = (): void => undefined;
    const { saveStore } = simple;
    simple.saveStore = async (id, data) => {
      if (id === "k") await new Promise<void>((resolve) => (release = resolve));
      return saveStore(id, data);
    };
    const waiting = store.commit("k", { ...at(), set: { a: "1" } });
    expect(await store.commit("other", { ...at(), set: { a: "1" } })).toMatchObject({ ok: true });
    release();
    expect(await waiting).toMatchObject({ ok: true });
  });

  test.for([
    ["at once", () => new MapStore()],
    ["later", () => new RemoteStore()],
  ] as const)("that fails to save %s has changed nothing, and works when it works again", async ([, make]) => {
    const simple: SimpleStore = make();
    const store = fromSimpleStore(simple);
    await store.create(record("k", { a: '{"b":1}' }), at());
    const failure = new Error("no space left");
    const save = vi.spyOn(simple, "saveStore").mockImplementation(() => {
      throw failure;
    });
    const attempt = async (): Promise<unknown> => store.commit("k", { ...at(), set: { a: "2" }, remove: ["c"] });
    await expect(attempt()).rejects.toBe(failure);
    save.mockImplementation(() => Promise.reject(failure));
    await expect(attempt()).rejects.toBe(failure);
    save.mockRestore();
    expect(await load(store)).toMatchObject({ version: 1, fields: { a: '{"b":1}' } });
    expect(await attempt()).toEqual({ ok: true, version: 2 });
  });

  test("that answers something else than an object fails, and says so", () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    simple.sessions.set("k", "text" as unknown as SimpleData);
    expect(() => store.load("k", NOW)).toThrow(
      new TypeError("getStore answered string, and a session's data is an object"),
    );
  });
});

test("a call that arrives twice is applied once, however many came since", async () => {
  const store = fromSimpleStore(new MapStore());
  const creation = at();
  const change = { ...at(), ...increment("0") };
  expect(await store.create(record("k", { counter: "0" }), creation)).toEqual({ ok: true, evicted: [] });
  expect(await store.create(record("k", { counter: "0" }), creation)).toEqual({ ok: true, evicted: [] });
  expect(await store.commit("k", change)).toEqual({ ok: true, version: 2 });
  for (let n = 1; n < 500; n += 1) await store.commit("k", { ...at(), ...increment(`${n}`) });
  expect(await store.commit("k", change)).toEqual({ ok: true, version: 2 });
  expect((await load(store)).fields).toEqual({ counter: "500" });
});

describe("a text that JSON would write in another way", () => {
  const texts = { spaced: '{ "a": 1.0 }', number: "1e2", cipher: "v1.c2VjcmV0", empty: "", __proto__x: "null" };

  test.for([
    ["live objects", () => new MapStore()],
    ["copies", () => new RemoteStore()],
  ] as const)("comes back as it was, from %s", async ([, make]) => {
    const store = fromSimpleStore(make());
    await store.create(record("k", texts), at());
    expect((await load(store)).fields).toEqual(texts);
    await store.commit("k", { ...at(), set: { more: "1" }, remove: ["empty"] });
    const { empty: _, ...rest } = texts;
    expect((await load(store)).fields).toEqual({ ...rest, more: "1" });
  });

  test("gives way to a value that the user's own tools put there", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    await store.create(record("k", { a: "1.0" }), at());
    (simple.sessions.get("k") as SimpleData)["a"] = 7;
    expect((await load(store)).fields).toEqual({ a: "7" });
  });
});

describe("an object that somebody else put there", () => {
  test("is a live session, and gets a deadline with the first write", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    simple.sessions.set("k", { counter: 3 });
    expect(await load(store)).toMatchObject({
      fields: { counter: "3" },
      createdAt: NOW,
      lastUsedAt: NOW,
      expiresAt: NOW + 12 * HOUR,
      binding: null,
    });
    expect(simple.sessions.get("k")).toEqual({ counter: 3 });
    expect(await store.commit("k", { ...at(), ...increment("3") })).toEqual({ ok: true, version: 1 });
    expect(await store.load("k", NOW + 11 * HOUR)).toMatchObject({ createdAt: NOW, expiresAt: NOW + 12 * HOUR });
    expect(await store.commit("k", at(NOW + 12 * HOUR))).toMatchObject({ reason: "gone" });
  });

  test("shows what JSON can hold, and keeps the rest where it is", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    const circular: SimpleData = {};
    circular["self"] = circular;
    const odd = { big: 1n, circular, nothing: undefined, work: (): void => undefined };
    simple.sessions.set("k", { ...odd, since: new Date(NOW), ok: true });
    expect((await load(store)).fields).toEqual({ since: '"2030-01-01T00:00:00.000Z"', ok: "true" });
    await store.commit("k", { ...at(), set: { ok: "false" } });
    expect(userData(simple.sessions.get("k") as SimpleData)).toEqual({ ...odd, since: new Date(NOW), ok: false });
  });

  test.for([null, 1, {}, { kind: "session", expiresAt: NOW + 1 }, { kind: "alive", expiresAt: NOW + 1 }])(
    "with the state %j is no session",
    async (state) => {
      const simple = new MapStore();
      const store = fromSimpleStore(simple);
      simple.sessions.set("k", { a: 1, __fastsession__: state });
      expect(await store.load("k", NOW)).toBeNull();
      expect(await store.commit("k", at())).toEqual({ ok: false, reason: "gone" });
      expect(await store.create(record("k"), at())).toEqual({ ok: false, reason: "duplicate" });
    },
  );
});

describe("the reserved key", () => {
  test("is refused as a field, and can neither be read nor removed as one", async () => {
    const store = fromSimpleStore(new MapStore());
    await store.create(record("k", { a: "1" }), at());
    expect(() => store.commit("k", { ...at(), set: { __fastsession__: "{}" } })).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_VALUE", path: "__fastsession__" }),
    );
    await store.commit("k", { ...at(), remove: ["__fastsession__"], expect: { __fastsession__: null } });
    await store.commit("k", { ...at(), clear: true });
    expect(await load(store)).toMatchObject({ fields: {}, expiresAt: NOW + HOUR, version: 3 });
  });
});

describe("an ended session", () => {
  const end = { now: NOW, tombstoneUntil: NOW + 60_000 };
  const tombstone = { kind: "tombstone", reason: "revoked", expiresAt: NOW + 60_000 };

  test("without deleteStore is an empty object with a mark", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    await store.create(record("k", { secret: "1" }), at());
    expect(await store.destroy("k", end)).toBe(true);
    expect(simple.sessions.get("k")).toEqual({ __fastsession__: tombstone });
    expect(await store.load("k", NOW)).toEqual(tombstone);
    expect(await store.destroy("k", end)).toBe(false);
  });

  test("with deleteStore is gone from the store, and late requests still hear that it ended", async () => {
    const simple = new DeletingStore();
    const store = fromSimpleStore(simple);
    await store.create(record("k", { secret: "1" }), at());
    expect(await store.destroy("k", end)).toBe(true);
    expect([...simple.sessions]).toEqual([]);
    expect(await store.load("k", NOW)).toEqual(tombstone);
    expect(await store.commit("k", at())).toEqual({ ok: false, reason: "gone" });
    expect(await store.load("k", NOW + 60_000)).toBeNull();
    expect(await store.sweep?.(NOW + 60_000, 100)).toBe(1);
  });

  test("that could not be deleted is still there", async () => {
    const simple = new DeletingStore();
    const store = fromSimpleStore(simple);
    await store.create(record("k", { a: "1" }), at());
    vi.spyOn(simple, "deleteStore").mockImplementationOnce(() => Promise.reject(new Error("offline")));
    await expect(store.destroy("k", end)).rejects.toThrow("offline");
    expect((await load(store)).fields).toEqual({ a: "1" });
  });
});

describe("a rotation", () => {
  const leave = { kind: "alias", to: "k2", sealedId: "sealed", expiresAt: NOW + 60_000 } as const;

  test("moves the data to the new id and leaves the way there", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    await store.create(record("k", { a: "1" }), at());
    const answer = await store.rotate("k", "k2", { ...at(), set: { b: "2" } }, { leave });
    expect(answer).toEqual({ ok: true, version: 2, evicted: [] });
    expect(simple.sessions.get("k")).toEqual({ __fastsession__: leave });
    expect((await load(store, "k2")).fields).toEqual({ a: "1", b: "2" });
    expect(await store.commit("k", at())).toMatchObject({ reason: "moved", to: "k2" });
    expect(await store.destroy("k", { now: NOW, tombstoneUntil: NOW + 1 })).toBe(true);
    expect(await store.load("k2", NOW)).toMatchObject({ kind: "tombstone" });
  });

  test("whose old id cannot be ended takes the new one back", async () => {
    const simple = new MapStore();
    const store = fromSimpleStore(simple);
    await store.create(record("k", { a: "1" }), at());
    const save = simple.saveStore.bind(simple);
    vi.spyOn(simple, "saveStore").mockImplementation((id, data) => {
      if (id === "k") throw new Error("offline");
      return save(id, data);
    });
    expect(() => store.rotate("k", "k2", at(), { leave })).toThrow("offline");
    expect((await load(store)).fields).toEqual({ a: "1" });
    expect(await store.load("k2", NOW)).toBeNull();
  });
});

describe("a subclass of MemoryStore", () => {
  class Counting extends MemoryStore {
    saved: string[] = [];
    override saveStore(id: string, data?: SimpleData): unknown {
      this.saved.push(id);
      return super.saveStore(id, data);
    }
  }
  /** Keeps its sessions elsewhere, and knows nothing of `deleteStore`. */
  class Elsewhere extends MemoryStore {
    readonly remote = new RemoteStore();
    override async hasSessionId(id: string): Promise<boolean> {
      return this.remote.hasSessionId(id);
    }
    override async createStore(id: string): Promise<unknown> {
      return this.remote.createStore(id);
    }
    override async getStore(id: string): Promise<SimpleData | null> {
      return this.remote.getStore(id);
    }
    override async saveStore(id: string, data: SimpleData): Promise<unknown> {
      return this.remote.saveStore(id, data);
    }
  }

  test("that overrides one of the five is driven through them, super's working as the original's class", async () => {
    const counting = new Counting();
    expect(overridesSimpleMethods(counting, MemoryStore.prototype)).toBe(true);
    const store = fromSimpleStore(counting);
    await store.create(record("k", { counter: "1" }), at());
    expect(await store.commit("k", { ...at(), ...increment("1") })).toEqual({ ok: true, version: 2 });
    expect(counting.saved).toEqual(["k", "k"]);
    expect(userData((await counting.getStore("k")) as SimpleData)).toEqual({ counter: 2 });
  });

  test("may be asynchronous, and its sessions end although it inherits a deleteStore that does not know them", async () => {
    const elsewhere = new Elsewhere();
    expect(overridesSimpleMethods(elsewhere, MemoryStore.prototype)).toBe(true);
    const store = fromSimpleStore(elsewhere);
    await store.create(record("k", { a: "1" }), at());
    expect((await load(store)).fields).toEqual({ a: "1" });
    expect(await store.destroy("k", { now: NOW, tombstoneUntil: NOW + 1 })).toBe(true);
    expect(await store.load("k", NOW)).toMatchObject({ kind: "tombstone" });
    expect(await store.load("k", NOW + 1)).toBeNull();
  });

  test("that overrides none is not", () => {
    class Plain extends MemoryStore {
      readonly name = "plain";
    }
    expect(overridesSimpleMethods(new Plain(), MemoryStore.prototype)).toBe(false);
    expect(overridesSimpleMethods(new MemoryStore(), MemoryStore.prototype)).toBe(false);
  });

  test("that overrides both families is refused", () => {
    class Both extends Counting {
      override load(...of: Parameters<MemoryStore["load"]>): ReturnType<MemoryStore["load"]> {
        return super.load(...of);
      }
    }
    expect(() => overridesSimpleMethods(new Both(), MemoryStore.prototype)).toThrow(
      new TypeError("the store overrides saveStore and load: override one family"),
    );
  });
});

describe("what is a store", () => {
  test("is told by its methods, and what lacks some by their names", () => {
    const { gc: _, ...withoutGc } = new RemoteStore();
    expect(isSimpleStore(new MapStore())).toBe(true);
    expect(isSimpleStore(withoutGc)).toBe(false);
    expect(missingSimpleStoreMethods(withoutGc)).toEqual(["gc"]);
    expect(missingSimpleStoreMethods(null)).toHaveLength(5);
    expect(isSessionStore(new MapStore())).toBe(false);
    expect(isSessionStore(fromSimpleStore(new MapStore()))).toBe(true);
    expect(isSessionStore(undefined)).toBe(false);
  });
});
