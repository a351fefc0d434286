import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Encryption, type EncryptionOptions } from "../../src/core/encryption.ts";
import { type FieldTexts, fieldTexts } from "../../src/core/field-texts.ts";
import { Log } from "../../src/core/logger.ts";
import { createSessions } from "../../src/create-sessions.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const OTHER = "another key, and as many bytes long";
const HANDLE = "AAECAwQFBgcICQoL";

/** Made with Python's `hmac` and `cryptography`, by the description at the top of src/core/encryption.ts. */
const GOLDEN = "e1.9FepcD.AAECAwQFBgcICQoL1Z1H-V_jZ63apVZd52UQDC3Ql7o3FWYRGh2TY18xzyFyuag";

interface Given extends Partial<EncryptionOptions> {
  readonly namespace?: string;
  readonly handle?: string;
  readonly warn?: (message: string) => void;
}

function texts({
  namespace = "sid",
  handle = HANDLE,
  warn = () => undefined,
  keys = [KEY],
  ...more
}: Given = {}): FieldTexts {
  const log = new Log({ debug: warn, info: warn, warn, error: warn }, "debug");
  return fieldTexts(new Encryption({ keys, ...more }, namespace, log), { handle, saved: true });
}

describe("a sealed text", () => {
  test("has the format that is documented", () => {
    expect(texts().open("cart", GOLDEN)).toBe('{"items":["café"]}');
    expect(texts({ keys: [new TextEncoder().encode(KEY)] }).open("cart", GOLDEN)).toBe('{"items":["café"]}');
    expect(texts().seal("cart", '{"items":["café"]}')).toMatch(
      new RegExp(`^e1\\.9FepcD\\.[\\w-]{${GOLDEN.length - 10}}$`),
    );
  });

  test("comes back as it was, for any text and field, and shows nothing of it", () => {
    const sealing = texts();
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, field) => {
        const sealed = sealing.seal(field, text);
        expect(texts().open(field, sealed)).toBe(text);
        if (text.length > 3) expect(sealed).not.toContain(text);
      }),
      { seed: 20, numRuns: 300 },
    );
  });

  test("is another one each time", () => {
    const sealing = texts();
    expect(new Set(Array.from({ length: 1000 }, () => sealing.seal("a", "1"))).size).toBe(1000);
  });

  test.for<readonly [string, Given, string]>([
    ["field", {}, "basket"],
    ["record", { handle: "AAECAwQFBgcICQoM" }, "cart"],
    ["namespace", { namespace: "admin" }, "cart"],
    ["key", { keys: [OTHER] }, "cart"],
    ["place in an unknown record", { handle: "" }, "cart"],
  ])("opens for no other %s", ([, given, field]) => {
    expect(texts(given).open(field, GOLDEN)).toBeNull();
  });

  test("opens with any of the keys, and is sealed by the first", () => {
    const sealed = texts({ keys: [OTHER] }).seal("a", "1");
    expect(texts({ keys: [KEY, OTHER] }).open("a", sealed)).toBe("1");
    expect(texts({ keys: [KEY] }).open("a", texts({ keys: [KEY, OTHER] }).seal("a", "1"))).toBe("1");
  });

  test("of which one character is another, is missing or too many, opens never", () => {
    const alphabet = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \né"];
    for (let at = 0; at < GOLDEN.length; at += 1) {
      const [before, after] = [GOLDEN.slice(0, at), GOLDEN.slice(at + 1)];
      const damaged = [
        before + after,
        `${before}A${GOLDEN[at]}${after}`,
        ...alphabet.map((one) => before + one + after),
      ];
      const opened = damaged.filter((text) => text !== GOLDEN && opensAs(text) !== null);
      expect(opened).toEqual([]);
    }
    for (let length = 0; length < GOLDEN.length; length += 1) {
      expect(texts().open("cart", GOLDEN.slice(0, length))).toBeNull();
    }
  });

  test("by a key that is not there is told of once", () => {
    const messages: string[] = [];
    const sealed = ["a", "b"].map((field) => texts({ keys: [OTHER] }).seal(field, "1"));
    const opening = texts({ warn: (message) => messages.push(message) });
    expect([opening.open("a", sealed[0] as string), opening.open("b", sealed[1] as string)]).toEqual([null, null]);
    expect(messages).toEqual([expect.stringContaining("not in encryption.keys")]);
  });
});

/** `null` also for a text that says to be of a newer version. */
function opensAs(text: string): string | null {
  try {
    return texts().open("cart", text);
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    return null;
  }
}

describe("a text that is not sealed", () => {
  test.for(["1", "", '"e1.9FepcD."', "e1", "e1.", "e.9FepcD.AAAA", "e0.9FepcD.AAAA", "e01.9FepcD.AAAA", "null"])(
    "is refused: %j",
    (text) => {
      expect(texts().open("a", text)).toBeNull();
    },
  );

  test.for(["e2.9FepcD.AAAA", "e3.", "e10.anything"])("is of a newer version where it says so: %j", (text) => {
    for (const acceptPlaintext of [true, false]) {
      const unavailable = expect.objectContaining({ code: "ERR_SESSION_UNAVAILABLE" });
      expect(() => texts({ acceptPlaintext }).open("a", text)).toThrow(unavailable);
    }
  });

  test("is taken while sessions move over, and counts as one to be written anew", () => {
    const moving = texts({ acceptPlaintext: true });
    expect(moving.open("a", "1")).toBe("1");
    expect(moving.holds("a", "1", "1")).toBe(false);
    expect(moving.open("cart", `${GOLDEN}A`)).toBeNull();
  });
});

test("a text sealed by an older key is to be written anew, one by the first key is not", () => {
  const old = texts({ keys: [OTHER] }).seal("a", "1");
  const both = texts({ keys: [KEY, OTHER] });
  expect(both.holds("a", old, "1")).toBe(false);
  const sealed = both.seal("a", "1");
  expect([both.holds("a", sealed, "1"), both.holds("a", sealed, "2"), both.holds("a", null, "1")]).toEqual([
    true,
    false,
    false,
  ]);
});

describe("at the start", () => {
  const start = (encryption: unknown) => () =>
    createSessions({ secretKey: "a secret of more than thirty-two bytes", encryption } as never);

  test.for<readonly [string, unknown]>([
    ["nothing", null],
    ["no object", "key"],
    ["no keys", {}],
    ["an empty list", { keys: [] }],
    ["one key without its list", { keys: KEY }],
    ["an empty key", { keys: [KEY, ""] }],
    ["31 bytes", { keys: [KEY.slice(1)] }],
    ["31 bytes in an array", { keys: [new Uint8Array(31)] }],
    ["a number", { keys: [1] }],
  ])("keys are refused that are %s, with the way to make one", ([, encryption]) => {
    expect(start(encryption)).toThrow(TypeError);
    expect(start(encryption)).toThrow("crypto.randomBytes(32)");
  });

  test("32 bytes are enough, counted in UTF-8", () => {
    expect(start({ keys: ["é".repeat(16)] })).not.toThrow();
    expect(start({ keys: [new Uint8Array(32)] })).not.toThrow();
  });

  test("a key that is there twice is refused, and no message shows a key", () => {
    const twice = start({ keys: [KEY, OTHER, KEY] });
    expect(twice).toThrow("the same key twice");
    expect(twice).not.toThrow(KEY);
  });

  test("an option that does not exist and one of another type are refused", () => {
    expect(start({ keys: [KEY], algorithm: "rot13" })).toThrow("encryption.algorithm");
    expect(start({ keys: [KEY], acceptPlaintext: "yes" })).toThrow("acceptPlaintext must be true or false");
  });
});
