import { describe, expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { createCsrfCheck } from "../../src/http/csrf-check.ts";
import { verifyCsrf } from "../../src/core/csrf-token.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";

describe("a csrf token", () => {
  it("is refused when any one of its characters is changed, left out or added", async () => {
    const browser = new Browser(createSessions({ secretKey }));
    const { result: token } = await browser.visit((session) => session.csrfToken());
    await browser.visit((session) => {
      expect(verifyCsrf(session, token)).toBe(true);
      for (let at = 0; at < token.length; at++) {
        for (const other of ["A", "B", "", "AA", "=", " "]) {
          if (other === token[at]) continue;
          expect(verifyCsrf(session, token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
        }
      }
    });
  });

  it.each<unknown>([
    undefined,
    null,
    "",
    7,
    {},
    [],
    ["x".repeat(67)],
    { toString: 1, valueOf: 1 },
    "é".repeat(67),
    "x".repeat(1_000_000),
  ])("is refused without an error when it is no token at all: case %#", async (token) => {
    const browser = new Browser(createSessions({ secretKey }));
    await browser.visit((session) => session.set("n", 1));
    const { result } = await browser.visit((session) => verifyCsrf(session, token));
    expect(result).toBe(false);
  });

  it("of a session that was logged out is refused, also for who begins another one with it", async () => {
    const browser = new Browser(createSessions({ secretKey }));
    const { result: token } = await browser.visit((session) => session.csrfToken());
    const { result } = await browser.visit(async (session) => {
      await session.logout();
      session.set("n", 1);
      return verifyCsrf(session, token);
    });
    expect(result).toBe(false);
    expect((await browser.visit((session) => verifyCsrf(session, token))).result).toBe(false);
  });

  it("holds while the data changes and the secret is changed", async () => {
    const store = new MemoryStore();
    const browser = new Browser(createSessions({ secretKey, store }));
    const { result: token } = await browser.visit((session) => session.csrfToken());
    await browser.visit((session) => session.clearSession());
    const newer = createSessions({ secretKey: [`newer ${secretKey}`, secretKey], store });
    const after = new Browser(newer);
    after.cookie = browser.cookie;
    expect((await after.visit((session) => verifyCsrf(session, token))).result).toBe(true);
  });

  it("of a session that is saved costs no write", async () => {
    const store = new HostileStore(new MemoryStore());
    const browser = new Browser(createSessions({ secretKey, store }));
    await browser.visit((session) => session.set("n", 1));
    store.takeCalls();
    const { result: token } = await browser.visit((session) => session.csrfToken());
    expect((await browser.visit((session) => verifyCsrf(session, token))).result).toBe(true);
    expect(store.takeCalls()).toEqual(["load", "load"]);
  });

  it("is not given for a session that cannot be saved", async () => {
    const store = new HostileStore(new MemoryStore());
    const browser = new Browser(createSessions({ secretKey, store, onStoreError: "anonymous", logLevel: "silent" }));
    await browser.visit((session) => session.set("n", 1));
    store.fail("load");
    await expect(browser.visit((session) => session.csrfToken())).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
    });
  });
});

describe("the option csrf", () => {
  it.each([
    [1, /csrf must be/],
    ["https://a.example", /csrf must be/],
    [null, /csrf must be/],
    [{ origins: [] }, /csrf\.origins.*trustedOrigins/],
    [{ allowSameSite: "yes" }, /allowSameSite/],
    [{ trustedOrigins: "https://a.example" }, /list of origins/],
    [{ trustedOrigins: ["https://a.example/"] }, /without a path/],
    [{ trustedOrigins: ["a.example"] }, /list of origins/],
    [{ trustedOrigins: ["https://A.example"] }, /list of origins/],
    [{ trustedOrigins: ["https://a.example:443"] }, /list of origins/],
    [{ trustedOrigins: ["https://*.example"] }, /list of origins/],
    [{ trustedOrigins: ["null"] }, /list of origins/],
    [{ trustedOrigins: ["*"] }, /list of origins/],
  ])("refuses %j at start", (csrf, remedy) => {
    expect(() => createSessions({ secretKey, csrf: csrf as never })).toThrow(remedy);
  });

  it("takes the origin of an app that has a scheme of its own", () => {
    expect(() => createSessions({ secretKey, csrf: { trustedOrigins: ["capacitor://localhost"] } })).not.toThrow();
  });

  const ask = (origin: string | undefined, host: string | undefined): string | null | undefined =>
    createCsrfCheck(true)?.({
      method: "POST",
      path: "/",
      host,
      header: (name) => (name === "origin" ? origin : undefined),
    });

  it.each([
    ["https://a.example", "a.example", null],
    ["https://a.example", "a.example:443", null],
    ["http://a.example", "a.example", null],
    ["https://a.example:8443", "a.example:8443", null],
    ["https://a.example", "A.Example", null],
    ["http://[::1]:3000", "[::1]:3000", null],
    ["https://a.example:8443", "a.example", "origin"],
    ["https://a.example", "b.example", "origin"],
    ["https://a.example.evil.example", "a.example", "origin"],
    ["https://a.example@evil.example", "a.example", "origin"],
    ["https://evil.example/a.example", "a.example", "origin"],
    ["https://evil.example#a.example", "a.example", "origin"],
    ["file://", "a.example", "origin"],
    ["", "a.example", "origin"],
    ["null", "null", "origin"],
    ["https://a.example", undefined, "origin"],
    ["https://a.example", "a.example evil.example", "origin"],
  ])("compares Origin %s with the host %s: %s", (origin, host, refusal) => {
    expect(ask(origin, host)).toBe(refusal);
  });
});
