import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf, hmac } from "../../src/core/crypto.ts";
import { createSessions } from "../../src/create-sessions.ts";
import type { CookieFormat, CookieFormatContext } from "../../src/http/cookie-format.ts";
import { pythonCookie } from "../../src/http/python-cookie.ts";
import type { PythonCookieOptions } from "../../src/http/python-cookie.ts";
import { TimedSignatureSerializer } from "../../src/http/timed-signature-serializer.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const SECRET = "a secret of the Python application";
const ID = "257b30f6-19be-4fb3-a5fe-aa80c5406ca2";
const SECONDS = 1_700_000_000;
const START = SECONDS * 1000;

const malformed = { ok: false, reason: "malformed" };
const badSignature = { ok: false, reason: "bad-signature" };
const unknown = { ok: false, reason: "unknown" };
const expired = { ok: false, reason: "expired-absolute" };

function format(changes: Partial<CookieFormatContext> = {}, options?: PythonCookieOptions): CookieFormat {
  const context = { secrets: [SECRET], sessionCookie: "sid", namespace: "sid", maxAge: 0, ...changes };
  return pythonCookie(options)(context);
}

/** What a Python application with this secret signs. */
function signed(value: unknown): string {
  return new TimedSignatureSerializer(SECRET, { now: () => SECONDS }).encode(value);
}

/** A well-signed token around any payload text. */
function signedPayload(payload: string): string {
  const message = `${payload}.ZVPxAA`;
  return `${message}.${hmac("sha1", digestOf("sha1", "itsdangerous", "signer", SECRET), message).toString("base64url")}`;
}

describe("pythonCookie", () => {
  it("reads what it writes, the start in whole seconds", () => {
    expect(format().read(format().write(ID, START + 999), START)).toEqual({
      ok: true,
      id: ID,
      startedAt: START,
      stale: false,
    });
  });

  it("is the token of an object with the cookie's name, as Python writes it", () => {
    expect(format().write(ID, START)).toBe(signed({ sid: ID }));
    expect(format({ sessionCookie: "my_app" }).write(ID, START)).toBe(signed({ my_app: ID }));
  });

  it("says that its system counts in whole seconds", () => {
    expect(format().wholeSeconds).toBe(true);
  });

  it.each<[string, unknown, object]>([
    ["other keys beside the id", { sid: ID, x: 1 }, { ok: true, id: ID }],
    ["an id that is no UUID", { sid: "abc" }, { ok: true, id: "abc" }],
    ["an empty object", {}, unknown],
    ["another cookie's name", { other: ID }, unknown],
    ["a number as id", { sid: 7 }, unknown],
    ["null as id", { sid: null }, unknown],
    ["a list as id", { sid: [ID] }, unknown],
    ["an empty id", { sid: "" }, unknown],
    ["a list", [ID], malformed],
    ["a string", ID, malformed],
    ["a number", 5, malformed],
    ["true", true, malformed],
    ["null", null, malformed],
  ])("answers %s", (_what, payload, reading) => {
    expect(format().read(signed(payload), START)).toMatchObject(reading);
  });

  it.each(["__proto__", "constructor", "toString"])(
    "takes the id from an own property, also when it is named %s",
    (name) => {
      const named = format({ sessionCookie: name });
      expect(named.read(signed({}), START)).toEqual(unknown);
      expect(named.read(named.write(ID, START), START)).toMatchObject({ ok: true, id: ID });
    },
  );

  it("takes no id from a polluted Object.prototype", () => {
    Object.defineProperty(Object.prototype, "sid", { value: ID, configurable: true });
    try {
      expect(format().read(signed({}), START)).toEqual(unknown);
    } finally {
      Reflect.deleteProperty(Object.prototype, "sid");
    }
  });

  it.each([
    ["nothing", "", malformed],
    ["a word", "garbage", malformed],
    ["a bare id", ID, malformed],
    ["two parts", "abc.def", malformed],
    ["a signature alone", "A".repeat(27), malformed],
    ["a signature behind a dot", `.${"A".repeat(27)}`, malformed],
    ["a timestamp and a signature", `BA.${"A".repeat(27)}`, malformed],
    ["a forged signature of nothing", `..${"A".repeat(27)}`, badSignature],
    ["a truncated signature", format().write(ID, START).slice(0, -1), malformed],
    ["a padded signature", `${format().write(ID, START)}=`, malformed],
    ["another payload", signed({ sid: "x" }).replace(/^\w+/, "eyJzaWQiOiJ5In0"), badSignature],
    ["another secret's token", format({ secrets: ["another"] }).write(ID, START), badSignature],
    ["a well-signed payload that is no JSON", signedPayload("eyJzaWQiOg"), malformed],
    ["a well-signed payload that is not UTF-8", signedPayload("Iv_-Ig"), malformed],
    ["a well-signed payload in another spelling", signedPayload("eyJzaWQiOiJ4In0="), malformed],
    ["20,000 characters", "A".repeat(20_000), malformed],
  ])("refuses %s", (_what, value, reading) => {
    expect(format().read(value, START)).toEqual(reading);
  });

  it("reads a compressed payload, and refuses a bomb", () => {
    const pack = (text: string): string => signedPayload(`.${deflateSync(text).toString("base64url")}`);
    expect(format().read(pack(`{"sid":"${ID}"}`), START)).toMatchObject({ ok: true, id: ID });
    expect(format().read(pack(`{"sid":"${"a".repeat(1_000_000)}"}`), START)).toEqual(malformed);
  });

  it("signs with the last secret and verifies with all, the others as stale", () => {
    const rotated = format({ secrets: ["old", "new"] });
    expect(format({ secrets: ["new"] }).read(rotated.write(ID, START), START)).toMatchObject({
      ok: true,
      stale: false,
    });
    expect(rotated.read(format({ secrets: ["old"] }).write(ID, START), START)).toMatchObject({ ok: true, stale: true });
    expect(rotated.read(rotated.write(ID, START), START)).toMatchObject({ ok: true, stale: false });
    const asOriginal = format({ secrets: ["old", "new"] }, { signAgain: false });
    expect(asOriginal.read(format({ secrets: ["old"] }).write(ID, START), START)).toMatchObject({ stale: false });
  });

  it("prefers its own secretKey, salt, digest and keyDerivation", () => {
    const options: PythonCookieOptions = {
      secretKey: ["a", "b"],
      salt: "cookies",
      digest: "sha256",
      keyDerivation: "hmac",
    };
    const token = new TimedSignatureSerializer("b", { ...options, now: () => SECONDS }).encode({ sid: ID });
    expect(format({}, options).write(ID, START)).toBe(token);
    expect(format({}, options).read(token, START)).toMatchObject({ ok: true, id: ID });
    expect(format().read(token, START)).toEqual(malformed);
  });

  describe("with maxAge", () => {
    const limited = format({ maxAge: 10 });
    const value = limited.write(ID, START);

    it.each([
      ["at its start", START, true],
      ["through its last second", START + 10_999, true],
      ["after that", START + 11_000, false],
      ["on a clock a minute behind", START - 60_000, true],
      ["on a clock further behind", START - 61_000, false],
    ])("a session is valid %s: %d, %s", (_when, now, valid) => {
      expect(limited.read(value, now)).toEqual(valid ? { ok: true, id: ID, startedAt: START, stale: false } : expired);
    });

    it("the leeway can be chosen", () => {
      const strict = format({ maxAge: 10 }, { leeway: 0 });
      expect(strict.read(value, START).ok).toBe(true);
      expect(strict.read(value, START - 1000)).toEqual(expired);
    });

    it("an expired forgery is a forgery", () => {
      const forged = format({ secrets: ["another"] }).write(ID, START);
      expect(limited.read(forged, START + 99_000)).toEqual(badSignature);
    });
  });

  it("without maxAge looks at no clock, as the original", () => {
    const value = format().write(ID, START);
    expect(format().read(value, 0).ok).toBe(true);
    expect(format().read(value, START * 2).ok).toBe(true);
  });

  it.each<PythonCookieOptions>([
    { secretKey: "" },
    { secretKey: [] },
    { leeway: -1 },
    { leeway: Number.NaN },
    { leeway: "60" as unknown as number },
    { digest: "md5" as "sha1" },
    { keyDerivation: "scrypt" as "none" },
  ])("refuses the options %j when it is made", (options) => {
    expect(() => format({}, options)).toThrow(TypeError);
  });

  it("never throws, whatever it reads", () => {
    const value = format().write(ID, START);
    const mangled = fc
      .tuple(fc.nat(value.length), fc.nat(8), fc.string({ unit: "binary", maxLength: 8 }))
      .map(([at, removed, inserted]) => value.slice(0, at) + inserted + value.slice(at + removed));
    fc.assert(
      fc.property(fc.oneof(mangled, fc.string({ unit: "binary", maxLength: 40 })), (text) => {
        expect(format().read(text, START).ok).toBe(text === value);
      }),
      { seed: 64, numRuns: 1000 },
    );
  });
});

describe("a session behind pythonCookie", () => {
  const clock = new ManualClock(START);
  const options = { secretKey: SECRET, cookieFormat: pythonCookie(), now: clock.now, maxAge: 10 };

  it("outlives maxAge where its uses move the end", async () => {
    const browser = new Browser(createSessions({ ...options, rolling: true }));
    await browser.visit((session) => session.set("n", 1));
    for (const _ of Array(5)) {
      clock.advance(8000);
      expect((await browser.visit((session) => session.info.cause)).result).toBe("resumed");
    }
    clock.advance(11_000);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("expired-idle");
  });

  it("outlives maxAge where its login asked for more", async () => {
    const browser = new Browser(createSessions({ ...options, absoluteTimeout: 60 }));
    await browser.visit((session) => session.login("u", { maxAge: 60 }));
    clock.advance(50_000);
    expect((await browser.visit((session) => session.info.userId)).result).toBe("u");
  });
});
