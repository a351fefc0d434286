/** What JavaScript itself asks of a handle, and of the dictionary behind it: symbols, names, copies, shapes. */
import { inspect } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { isHandle, stateOf } from "../../src/core/handle-target.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

let sessions: Sessions;
let browser: Browser;

beforeEach(() => {
  sessions = createSessions({ secretKey, store: new MemoryStore(), logLevel: "silent", maxSessionBytes: 100_000 });
  browser = new Browser(sessions);
});

async function open(): Promise<Session<DefaultData>> {
  return (await browser.start()).session;
}

const SYMBOL = Symbol("a symbol");

describe.each<[string, (session: Session<DefaultData>) => Record<PropertyKey, unknown>]>([
  ["the handle", (session) => session as unknown as Record<PropertyKey, unknown>],
  ["its dictionary", (session) => session.getSession()],
  ["the property data", (session) => session.data as Record<PropertyKey, unknown>],
])("%s", (_name, view) => {
  it("takes names only: a symbol is nothing of it, and cannot be assigned", async () => {
    const session = await open();
    const data = view(session);
    expect(() => (data[SYMBOL] = 1)).toThrow(/names, not symbols/);
    expect([data[SYMBOL], SYMBOL in data, Object.hasOwn(data, SYMBOL)]).toEqual([undefined, false, false]);
    expect(Object.getOwnPropertySymbols(data)).toEqual([]);
    expect(session.info.isSaved).toBe(false);
  });

  it("has what was assigned, as an ordinary object has it", async () => {
    const data = view(await open());
    data["a"] = 1;
    data["b"] = { c: [2] };
    expect(["a" in data, Object.hasOwn(data, "b"), "c" in data]).toEqual([true, true, false]);
    expect(Object.keys(data)).toEqual(["a", "b"]);
    expect({ ...data }).toEqual({ a: 1, b: { c: [2] } });
    expect(Object.getOwnPropertyDescriptor(data, "a")).toEqual({
      value: 1,
      writable: true,
      enumerable: true,
      configurable: true,
    });
    expect(Object.getOwnPropertyDescriptor(data, "none")).toBeUndefined();
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(delete data["a"]).toBe(true);
    expect({ ...data }).toEqual({ b: { c: [2] } });
    expect(JSON.stringify(data)).toBe('{"b":{"c":[2]}}');
  });

  it("takes assignments only: no getter, no prototype, no seal", async () => {
    const data = view(await open());
    for (const shape of [
      () => Object.defineProperty(data, "x", { get: () => 1 }),
      () => Object.setPrototypeOf(data, null) as unknown,
      () => Object.preventExtensions(data),
      () => Object.freeze(data),
    ]) {
      expect(shape).toThrow(/takes assignments only/);
    }
    expect(Object.keys(data)).toEqual([]);
  });

  it("shows names and no values when it is logged, however that is done", async () => {
    const data = view(await open());
    data["password"] = "hunter2";
    for (const shown of [
      inspect(data),
      inspect(data, { showProxy: true }),
      inspect(data, { showHidden: true, customInspect: false, showProxy: true }),
      inspect([data], { depth: 10 }),
    ]) {
      expect(shown).not.toContain("hunter2");
    }
    expect(inspect(data)).toBe("Session { password }");
    expect(inspect(data, { showProxy: true })).toContain("Session { password }");
    expect(String(data)).toBe("[object Session]");
    expect(Object.prototype.toString.call(data)).toBe("[object Session]");
  });
});

describe("the handle", () => {
  it("shows that it was not read yet, or is destroyed", async () => {
    const session = await open();
    expect(inspect(session)).toMatch(/^Session \((untouched|open)\)$|^Session \{ {2}\}$/);
    await browser.visit((one) => one.set("n", 1));
    const { result } = await browser.visit(async (one) => {
      await one.destroy();
      return inspect(one);
    });
    expect(result).toBe("Session (destroyed)");
  });

  it("has members that no field hides, and lists fields only", async () => {
    const session = await open();
    session.set("login", 1);
    session.set("then", 2);
    session.set("save", 3);
    session.set("toString", 4);
    expect(Object.keys(session)).toEqual(["toString"]);
    expect([typeof session.login, (session as unknown as { then?: unknown }).then]).toEqual(["function", undefined]);
    expect(["login" in session, "then" in session, "toString" in session]).toEqual([true, false, true]);
    expect([Object.hasOwn(session, "login"), Object.hasOwn(session, "toString")]).toEqual([false, true]);
    expect(Object.getOwnPropertyDescriptor(session, "save")).toBeUndefined();
    expect(Object.entries(session.getSession())).toEqual([
      ["login", 1],
      ["then", 2],
      ["save", 3],
      ["toString", 4],
    ]);
  });

  it.each(["login", "then", "save", "constructor", "__proto__"])(
    "refuses %s as an item, and says how else",
    async (name) => {
      const session = (await open()) as unknown as Record<string, unknown>;
      const message = new RegExp(`"${name}" is a member of the session and cannot be an item.*session\\.set`);
      expect(() => (session[name] = 1)).toThrow(message);
      expect(() => delete session[name]).toThrow(message);
    },
  );

  it("is awaited as it is, also with a field called then", async () => {
    const session = await open();
    session.set("then", 1);
    expect(isHandle(await Promise.resolve(session))).toBe(true);
  });

  it("says where its methods belong when one is called detached", async () => {
    const { get, login } = await open();
    expect(() => get("n")).toThrow(/call it on the session/);
    await expect(login("ann")).rejects.toThrow(/call it on the session/);
    for (const other of [undefined, null, {}, 7, "text"]) {
      expect(isHandle(other)).toBe(false);
      expect(() => stateOf(other)).toThrow(TypeError);
    }
  });
});

describe("fields", () => {
  it.each([7, null, undefined, {}, SYMBOL])("are named by texts: %s is none", async (name) => {
    const session = await open();
    for (const use of [
      () => session.set(name as string, 1),
      () => session.delete(name as string),
      () => session.increment(name as string),
      () => session.flash(name as string),
    ]) {
      expect(use).toThrow(TypeError);
    }
  });

  it("are never named __proto__", async () => {
    const session = await open();
    for (const use of [() => session.set("__proto__", 1), () => session.flash("__proto__", 1)]) {
      expect(use).toThrow(expect.objectContaining({ code: "ERR_SESSION_VALUE", path: "__proto__" }));
    }
  });
});

describe("increment, append and update", () => {
  it.each<[string, unknown, (session: Session<DefaultData>) => unknown]>([
    ["a text is no number to add to", "1", (session) => session.increment("x")],
    ["null is no number to add to", null, (session) => session.increment("x")],
    ["a number is no list to append to", 1, (session) => session.append("x", 1)],
    ["an object is no list to append to", { length: 0 }, (session) => session.append("x", 1)],
  ])("%s", async (_name, value, use) => {
    const session = await open();
    session.set("x", value);
    expect(() => use(session)).toThrow(expect.objectContaining({ code: "ERR_SESSION_FIELD_TYPE", path: "x" }));
    expect(session.get("x")).toEqual(value);
  });

  it.each([Number.NaN, Infinity, "1", null])("the number to add is finite: %s is refused", async (by) => {
    const session = await open();
    session.set("n", 1);
    expect(() => session.increment("n", by as number)).toThrow();
    expect(session.get("n")).toBe(1);
  });

  it("update takes a function that answers at once", async () => {
    const session = await open();
    expect(() => session.update("n", (async () => 1) as never)).toThrow(/synchronous function/);
    const named: unknown = JSON.parse('{"then":1}');
    expect(session.update("n", () => named)).toEqual(named);
    expect(session.update("m", () => null)).toBeNull();
  });
});

describe("flash", () => {
  it("is read once, is no field, and null and false are messages, too", async () => {
    await browser.visit((session) => {
      session.flash("notice", "saved");
      session.flash("flag", false);
      session.flash("nothing", null);
      expect(Object.keys(session)).toEqual([]);
    });
    const read = async (): Promise<unknown> =>
      (await browser.visit((session) => ["notice", "flag", "nothing", "other"].map((name) => session.flash(name))))
        .result;
    expect(await read()).toEqual(["saved", false, null, undefined]);
    expect(await read()).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("that nobody left costs no write", async () => {
    await browser.visit((session) => session.set("n", 1));
    const before = (await browser.visit((session) => session.info.lastUsedAt)).result;
    const { visit } = await browser.visit((session) => session.flash("notice"));
    expect(visit.session.info.lastUsedAt).toBe(before);
  });
});

describe("a session's size", () => {
  it("may be maxSessionBytes, names and texts in UTF-8, and not a byte more", async () => {
    const fill = 100_000 - '"é"'.length - 1 - "éa".length - 1 - '""'.length;
    for (const more of [0, 1]) {
      const { session } = await new Browser(sessions).start();
      session.set("é", "é");
      session.set("a", "x".repeat(fill + more));
      const saved = session.saveSession();
      if (more === 0) await saved;
      else
        await expect(saved).rejects.toMatchObject({
          code: "ERR_SESSION_TOO_LARGE",
          message: expect.stringContaining("100001 bytes"),
        });
    }
  });

  it("counts what a change removes, overwrites or clears no more", async () => {
    await browser.visit((session) => Object.assign(session, { a: "x".repeat(60_000), b: 1 }));
    await browser.visit((session) => session.set("a", "y".repeat(60_000)));
    await browser.visit((session) => {
      delete session["a"];
      session.set("c", "z".repeat(60_000));
    });
    await browser.visit((session) => {
      session.clearSession();
      session.set("d", "z".repeat(60_000));
    });
    await expect(browser.visit((session) => session.set("e", "z".repeat(60_000)))).rejects.toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
    });
    expect((await browser.visit((session) => Object.keys(session))).result).toEqual(["d"]);
  });
});
