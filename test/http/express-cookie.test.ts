import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hmac } from "../../src/core/crypto.ts";
import type { CookieFormat, CookieFormatContext } from "../../src/http/cookie-format.ts";
import { cookieCandidates } from "../../src/http/cookie-header.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import type { ExpressCookieOptions } from "../../src/http/express-cookie.ts";

const SECRET = "keyboard cat";
const ID = "GsER3ZIsAEm13o87eoffoA_v6WYXHgpS";
const START = 1_700_000_000_000;
/** By express-session 1.19.0 with this secret and id; it has both characters that are percent-encoded. */
const VALUE = "s%3AGsER3ZIsAEm13o87eoffoA_v6WYXHgpS.PR%2Bflvb51ue%2BoUgY1Zzs13PVtGM1ovrQSlvPZ7GP0hM";

const malformed = { ok: false, reason: "malformed" };
const badSignature = { ok: false, reason: "bad-signature" };

function format(changes: Partial<CookieFormatContext> = {}, options?: ExpressCookieOptions): CookieFormat {
  const context = { secrets: [SECRET], sessionCookie: "connect.sid", namespace: "connect.sid", maxAge: 0, ...changes };
  return expressCookie(options)(context);
}

function signed(id: string): string {
  return `s:${id}.${hmac("sha256", SECRET, id).toString("base64").replaceAll("=", "")}`;
}

describe("expressCookie", () => {
  it("writes and reads the cookie of express-session, which carries no time", () => {
    expect(format().write(ID, START)).toBe(VALUE);
    expect(format().read(VALUE, START)).toEqual({ ok: true, id: ID, startedAt: null, stale: false });
  });

  it("reads it without percent escapes and with lower-case ones, as express-session does", () => {
    expect(format().read(decodeURIComponent(VALUE), START)).toMatchObject({ ok: true, id: ID });
    expect(format().read(VALUE.replace("%3A", "%3a").replaceAll("%2B", "%2b"), START)).toMatchObject({
      ok: true,
      id: ID,
    });
  });

  it("reads it out of one pair of double quotes, not out of two", () => {
    const readings = (header: string): boolean[] =>
      cookieCandidates(header, "connect.sid").map((value) => format().read(value, START).ok);
    expect(readings(`connect.sid="${VALUE}"`)).toEqual([true]);
    expect(readings(`connect.sid=""${VALUE}""`)).toEqual([false]);
  });

  it.each(["a.b.c", "a+b/c=d", "%2E%20", "\u65e5\u672c\u8a9e", '"q"', ";,=", "x".repeat(1000)])(
    "reads the id %j of a generator of the application's",
    (id) => {
      expect(format().read(format().write(id, START), START)).toMatchObject({ ok: true, id });
    },
  );

  it.each([
    ["nothing", "", malformed],
    ["a word", "garbage", malformed],
    ["a bare id", ID, malformed],
    ["no prefix", signed(ID).slice(2), malformed],
    ["another prefix", signed(ID).replace("s:", "j:"), malformed],
    ["the prefix alone", "s%3A", malformed],
    ["no signature", `s:${ID}`, malformed],
    ["an empty signature", `s:${ID}.`, malformed],
    ["a short signature", signed(ID).slice(0, -1), malformed],
    ["a padded signature", `${signed(ID)}=`, malformed],
    ["the other base64 alphabet", signed(ID).replaceAll("+", "-"), malformed],
    ["a space behind", `${signed(ID)} `, malformed],
    ["a broken escape", `s%3A%ZZ${signed(ID).slice(2)}`, malformed],
    ["a broken escape behind a good value", `${VALUE}%`, malformed],
    ["a broken escape in a well-signed plain value", signed("100%"), malformed],
    ["an escape that is not UTF-8", `${VALUE}%FF`, malformed],
    ["two layers of escapes", encodeURIComponent(VALUE), malformed],
    ["another id", signed(ID).replace("GsER", "gsER"), badSignature],
    ["another secret's cookie", format({ secrets: ["another"] }).write(ID, START), badSignature],
    ["the signature of nothing", signed(""), { ok: false, reason: "unknown" }],
  ])("refuses %s", (_what, value, reading) => {
    expect(format().read(value, START)).toEqual(reading);
  });

  it("refuses every change of a single character", () => {
    const value = signed(ID);
    for (let place = 0; place < value.length; place++) {
      for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=. \u0141") {
        if (value[place] === character) continue;
        const changed = value.slice(0, place) + character + value.slice(place + 1);
        expect(format().read(changed, START).ok, changed).toBe(false);
      }
    }
  });

  it("signs with the first secret and verifies with all, the others as stale", () => {
    const rotated = format({ secrets: ["new", "old"] });
    expect(format({ secrets: ["new"] }).read(rotated.write(ID, START), START)).toMatchObject({
      ok: true,
      stale: false,
    });
    expect(rotated.read(format({ secrets: ["old"] }).write(ID, START), START)).toMatchObject({ ok: true, stale: true });
    expect(rotated.read(rotated.write(ID, START), START)).toMatchObject({ ok: true, stale: false });
  });

  it("prefers its own secretKey", () => {
    const own = format({ secrets: ["ours"] }, { secretKey: ["another", SECRET] });
    expect(own.read(VALUE, START)).toMatchObject({ ok: true, stale: true });
    expect(own.read(format({ secrets: ["ours"] }).write(ID, START), START)).toEqual(badSignature);
  });

  it.each(["", [], ["a", ""]])("refuses the secretKey %j when it is made", (secretKey) => {
    expect(() => format({}, { secretKey })).toThrow(TypeError);
  });

  it("never throws, whatever it reads", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 100 }),
      fc.string({ unit: fc.constantFrom("s", ":", "%", "3A", "%3A", ".", "A", '"'), maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, (text) => {
        expect(format().read(text, START).ok).toBe(false);
      }),
      { seed: 64, numRuns: 2000 },
    );
  });
});
