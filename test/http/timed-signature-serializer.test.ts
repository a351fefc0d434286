import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf, hmac } from "../../src/core/crypto.ts";
import { TimedSignatureSerializer } from "../../src/http/timed-signature-serializer.ts";
import type { TimedSignatureSerializerOptions } from "../../src/http/timed-signature-serializer.ts";

const SECRET = "a secret for tokens";
const NOW = 1_700_000_000;

const invalid = { data: null, error: "InvalidSignature" };
const expired = { data: null, error: "SignatureExpired" };

function serializer(options: TimedSignatureSerializerOptions = {}): TimedSignatureSerializer {
  return new TimedSignatureSerializer(SECRET, { now: () => NOW, ...options });
}

/** A well-signed token of any payload and timestamp text. */
function signed(payload: string, timestamp = "ZVPxAA"): string {
  const message = `${payload}.${timestamp}`;
  return `${message}.${hmac("sha1", digestOf("sha1", "itsdangerous", "signer", SECRET), message).toString("base64url")}`;
}

function compressed(text: string): string {
  return signed(`.${deflateSync(text).toString("base64url")}`);
}

describe("TimedSignatureSerializer", () => {
  it("gives back what it signed", () => {
    expect(serializer().decode(serializer().encode({ userId: 7 }))).toEqual({ data: { userId: 7 }, error: null });
  });

  it("gives back every JSON value under every algorithm", () => {
    const options = fc.record({
      salt: fc.string({ unit: "grapheme", maxLength: 20 }),
      digest: fc.constantFrom("sha1" as const, "sha256" as const, "sha384" as const, "sha512" as const),
      keyDerivation: fc.constantFrom("django-concat" as const, "concat" as const, "hmac" as const, "none" as const),
    });
    fc.assert(
      fc.property(fc.jsonValue(), options, (value, options) => {
        const token = serializer(options).encode(value);
        expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
        expect(serializer(options).decode(token)).toEqual({ data: JSON.parse(JSON.stringify(value)), error: null });
      }),
      { seed: 1970, numRuns: 300 },
    );
  });

  it.each([undefined, null, ""])("has no token in %j", (token) => {
    expect(serializer().decode(token)).toEqual({ data: null, error: "NoTokenSpecified" });
  });

  it.each([0, 7, true, {}, [], Symbol("token"), () => "token", 1n])(
    "calls a token that is no text invalid",
    (token) => {
      expect(serializer().decode(token)).toEqual(invalid);
    },
  );

  describe("with expiredIn", () => {
    const token = serializer().encode("x");
    const at = (now: number, options: TimedSignatureSerializerOptions = {}) =>
      serializer({ expiredIn: 10, now: () => now, ...options }).decode(token);

    it.each([
      [NOW, null],
      [NOW + 10.9, null],
      [NOW + 11, "SignatureExpired"],
      [NOW - 1, "SignatureExpired"],
    ])("a token of that second is judged at %d: %s", (now, error) => {
      expect(at(now).error).toBe(error);
    });

    it("leeway lets it come from a clock ahead", () => {
      expect(at(NOW - 5, { leeway: 5 }).error).toBeNull();
      expect(at(NOW - 6, { leeway: 5 })).toEqual(expired);
      expect(at(NOW + 11, { leeway: 5 })).toEqual(expired);
    });

    it("a broken clock lets nothing through", () => {
      expect(at(Number.NaN)).toEqual(expired);
    });

    it("a forged token is forged, not expired", () => {
      expect(at(NOW + 99).error).toBe("SignatureExpired");
      expect(serializer({ expiredIn: 10 }).decode(`${token.slice(0, -4)}AAAA`)).toEqual(invalid);
    });
  });

  it("without expiredIn never expires", () => {
    const token = serializer().encode("x");
    expect(serializer({ expiredIn: 0, now: () => NOW * 100 }).decode(token).error).toBeNull();
    expect(serializer({ now: () => 0 }).decode(token).error).toBeNull();
  });

  it("takes the system's clock", () => {
    const links = new TimedSignatureSerializer(SECRET, { expiredIn: 60, leeway: 60 });
    expect(links.decode(links.encode("x")).error).toBeNull();
    expect(links.decode(serializer().encode("x"))).toEqual(expired);
  });

  it("signs with the last secret and verifies with all", () => {
    const of = (...secrets: (string | Uint8Array)[]) => new TimedSignatureSerializer(secrets, { now: () => NOW });
    const bytes = Buffer.from("00ff", "hex");
    expect(of("old", bytes).encode(1)).toBe(of(bytes).encode(1));
    expect(of("old", bytes, "new").decode(of(bytes).encode(1)).error).toBeNull();
    expect(of("old", "new").decode(of(bytes).encode(1))).toEqual(invalid);
  });

  it.each<TimedSignatureSerializerOptions>([
    { salt: "other" },
    { digest: "sha256" },
    { digest: "sha512" },
    { keyDerivation: "concat" },
    { keyDerivation: "hmac" },
    { keyDerivation: "none" },
  ])("refuses a token made with %j", (options) => {
    expect(serializer().decode(serializer(options).encode("x"))).toEqual(invalid);
  });

  it("refuses every change of a single character, also one that decodes to the same bytes", () => {
    for (const options of [{}, { digest: "sha256" }] as const) {
      const token = serializer(options).encode({ sid: "x" });
      for (let place = 0; place < token.length; place++) {
        for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \u0141") {
          if (token[place] === character) continue;
          const changed = token.slice(0, place) + character + token.slice(place + 1);
          expect(serializer(options).decode(changed), changed).toEqual(invalid);
        }
      }
    }
  });

  it.each([
    ["an empty payload", signed("")],
    ["a payload of one character", signed("A")],
    ["a padded payload", signed("eyJzaWQiOiJ4In0=")],
    ["a payload in the other alphabet", signed("eyJzaWQiOiI/Pz4+fn4ifQ")],
    ["unused bits in the payload", signed("NR")],
    ["characters outside the alphabet", signed("N!Q")],
    ["a dot in the payload", signed("x.NQ")],
    ["truncated JSON", signed("eyJzaWQiOg")],
    ["two JSON texts", signed(Buffer.from("1 2").toString("base64url"))],
    ["NaN, which Python would write", signed(Buffer.from("NaN").toString("base64url"))],
    ["invalid UTF-8", signed("Iv_-Ig")],
    ["a byte order mark", signed("77u_eyJzaWQiOiJ4In0")],
    ["a timestamp with a leading zero byte", signed("NQ", "AGVT8QA")],
    ["a timestamp of zero bytes", signed("NQ", "AA")],
    ["unused bits in the timestamp", signed("NQ", "ZVPxAB")],
    ["a padded timestamp", signed("NQ", "ZVPxAA==")],
    ["characters outside the alphabet in the timestamp", signed("NQ", "!!!")],
    ["a timestamp of the year 10000", signed("NQ", "Ov_0QYA")],
    ["a timestamp of 2 to the 200", signed("NQ", Buffer.from([1, ...Buffer.alloc(25)]).toString("base64url"))],
  ])("refuses %s though it is well signed", (_what, token) => {
    expect(serializer().decode(token)).toEqual(invalid);
  });

  it.each([
    ["1970-01-01T00:00:00Z", 0, ""],
    ["one second later", 1, "AQ"],
    ["9999-12-31T23:59:59Z", 253_402_300_799, "Ov_0QX8"],
  ])("signs and reads the instant %s", (_name, seconds, timestamp) => {
    const token = serializer({ now: () => seconds }).encode(5);
    expect(token).toBe(signed("NQ", timestamp));
    expect(serializer({ now: () => seconds, expiredIn: 1 }).decode(token)).toEqual({ data: 5, error: null });
  });

  it.each([-1, 253_402_300_800, Number.NaN, Infinity, Date.now()])("signs no token at %d seconds", (seconds) => {
    expect(() => serializer({ now: () => seconds }).encode(1)).toThrow(TypeError);
  });

  describe("compressed payloads", () => {
    it("are read", () => {
      expect(serializer().decode(compressed('{"a":"b"}'))).toEqual({ data: { a: "b" }, error: null });
    });

    it("are never written", () => {
      expect(serializer().encode("a".repeat(10_000)).startsWith(".")).toBe(false);
    });

    it("are read up to 64 KiB", () => {
      const text = (length: number): string => JSON.stringify("a".repeat(length - 2));
      expect(serializer().decode(compressed(text(65_536))).error).toBeNull();
      expect(serializer().decode(compressed(text(65_537)))).toEqual(invalid);
    });

    it("of 20 MB are refused without unpacking them", () => {
      const bomb = compressed(JSON.stringify("a".repeat(20_000_000)));
      const before = process.memoryUsage().arrayBuffers;
      for (let round = 0; round < 20; round++) expect(serializer().decode(bomb)).toEqual(invalid);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16_000_000);
    });

    it.each([
      ["no zlib data", Buffer.from("not zlib")],
      ["truncated data", deflateSync('{"a":"b"}').subarray(0, -2)],
      ["no data", Buffer.alloc(0)],
      ["data that asks for a dictionary", deflateSync('"aaaa"', { dictionary: Buffer.from("aaaa") })],
    ])("with %s are refused", (_what, bytes) => {
      expect(serializer().decode(signed(`.${bytes.toString("base64url")}`))).toEqual(invalid);
    });
  });

  it("says which option is wrong", () => {
    expect(() => serializer({ salt: 5 as never })).toThrow(/salt must be a string/);
  });

  describe("encode", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    class User {
      name = "x";
    }
    it.each<[string, unknown, RegExp]>([
      ["undefined", undefined, /undefined/],
      ["a function", () => 1, /function/],
      ["a symbol", Symbol("x"), /symbol/],
      ["a bigint in an object", { a: { n: 1n } }, /"n" is a bigint/],
      ["NaN", [Number.NaN], /NaN/],
      ["Infinity", { a: -Infinity }, /"a" is -Infinity/],
      ["undefined in a list", [1, undefined], /"1" is undefined/],
      ["a hole in a list", Array(1), /undefined/],
      ["a Map", { map: new Map() }, /class of its own/],
      ["bytes", new Uint8Array(1), /class of its own/],
      ["an object of a class", { user: new User() }, /class of its own/],
      ["a circle", circular, /circular/],
      ["a toJSON that throws", { toJSON: () => expect.fail() }, /toJSON throws/],
    ])("refuses %s and says what to use", (_what, value, problem) => {
      expect(() => serializer().encode(value)).toThrow(TypeError);
      expect(() => serializer().encode(value)).toThrow(problem);
      expect(() => serializer().encode(value)).toThrow(/use plain objects/);
    });

    it("keeps the error of a toJSON as the cause", () => {
      const cause = new Error("the value's own trouble");
      const value = {
        toJSON() {
          throw cause;
        },
      };
      expect(() => serializer().encode(value)).toThrow(expect.objectContaining({ cause }));
    });

    it("leaves an undefined property out and honours toJSON, as JSON does", () => {
      const encoded = serializer().encode({ a: undefined, "": undefined, at: new Date(0) });
      expect(serializer().decode(encoded).data).toEqual({ at: "1970-01-01T00:00:00.000Z" });
    });

    it("takes objects without a prototype and values that occur twice", () => {
      const twice = Object.assign(Object.create(null), { a: 1 });
      expect(serializer().decode(serializer().encode([twice, twice])).data).toEqual([{ a: 1 }, { a: 1 }]);
    });
  });

  it.each<[unknown, object]>([
    ["", {}],
    [[], {}],
    [["a", ""], {}],
    [undefined, {}],
    [7, {}],
    [new Uint8Array(), {}],
    ["a", { expiredIn: -1 }],
    ["a", { expiredIn: "60" }],
    ["a", { expiredIn: Number.NaN }],
    ["a", { leeway: -1 }],
    ["a", { digest: "md5" }],
    ["a", { digest: "toString" }],
    ["a", { keyDerivation: "pbkdf2" }],
    ["a", { salt: 7 }],
  ])("refuses the secret %j with the options %j when it is made", (secret, options) => {
    expect(() => new TimedSignatureSerializer(secret as string, options)).toThrow(TypeError);
  });

  it("never throws on a token", () => {
    const token = serializer().encode({ sid: "x" });
    const mangled = fc
      .tuple(fc.nat(token.length), fc.nat(8), fc.string({ unit: "binary", maxLength: 8 }))
      .map(([at, removed, inserted]) => token.slice(0, at) + inserted + token.slice(at + removed));
    fc.assert(
      fc.property(fc.oneof(mangled, fc.anything(), fc.string({ unit: "binary", maxLength: 40 })), (given) => {
        expect(serializer().decode(given).error === null).toBe(given === token);
      }),
      { seed: 64, numRuns: 2000 },
    );
  });
});
