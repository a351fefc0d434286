/** How long texts are, how stores keep them, and how places in data are written. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromText, put, toText } from "../../src/core/kept-text.ts";
import { exceeds, utf8Length } from "../../src/core/text-size.ts";
import { joinPath, pathStep } from "../../src/core/value-path.ts";

const property = { seed: 8601, numRuns: 1000 };
/** Units on both sides of every border of UTF-8 and of surrogates. */
const UNITS = [
  ..."\0\u001e\u001f\u0020\u007f\u0080\u07ff\u0800",
  ..."\ud7ff\ud800\udbff\udc00\udfff\ue000\uffff".split(""),
].flatMap((text) => text.split(""));
const anyText = fc.string({ unit: fc.constantFrom(...UNITS), maxLength: 12 });

describe("the length of a text", () => {
  it("is that of its bytes in UTF-8, lone surrogates as what they become", () => {
    for (const one of UNITS) {
      for (const two of ["", ...UNITS]) {
        for (const three of ["", "\udc00", "\ud800"]) {
          const text = one + two + three;
          expect(utf8Length(text), JSON.stringify(text)).toBe(Buffer.byteLength(text));
        }
      }
    }
    fc.assert(
      fc.property(anyText, (text) => {
        expect(utf8Length(text)).toBe(Buffer.byteLength(text));
      }),
      property,
    );
  });

  it("is over a limit from the first byte over it on", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: -2, max: 2 }), (text, more) => {
        const limit = Buffer.byteLength(text) + more;
        expect(exceeds(text, limit)).toBe(more < 0);
      }),
      property,
    );
  });
});

describe("a text as stores keep it", () => {
  it("comes back as it was, and has nothing that a database or its client alters", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const kept = toText(text);
        expect(fromText(kept)).toBe(text);
        for (const unit of ["\0", "\u001f"]) expect(kept).not.toContain(unit);
        expect(Buffer.from(kept).toString()).toBe(kept);
      }),
      property,
    );
  });

  it.each(["", "a", '{"a":1}', "é😀", "a\u001e", "\ue000"])("is itself where nothing is the matter: %j", (text) => {
    expect(toText(text)).toBe(text);
  });

  it.each(["\0", "a\0b", "a\u001fb", "\u001ea", "\ud800", "a\udc00"])(
    "is not itself where it would be altered: %j",
    (text) => {
      expect(toText(text)).not.toBe(text);
    },
  );

  it.each([undefined, null, 7, {}])("is of a text only, not of %j", (value) => {
    expect(() => toText(value as string)).toThrow(/are strings: fields are encoded by the core/);
  });

  it("is put under every name, also that of a prototype, where it can be listed and changed no prototype", () => {
    const fields: Record<string, string> = {};
    put(fields, "__proto__", "1");
    put(fields, "a", "2");
    expect(Object.entries(fields)).toEqual([
      ["__proto__", "1"],
      ["a", "2"],
    ]);
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    put(fields, "a", "3");
    expect(fields["a"]).toBe("3");
    expect(Object.getOwnPropertyDescriptor(fields, "__proto__")?.configurable).toBe(true);
  });
});

describe("a place in data", () => {
  it.each<[PropertyKey, string]>([
    ["price", ".price"],
    ["$_9", ".$_9"],
    ["9a", '["9a"]'],
    ["a b", '["a b"]'],
    ["", '[""]'],
    [2, "[2]"],
    [Symbol("secret"), "[symbol]"],
  ])("%s is written as %s", (key, step) => {
    expect(pathStep(key)).toBe(step);
  });

  it("begins with the field, quoted where it is no name", () => {
    expect(joinPath("cart", [".items", "[2]"])).toBe("cart.items[2]");
    expect(joinPath("a b", [".items"])).toBe('["a b"].items');
  });

  it("is cut after 200 characters, and never within one", () => {
    expect(joinPath("x".repeat(200), [])).toBe("x".repeat(200));
    expect(joinPath("x".repeat(201), [])).toBe(`${"x".repeat(200)}…`);
    expect(joinPath(`${"x".repeat(196)} `, [])).toHaveLength(201);
    expect(joinPath("a", [`["${"x".repeat(196)}😀"]`])).toBe(`a["${"x".repeat(196)}…`);
  });
});
