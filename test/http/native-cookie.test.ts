import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMac, deriveKey } from "../../src/core/crypto.ts";
import type { CookieFormat, CookieFormatContext } from "../../src/http/cookie-format.ts";
import { nativeCookie } from "../../src/http/native-cookie.ts";

const ID = "1abcGsER3ZIsAEm13o87eoffoA_v6WYXHgp-";
const START = 1_700_000_000_000;
const NOW = START + 5000;
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function format(changes: Partial<CookieFormatContext> = {}): CookieFormat {
  const context = { secrets: ["first secret"], sessionCookie: "sid", namespace: "sid", maxAge: 0, ...changes };
  return nativeCookie()(context);
}

const malformed = { ok: false, reason: "malformed" };
const badSignature = { ok: false, reason: "bad-signature" };
const unknownKey = { ok: false, reason: "unknown-key" };

describe("nativeCookie", () => {
  it("reads what it writes, the start in whole seconds", () => {
    expect(format().read(format().write(ID, START + 999), NOW)).toEqual({
      ok: true,
      id: ID,
      startedAt: START,
      stale: false,
    });
  });

  it("reads every id of its alphabet, 16 to 128 characters, at every start", () => {
    const id = fc.string({ unit: fc.constantFrom(...BASE64URL), minLength: 16, maxLength: 128 });
    const seconds = fc.integer({ min: 0, max: 253_402_300_799 });
    fc.assert(
      fc.property(id, seconds, (id, seconds) => {
        const value = format().write(id, seconds * 1000);
        expect(value).toMatch(/^[\w.-]+$/);
        expect(format().read(value, NOW)).toEqual({ ok: true, id, startedAt: seconds * 1000, stale: false });
      }),
      { seed: 2104, numRuns: 300 },
    );
  });

  it.each([16, 128])("reads an id of %d characters", (length) => {
    const id = "a".repeat(length);
    expect(format().read(format().write(id, 253_402_300_799_000), NOW)).toMatchObject({ ok: true, id });
  });

  it("keeps its form: id, start in base 36, key id and MAC under a key of this purpose", () => {
    const key = deriveKey("first secret", 'fastsession cookie signature v1 ["sid","sid"]');
    const [id, start, signature] = format().write(ID, START).split(".");
    expect([id, start, signature?.slice(4)]).toEqual([ID, "s44we8", createMac(key)(`${ID}.s44we8`)]);
  });

  it("judges no lifetime: a future start and an old one are the record's matter", () => {
    const value = format({ maxAge: 10 }).write(ID, START);
    expect(format({ maxAge: 10 }).read(value, 0).ok).toBe(true);
    expect(format({ maxAge: 10 }).read(value, START * 2).ok).toBe(true);
  });

  it("refuses every change of a single character", () => {
    const value = format().write(ID, START);
    for (let place = 0; place < value.length; place++) {
      for (const character of `${BASE64URL}.+/=%"\u0141 `) {
        if (value[place] === character) continue;
        const changed = value.slice(0, place) + character + value.slice(place + 1);
        expect(format().read(changed, NOW).ok, changed).toBe(false);
      }
      expect(format().read(value.slice(0, place) + value.slice(place + 1), NOW).ok).toBe(false);
    }
  });

  it("tells a forged signature from an unknown key", () => {
    const value = format().write(ID, START);
    const forged = `${value.slice(0, -1)}${value.endsWith("A") ? "E" : "A"}`;
    expect(format().read(forged, NOW)).toEqual(badSignature);
    expect(format({ secrets: ["another secret"] }).read(value, NOW)).toEqual(unknownKey);
  });

  it.each([
    ["nothing", ""],
    ["a word", "garbage"],
    ["dots", ".."],
    ["an id of 15 characters", format().write("a".repeat(15), START)],
    ["an id of 129 characters", format().write("a".repeat(129), START)],
    ["an id with other characters", format().write("../../etc/passwd", START)],
    ["an id outside ASCII", format().write(`${ID}\u00e9`, START)],
    ["a start before 1970", format().write(ID, -1000)],
    ["a fourth part", `${format().write(ID, START)}.x`],
    ["a part in front", `x.${format().write(ID, START)}`],
    ["a dot in the signature", `${"a".repeat(16)}.s44we8.${"A".repeat(40)}`],
    ["no start", `${ID}.${"A".repeat(47)}`],
    ["an empty start", `${ID}..${"A".repeat(47)}`],
    ["a start with a leading zero", format().write(ID, START).replace(".s44we8.", ".0s44we8.")],
    ["a start in capitals", format().write(ID, START).replace(".s44we8.", ".S44WE8.")],
    ["a start of nine digits", format().write(ID, START).replace(".s44we8.", ".s44we8aaa.")],
    ["a short signature", format().write(ID, START).slice(0, -1)],
    ["a long signature", `${format().write(ID, START)}A`],
    ["padding", `${format().write(ID, START).slice(0, -1)}=`],
    ["a line break behind", `${format().write(ID, START)}\n`],
    ["a megabyte", "a".repeat(1 << 20)],
    ["a megabyte of dots", ".".repeat(1 << 20)],
  ])("calls %s malformed", (_what, value) => {
    expect(format().read(value, NOW)).toEqual(malformed);
  });

  it("signs with the first secret and verifies with all, the others as stale", () => {
    const value = format({ secrets: ["old"] }).write(ID, START);
    const rotated = format({ secrets: ["new", "old", "older"] });
    expect(rotated.read(value, NOW)).toMatchObject({ ok: true, id: ID, startedAt: START, stale: true });
    expect(rotated.read(rotated.write(ID, START), NOW)).toMatchObject({ ok: true, stale: false });
    expect(format({ secrets: ["new"] }).read(rotated.write(ID, START), NOW).ok).toBe(true);
    expect(format({ secrets: ["new"] }).read(value, NOW)).toEqual(unknownKey);
  });

  it("takes a secret as text or as its bytes", () => {
    const value = format({ secrets: [Buffer.from("gr\u00fc\u00dfe")] }).write(ID, START);
    expect(format({ secrets: ["gr\u00fc\u00dfe"] }).read(value, NOW)).toMatchObject({ ok: true, stale: false });
  });

  it("is not stale where a secret stands twice", () => {
    const twice = format({ secrets: ["a", "a"] });
    expect(twice.read(twice.write(ID, START), NOW)).toMatchObject({ ok: true, stale: false });
  });

  it("tries both of two keys that share a key id", () => {
    const [one, other] = secretsWithOneKeyId();
    const value = format({ secrets: [other] }).write(ID, START);
    expect(format({ secrets: [one, other] }).read(value, NOW)).toMatchObject({ ok: true, id: ID, stale: true });
    expect(format({ secrets: [one] }).read(value, NOW)).toEqual(badSignature);
  });

  it.each<[Partial<CookieFormatContext>, Partial<CookieFormatContext>]>([
    [{ sessionCookie: "a" }, { sessionCookie: "b" }],
    [{ namespace: "a" }, { namespace: "b" }],
    [
      { namespace: "a", sessionCookie: "b" },
      { namespace: "b", sessionCookie: "a" },
    ],
    [
      { namespace: "a b", sessionCookie: "c" },
      { namespace: "a", sessionCookie: "b c" },
    ],
    [
      { namespace: 'a","b', sessionCookie: "c" },
      { namespace: "a", sessionCookie: 'b","c' },
    ],
  ])("refuses the cookie of %j in %j with the same secret", (from, to) => {
    const value = format(from).write(ID, START);
    expect(format(from).read(value, NOW).ok).toBe(true);
    expect(format(to).read(value, NOW)).toEqual(unknownKey);
  });

  it.each([[[]], [[""]], [["a", ""]], [[new Uint8Array()]]])("refuses the secrets %j when it is made", (secrets) => {
    expect(() => format({ secrets })).toThrow(TypeError);
  });

  it("never throws, whatever it reads", () => {
    const value = format().write(ID, START);
    const mangled = fc
      .tuple(fc.nat(value.length), fc.nat(8), fc.string({ unit: "binary", maxLength: 8 }))
      .map(([at, removed, inserted]) => value.slice(0, at) + inserted + value.slice(at + removed));
    fc.assert(
      fc.property(fc.oneof(mangled, fc.string({ unit: "binary", maxLength: 40 })), (text) => {
        expect(format().read(text, NOW).ok).toBe(text === value);
      }),
      { seed: 64, numRuns: 1000 },
    );
  });
});

/** Key ids are 24 bits long: some five thousand secrets hold a pair. */
function secretsWithOneKeyId(): [string, string] {
  const seen = new Map<string, string>();
  for (let number = 0; ; number++) {
    const secret = `secret ${number}`;
    const keyId = format({ secrets: [secret] })
      .write(ID, START)
      .slice(-47, -43);
    const twin = seen.get(keyId);
    if (twin !== undefined) return [twin, secret];
    seen.set(keyId, secret);
  }
}
