import { describe, expect, it } from "vitest";
import type { StandardSchema } from "../../src/core/schema.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

/** A browser whose sessions lie in a store that answers by promises. */
function start(options: Partial<SessionOptions> = {}): { browser: Browser; sessions: Sessions; store: HostileStore } {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const secretKey = "a secret of more than thirty-two bytes";
  const sessions = createSessions({ secretKey, store, logLevel: "silent", ...options });
  return { browser: new Browser(sessions), sessions, store };
}

async function stored(browser: Browser): Promise<unknown> {
  return (await browser.visit((session) => ({ ...session }))).result;
}

function fail(): never {
  throw new Error("no");
}

describe("a step that throws", () => {
  it("leaves an absent, a deleted and a cleared field absent", async () => {
    const { browser } = start();
    await browser.visit((session) => void Object.assign(session, { a: 1, b: 2 }));
    await browser.visit((session) => {
      expect(() => session.update("c", fail)).toThrow("no");
      session.delete("a");
      expect(() => session.update("a", fail)).toThrow("no");
      expect(Object.keys(session)).toEqual(["b"]);
      session.clearSession();
      expect(() => session.update("b", fail)).toThrow("no");
      expect(Object.keys(session)).toEqual([]);
    });
    expect(await stored(browser)).toEqual({});
  });

  it("takes no part in what is written later", async () => {
    const { browser, sessions } = start();
    await browser.visit((session) => void (session["cart"] = { items: [1] }));
    const late = await browser.start();
    const cart = late.session["cart"] as { items: number[] };
    expect(() => late.session.append("cart", 2)).toThrow("list");
    cart.items.push(3);
    await new Browser(sessions, browser.cookie).visit((session) => void (session["cart"] = { items: [9] }));
    await late.end();
    expect(await stored(browser)).toEqual({ cart: { items: [1, 3] } });
  });
});

describe("a step", () => {
  it("that ends in undefined deletes the field", async () => {
    const { browser } = start();
    await browser.visit((session) => void Object.assign(session, { a: 1, b: 2 }));
    await browser.visit((session) => {
      session.update("a", () => undefined);
      expect([session.has("a"), Object.keys(session)]).toEqual([false, ["b"]]);
    });
    expect(await stored(browser)).toEqual({ b: 2 });
  });

  it("that was saved with a change in place is not applied again", async () => {
    const { browser, sessions } = start();
    await browser.visit((session) => void (session["list"] = [0]));
    const late = await browser.start();
    late.session.append("list", 1).push(2);
    await late.session.saveSession();
    await new Browser(sessions, browser.cookie).visit((session) => session.append("list", 9));
    late.session.append("list", 3);
    await late.end();
    expect(await stored(browser)).toEqual({ list: [0, 1, 2, 9, 3] });
  });
});

describe("what is recorded while a save is under way", () => {
  it("stays recorded", async () => {
    const { browser } = start();
    await browser.visit(async (session) => {
      session["a"] = 1;
      const saving = session.saveSession();
      Object.assign(session, { b: 2, cart: { items: [3] } });
      await saving;
    });
    expect(await stored(browser)).toEqual({ a: 1, b: 2, cart: { items: [3] } });
  });

  it("stays recorded after a clear", async () => {
    const { browser } = start();
    await browser.visit(async (session) => {
      session["a"] = 1;
      const saving = session.saveSession();
      session.clearSession();
      Object.assign(session, { b: 2, cart: { items: [3] } });
      await saving;
    });
    expect(await stored(browser)).toEqual({ b: 2, cart: { items: [3] } });
  });
});

describe("a field with a schema", () => {
  /** Takes objects only, and completes them. */
  const prefs: StandardSchema = {
    "~standard": {
      version: 1,
      vendor: "tests",
      validate: (value) =>
        typeof value === "object" ? { value: { lang: "en", ...value } } : { issues: [{ message: "no object" }] },
    },
  };

  /** A session whose record is older than the schema. */
  async function startWith(value: unknown): Promise<{ browser: Browser; sessions: Sessions; store: HostileStore }> {
    const before = start();
    await before.browser.visit((session) => void (session["prefs"] = value));
    before.store.takeCalls();
    const { sessions } = start({ store: before.store, schema: { prefs } });
    return { browser: new Browser(sessions, before.browser.cookie), sessions, store: before.store };
  }

  it("reads as absent where the stored value is refused", async () => {
    const { browser } = await startWith("none");
    const { result } = await browser.visit((session) => [session.has("prefs"), "prefs" in session, { ...session }]);
    expect(result).toEqual([false, false, {}]);
  });

  it("is not written because the schema completes it", async () => {
    const { browser, store } = await startWith({ size: 3 });
    const { result } = await browser.visit((session) => session["prefs"] as unknown);
    expect(result).toEqual({ lang: "en", size: 3 });
    expect(store.takeCalls()).toEqual(["load"]);
  });

  it("is written when it is changed in place", async () => {
    const { browser } = await startWith({ size: 3 });
    await browser.visit((session) => void ((session["prefs"] as { size: number }).size = 4));
    expect(await stored(browser)).toEqual({ prefs: { lang: "en", size: 4 } });
  });
});

it("a session that is full takes another field when one is deleted", async () => {
  const { browser } = start({ maxSessionBytes: 100 });
  await browser.visit((session) => void (session["a"] = "x".repeat(80)));
  await browser.visit((session) => {
    delete session["a"];
    session["b"] = "y".repeat(80);
  });
  expect(await stored(browser)).toEqual({ b: "y".repeat(80) });
});

describe("a conflict", () => {
  it("that leaves nothing to write shows the other request's value", async () => {
    const { browser, sessions } = start();
    await browser.visit((session) => void Object.assign(session, { best: 1, n: 1 }));
    const late = await browser.start();
    late.session.update("best", (best) => Math.max(best as number, 5));
    late.session.increment("n");
    await new Browser(sessions, browser.cookie).visit((session) => void (session["best"] = 7));
    await late.session.saveSession();
    expect({ ...late.session }).toEqual({ best: 7, n: 2 });
  });

  it("over a value that both assigned is written once", async () => {
    const { browser, sessions } = start({ store: new MemoryStore() });
    await browser.visit((session) => void Object.assign(session, { a: 1, n: 1 }));
    const other = new Browser(sessions, browser.cookie);
    const late = await browser.start();
    Object.assign(late.session, { a: 5, n: 5 });
    await other.visit((session) => void (session["a"] = 5));
    await late.session.saveSession();
    await other.visit((session) => void (session["a"] = 8));
    await late.end();
    expect(await stored(browser)).toEqual({ a: 8, n: 5 });
  });

  it("is refused by onConflict, whatever the field is called", async () => {
    const { browser, sessions } = start({ onConflict: "reject" });
    await browser.visit((session) => session.set("valueOf", 1));
    const late = await browser.start();
    late.session.set("valueOf", 2);
    await new Browser(sessions, browser.cookie).visit((session) => session.set("valueOf", 3));
    await expect(late.end()).rejects.toMatchObject({ code: "ERR_SESSION_CONFLICT" });
  });
});
