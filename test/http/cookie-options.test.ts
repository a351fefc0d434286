import { afterEach, describe, expect, it, vi } from "vitest";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const make = (options: object) => createSessions({ secretKey, logLevel: "silent", ...options } as SessionOptions);

afterEach(() => vi.unstubAllEnvs());

describe("the cookie's attributes", () => {
  const lineOf = async (options: object): Promise<string | undefined> =>
    (await new Browser(make(options)).visit((session) => session.set("n", 1))).lines[0];

  it("are the safe ones when none are given", async () => {
    expect(await lineOf({})).toMatch(/^sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  it("are those that are given", async () => {
    const options = { path: "/app", domain: "shop.example", httpOnly: false, sameSite: "strict", priority: "high" };
    expect(await lineOf({ ...options, sessionCookie: "mine", partitioned: true })).toMatch(
      /^mine=[^;]+; Path=\/app; Domain=shop\.example; Secure; SameSite=Strict; Partitioned; Priority=High$/,
    );
  });
});

describe("sessionObject", () => {
  it.each([5, "", null, {}])("%j is refused", (sessionObject) => {
    expect(() => make({ sessionObject })).toThrow(/sessionObject must be a property's name/);
  });
});

describe("in production a secret", () => {
  it.each<[string, unknown, boolean]>([
    ["of 31 bytes", new Uint8Array(31).fill(200), false],
    ["of 32 bytes", new Uint8Array(32).fill(200), true],
    ["of 31 characters", "x".repeat(31), false],
    ["of 32 characters", "x".repeat(32), true],
    ["that is short behind a good one", [secretKey, "short"], false],
  ])("%s: %j, is taken: %s", (_what, secret, taken) => {
    vi.stubEnv("NODE_ENV", "production");
    const refusal = expect(() => make({ secretKey: secret }));
    if (taken) refusal.not.toThrow();
    else refusal.toThrow(/fewer than 32 bytes/);
  });
});
