import { describe, expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

describe("Vary", () => {
  it.each([
    [null, "Cookie"],
    ["", "Cookie"],
    ["*", "*"],
    ["Cookie", "Cookie"],
    ["cookie", "cookie"],
    ["Accept", "Accept, Cookie"],
    ["Accept,Cookie", "Accept,Cookie"],
    ["Accept, Cookie", "Accept, Cookie"],
    ["Cookie , Accept", "Cookie , Accept"],
    ["X-Cookie", "X-Cookie, Cookie"],
    ["Cookie2", "Cookie2, Cookie"],
    ["X, Y-Cookie, Z", "X, Y-Cookie, Z, Cookie"],
  ])("%j of the handler becomes %j", async (before, after) => {
    const browser = new Browser(createSessions({ secretKey }));
    const visit = await browser.start();
    if (before !== null) visit.response.headers.set("vary", before);
    visit.session.get("n");
    await visit.end();
    expect(visit.response.headers.get("vary")).toBe(after);
  });

  it("is not said by a response whose handler left the session alone", async () => {
    const browser = new Browser(createSessions({ secretKey, saveUninitialized: true }));
    const { visit, lines } = await browser.visit(() => undefined);
    expect([visit.response.headers.get("vary"), lines.length]).toEqual([null, 1]);
  });
});

describe("a cookie of an older secret", () => {
  it.each(["local", "remote"])("is left alone when the %s store fails", async (kind) => {
    const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    const browser = new Browser(createSessions({ secretKey, store }));
    await browser.visit((session) => session.set("n", 1));
    store.fail("load");
    const rotated = createSessions({ secretKey: [`newer ${secretKey}`, secretKey], store, logLevel: "silent" });
    const after = new Browser(rotated, browser.cookie);
    if (kind === "remote") {
      await expect(after.start()).rejects.toThrow();
      return;
    }
    const visit = await after.start();
    expect(() => visit.session.get("n")).toThrow();
    expect(await visit.end()).toEqual([]);
  });
});
