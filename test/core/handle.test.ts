import { inspect } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { RESERVED } from "../../src/core/session-methods.ts";
import { structuredCodec } from "../../src/core/structured-codec.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser } from "../support/browser.ts";

const options = { secretKey: "a secret of more than thirty-two bytes", logLevel: "silent" } as const;
let sessions: Sessions;
let browser: Browser;

beforeEach(() => {
  sessions = createSessions(options);
  browser = new Browser(sessions);
});

describe("a session reads and writes like an object", () => {
  it("with items, get, set, has, delete, in and delete", async () => {
    await browser.visit((session) => {
      session["a"] = 1;
      session.set("b", 2);
      expect([session["a"], session.get("b"), session.get("c"), session.get("c", 3)]).toEqual([1, 2, undefined, 3]);
      expect(["a" in session, session.has("b"), "c" in session]).toEqual([true, true, false]);
      expect(delete session["a"]).toBe(true);
      expect(session.delete("b")).toBe(true);
      expect(session.delete("b")).toBe(false);
      expect(["a" in session, session.has("b")]).toEqual([false, false]);
    });
  });

  it("with Object.keys, spread, entries, assign and JSON", async () => {
    await browser.visit((session) => void Object.assign(session, { a: 1, b: { c: [2] } }));
    await browser.visit((session) => {
      session["d"] = 3;
      expect(Object.keys(session)).toEqual(["a", "b", "d"]);
      expect({ ...session }).toEqual({ a: 1, b: { c: [2] }, d: 3 });
      expect(Object.entries(session)).toEqual([
        ["a", 1],
        ["b", { c: [2] }],
        ["d", 3],
      ]);
      expect(JSON.stringify(session)).toBe('{"a":1,"b":{"c":[2]},"d":3}');
      const seen: string[] = [];
      for (const name in session) seen.push(name);
      expect(seen).toEqual(["a", "b", "d"]);
    });
  });

  it("and the original's line counts visits", async () => {
    for (const counter of [1, 2, 3]) {
      const { result } = await browser.visit((session) => {
        session["counter"] = session.get("counter", 0) + 1;
        return session["counter"];
      });
      expect(result).toBe(counter);
    }
  });

  it("whose changes in place are saved", async () => {
    await browser.visit((session) => void (session["cart"] = { items: [1] }));
    await browser.visit((session) => void session["cart"].items.push(2));
    expect((await browser.visit((session) => session["cart"])).result).toEqual({ items: [1, 2] });
  });

  it("where assigning undefined deletes", async () => {
    await browser.visit((session) => void Object.assign(session, { a: 1, b: 2 }));
    await browser.visit((session) => void (session["a"] = undefined));
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ b: 2 });
  });

  it("also through getSession() and data, which take every name", async () => {
    await browser.visit((session) => {
      const data = session.getSession();
      data["get"] = 1;
      data["info"] = 2;
      session.data["constructor"] = 3;
      expect({ ...data }).toEqual({ get: 1, info: 2, constructor: 3 });
    });
    expect((await browser.visit((session) => ({ ...session.data }))).result).toEqual({
      get: 1,
      info: 2,
      constructor: 3,
    });
    // As items they stay members.
    expect((await browser.visit((session) => typeof session.get)).result).toBe("function");
  });
});

describe("what a session is asked by accident", () => {
  it("is awaited without being taken for a promise", async () => {
    const { result } = await browser.visit(
      async (session) => (await (session as unknown as Promise<unknown>)) === session,
    );
    expect(result).toBe(true);
  });

  it("prints its fields' names, but no value, no id and no state", async () => {
    await browser.visit((session) => void (session["card"] = "4111-1111"));
    await browser.visit((session) => {
      expect(inspect(session)).toBe("Session (untouched)");
      expect(session["card"]).toBe("4111-1111");
      const printed = inspect(session, { depth: 9, showHidden: true });
      expect(printed).toBe("Session { card }");
      expect(`${session}`).toBe("[object Session]");
      expect(inspect({ session })).not.toContain("4111");
      expect(Object.prototype.toString.call(session)).toBe("[object Session]");
    });
  });

  it("reads inherited names as absent", async () => {
    await browser.visit((session) => {
      for (const name of ["toString", "hasOwnProperty", "valueOf", "constructor", "__proto__", "then"]) {
        expect(session[name]).toBeUndefined();
        expect(name in session && name !== "toJSON").toBe(false);
      }
    });
  });

  it("keeps fields that are called as inherited members are", async () => {
    await browser.visit((session) => void Object.assign(session, { toString: 1, hasOwnProperty: 2, valueOf: 3 }));
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({
      toString: 1,
      hasOwnProperty: 2,
      valueOf: 3,
    });
  });

  it.each([...RESERVED])("refuses %s as an item, where it is assigned", async (name) => {
    await browser.visit((session) => {
      expect(() => (session[name] = 1)).toThrow(TypeError);
      expect(() => delete session[name]).toThrow(TypeError);
    });
  });

  it("pollutes no prototype, whatever is assigned", async () => {
    const hostile = JSON.parse(
      '{"__proto__":{"polluted":1},"a":{"constructor":{"prototype":{"polluted":1}}}}',
    ) as object;
    await browser.visit((session) => {
      expect(() => Object.assign(session, hostile)).toThrow(TypeError);
      expect(() => session.set("__proto__", 1)).toThrow(expect.objectContaining({ code: "ERR_SESSION_VALUE" }));
      expect(() => session.set("x", hostile)).toThrow(expect.objectContaining({ code: "ERR_SESSION_VALUE" }));
      expect(() => (session.data["__proto__"] = {})).toThrow(expect.objectContaining({ code: "ERR_SESSION_VALUE" }));
    });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("gives no copy another prototype, whatever a foreign record holds", async () => {
    const store = new MemoryStore();
    const shared = createSessions({ ...options, store });
    const visitor = new Browser(shared);
    const id = (await visitor.visit((session) => (session.set("n", 1), session.getSessionId()))).result;
    const set = JSON.parse('{"__proto__":"{\\"admin\\":true}"}') as Record<string, string>;
    store.commit(id, { operation: "foreign", now: Date.now(), set });
    const { result } = await visitor.visit((session) => [session.toJSON(), { ...session }, { ...session.data }]);
    expect(result.map((copy) => copy["admin"] as unknown)).toEqual([undefined, undefined, undefined]);
  });

  it("says so when a method is called apart from it", async () => {
    await browser.visit((session) => {
      const { get } = session;
      expect(() => get("a")).toThrow("session.get");
    });
  });

  it("takes no definitions, prototypes or symbols", async () => {
    await browser.visit((session) => {
      expect(() => Object.defineProperty(session, "a", { value: 1 })).toThrow(TypeError);
      expect(() => Object.setPrototypeOf(session, null)).toThrow(TypeError);
      expect(() => Object.freeze(session)).toThrow(TypeError);
      expect(() => ((session as unknown as Record<symbol, unknown>)[Symbol("a")] = 1)).toThrow(TypeError);
      expect(session["a"]).toBeUndefined();
    });
  });
});

describe("values that cannot be stored", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;

  it.each([
    ["bigint", 1n],
    ["function", () => 1],
    ["symbol", Symbol("a")],
    ["NaN", Number.NaN],
    ["Date", new Date(0)],
    ["Map", new Map()],
    ["nested function", { a: [{ b: () => 1 }] }],
    ["circular", circular],
  ])("are refused at the assignment: %s", async (_name, value) => {
    await browser.visit((session) => void (session["v"] = 1));
    await browser.visit((session) => {
      expect(() => (session["v"] = value)).toThrow(expect.objectContaining({ code: "ERR_SESSION_VALUE" }));
      expect(session["v"]).toBe(1);
    });
    expect((await browser.visit((session) => session["v"])).result).toBe(1);
  });

  it("are refused at the commit when they came in by a change in place, and nothing of the request is stored", async () => {
    await browser.visit((session) => void Object.assign(session, { cart: { items: [1] }, n: 1 }));
    const visit = await browser.start();
    visit.session["n"] = 2;
    visit.session["cart"].items.push(() => 1);
    await expect(visit.end()).rejects.toMatchObject({ code: "ERR_SESSION_VALUE", path: "cart.items[1]" });
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ cart: { items: [1] }, n: 1 });
  });

  it("are fewer with structuredCodec", async () => {
    const rich = new Browser(createSessions({ ...options, codec: structuredCodec }));
    const value = { at: new Date(5), tags: new Set(["a"]), big: 12n, map: new Map([["k", Number.NaN]]) };
    await rich.visit((session) => void (session["v"] = value));
    expect((await rich.visit((session) => session["v"])).result).toEqual(value);
  });

  it("include fields and sessions over their limits", async () => {
    const small = new Browser(createSessions({ ...options, maxFieldBytes: 100, maxSessionBytes: 150 }));
    const visit = await small.start();
    visit.session["a"] = "x".repeat(99);
    await expect(visit.end()).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE", path: "a" });
    await small.visit((session) => void (session["a"] = "x".repeat(90)));
    const next = await small.start();
    next.session["b"] = "x".repeat(90);
    await expect(next.end()).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
    // In bytes, not in characters.
    const wide = await small.start();
    wide.session["a"] = "é".repeat(60);
    await expect(wide.end()).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE", path: "a" });
  });
});

describe("increment, append, update and flash", () => {
  it("begin with 0, an empty list and undefined", async () => {
    const { result } = await browser.visit((session) => [
      session.increment("n"),
      session.increment("n", 5),
      session.append("list", "a", "b"),
      session.update("u", (current) => [current ?? "none"]),
    ]);
    expect(result).toEqual([1, 6, ["a", "b"], ["none"]]);
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({
      n: 6,
      list: ["a", "b"],
      u: ["none"],
    });
  });

  it("fold into an assignment, a deletion and a clear of the same request", async () => {
    await browser.visit((session) => void Object.assign(session, { n: 10, m: 10, k: 10 }));
    await browser.visit((session) => {
      session["n"] = 1;
      session.increment("n");
      session.increment("m");
      session["m"] = 5;
      delete session["k"];
      session.increment("k");
    });
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ n: 2, m: 5, k: 1 });
    await browser.visit((session) => {
      session.clearSession();
      session.increment("n", 3);
    });
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ n: 3 });
  });

  it("keep a change in place that came before or after them", async () => {
    await browser.visit((session) => void (session["list"] = [1]));
    await browser.visit((session) => {
      session["list"].push(2);
      session.append("list", 3);
      session["list"].push(4);
    });
    expect((await browser.visit((session) => session["list"])).result).toEqual([1, 2, 3, 4]);
  });

  it("refuse fields of another type, with its name", async () => {
    await browser.visit((session) => void Object.assign(session, { text: "x", n: 1 }));
    await browser.visit((session) => {
      expect(() => session.increment("text")).toThrow(
        expect.objectContaining({ code: "ERR_SESSION_FIELD_TYPE", path: "text" }),
      );
      expect(() => session.append("n", 1)).toThrow(
        expect.objectContaining({ code: "ERR_SESSION_FIELD_TYPE", path: "n" }),
      );
      expect(() => session.increment("n", Number.NaN)).toThrow(TypeError);
      expect(() => session.update("n", async () => 1)).toThrow(TypeError);
    });
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ text: "x", n: 1 });
  });

  it("show a flash message once, and not among the fields", async () => {
    await browser.visit((session) => session.flash("notice", "saved"));
    const { result } = await browser.visit((session) => [
      Object.keys(session),
      session.flash("notice"),
      session.flash("notice"),
    ]);
    expect(result).toEqual([[], "saved", undefined]);
    expect((await browser.visit((session) => session.flash("notice"))).result).toBeUndefined();
  });
});

describe("a large session", () => {
  it("decodes only the fields that are read", async () => {
    const decoded: string[] = [];
    const { jsonCodec } = await import("../../src/core/json-codec.ts");
    const watched = new Browser(
      createSessions({
        ...options,
        codec: { ...jsonCodec, decode: (text) => (decoded.push(text), jsonCodec.decode(text)) },
      }),
    );
    await watched.visit(
      (session) => void Object.assign(session, { big: Array.from({ length: 10_000 }, (_, n) => n), n: 1 }),
    );
    await watched.visit((session) => session.increment("n"));
    expect(decoded).toEqual(["1"]);
  });
});
