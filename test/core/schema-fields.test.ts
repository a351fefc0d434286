/** Fields with schemas, as a handler meets them. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import type { SessionEvents } from "../../src/core/events.ts";
import type { StandardSchema } from "../../src/core/schema.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

/** A list of at most three texts, which come out in capitals. */
const cart: StandardSchema<unknown, string[]> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      if (!Array.isArray(value)) return { issues: [{ message: "not a list" }] };
      const wrong = value.findIndex((item) => typeof item !== "string");
      if (wrong !== -1) return { issues: [{ message: "not a text", path: [wrong] }] };
      return value.length > 3 ? { issues: [] } : { value: value.map((item: string) => item.toUpperCase()) };
    },
  },
};

let store: MemoryStore;
let sessions: Sessions;
let browser: Browser;

beforeEach(() => {
  store = new MemoryStore();
  sessions = createSessions({ secretKey, store, logLevel: "silent", schema: { cart } }) as Sessions;
  browser = new Browser(sessions);
});

describe("a field with a schema", () => {
  it("is kept as the schema gives it, and a field without one as it is", async () => {
    await browser.visit((session) => Object.assign(session, { cart: ["a"], free: ["a"], toString: ["a"] }));
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({
      cart: ["A"],
      free: ["a"],
      toString: ["a"],
    });
  });

  it.each([
    [["a", 7], "cart[1]"],
    ["a text", "cart"],
    [["a", "b", "c", "d"], "cart"],
  ])("refuses %j where it is saved, and says where in it", async (value, path) => {
    const { session } = await browser.start();
    const save = async (): Promise<void> => {
      session["cart"] = value;
      await session.saveSession();
    };
    await expect(save()).rejects.toMatchObject({ code: "ERR_SESSION_INVALID", path });
  });

  it("reads at once as the schema gave it, and is refused where it is assigned", async () => {
    const { session } = await browser.start();
    session["cart"] = ["a"];
    expect(session["cart"]).toEqual(["A"]);
    expect(() => (session["cart"] = "a text")).toThrow(expect.objectContaining({ code: "ERR_SESSION_INVALID" }));
    expect(() => session.append("cart", 7)).toThrow(expect.objectContaining({ code: "ERR_SESSION_INVALID" }));
    expect(session["cart"]).toEqual(["A"]);
  });

  it("that the store has and the schema refuses reads as absent, and is told", async () => {
    await browser.visit((session) => Object.assign(session, { cart: ["a"], n: 1 }));
    const { result: id } = await browser.visit((session) => session.getSessionId());
    store.commit(id, { operation: "a test's", now: Date.now(), set: { cart: "[7]" } });
    const invalid: SessionEvents["invalid"][] = [];
    sessions.on("invalid", (event) => void invalid.push(event));
    const { result } = await browser.visit((session) => [session["cart"] as unknown, session["n"] as unknown]);
    expect(result).toEqual([undefined, 1]);
    expect(invalid).toMatchObject([{ field: "cart", issues: ["cart[0]"] }]);
  });
});
