import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FastSessionError } from "../../src/core/errors.ts";
import { createJsonCodec, jsonCodec } from "../../src/core/json-codec.ts";

const SEED = 20_260_131;

function refusal(attempt: () => unknown): FastSessionError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof FastSessionError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { a: value } : [value];
  return value;
}

class User {
  name = "s3cret";
}

describe("what JSON can say comes back exactly", () => {
  test.for<[string, unknown]>([
    ["a string", "grüße 👋"],
    ["an empty string", ""],
    ["a lone surrogate", "\ud800 and \udfff"],
    ["U+0000, U+2028 and U+2029", "\u0000\u2028\u2029"],
    ["composed and decomposed letters", ["\u00e9", "e\u0301"]],
    ["an integer", 42],
    ["a fraction", 0.1],
    ["the largest number", Number.MAX_VALUE],
    ["the smallest number", Number.MIN_VALUE],
    ["zero", 0],
    ["true", true],
    ["null", null],
    ["an empty object", {}],
    ["an empty array", []],
    ["nested values", { items: [{ sku: "A", qty: 2 }, null, [[]]], ok: true }],
    ["keys that objects inherit", { constructor: 1, prototype: { x: 1 }, toString: "text", hasOwnProperty: null }],
    ["a toJSON that is data", { toJSON: "text" }],
    ["keys like array indices, in their order", { b: 1, 2: 1, 1: 1 }],
    ["odd keys", { "": 1, "a b": 2, "\ud800": 3, "\u0000": 4 }],
    ["a frozen object", Object.freeze({ a: 1 })],
  ])("%s", ([, value]) => {
    const text = jsonCodec.encode(value, "field");
    expect(text).toBe(JSON.stringify(value));
    expect(jsonCodec.decode(text)).toStrictEqual(value);
    expect(() => jsonCodec.check(value, "field")).not.toThrow();
  });

  test.for<[string, unknown, string]>([
    ["as the field", -0, "-0"],
    ["in an array", [0, -0, 1.5], "[0,-0,1.5]"],
    ["in an object", { a: { b: -0 }, "c\n": "x", d: undefined }, '{"a":{"b":-0},"c\\n":"x"}'],
  ])("minus zero %s", ([, value, text]) => {
    expect(jsonCodec.encode(value, "field")).toBe(text);
    expect(jsonCodec.encode(jsonCodec.decode(text), "field")).toBe(text);
  });

  test("a property that is undefined is left out", () => {
    expect(jsonCodec.encode({ a: undefined, b: 1 }, "field")).toBe('{"b":1}');
  });

  test("an object without prototype reads back as an ordinary one", () => {
    const value = Object.assign(Object.create(null) as object, { a: 1 });
    expect(jsonCodec.decode(jsonCodec.encode(value, "field"))).toStrictEqual({ a: 1 });
  });

  test("an object that is shared reads back as copies", () => {
    const address = { city: "Kyoto" };
    const value = jsonCodec.decode(jsonCodec.encode([address, address], "field")) as object[];
    expect(value).toStrictEqual([address, address]);
    expect(value[0]).not.toBe(value[1]);
  });
});

describe("what JSON cannot say is refused, with its path and a remedy", () => {
  test.for<[string, unknown, string, RegExp]>([
    ["undefined", undefined, "cart", /delete the field/],
    ["undefined in an array", { items: [1, undefined] }, "cart.items[1]", /store null/],
    ["a function", { render: () => "s3cret" }, "cart.render", /is a function/],
    ["a symbol", [Symbol("s3cret")], "cart[0]", /is a symbol/],
    ["a symbol as key", { a: { [Symbol("s3cret")]: 1 } }, "cart.a", /string as key/],
    ["a bigint", { n: 12_345n }, "cart.n", /toString\(\), or use codec: structuredCodec/],
    ["NaN", { items: [{ price: NaN }] }, "cart.items[0].price", /NaN or infinite; store null/],
    ["Infinity", -Infinity, "cart", /store null/],
    [
      "a Date",
      { "a b": new Date(0) },
      'cart["a b"]',
      /Date; store date\.toISOString\(\), or use codec: structuredCodec/,
    ],
    ["an invalid Date", new Date(NaN), "cart", /Date/],
    ["a Map", new Map([["s3cret", 1]]), "cart", /\[\.\.\.map\], or use codec: structuredCodec/],
    ["a Set", new Set(["s3cret"]), "cart", /\[\.\.\.set\], or use codec: structuredCodec/],
    ["a RegExp", /s3cret/, "cart", /regexp\.source and regexp\.flags$/],
    ["a Uint8Array", new Uint8Array(3), "cart", /base64.*structuredCodec/],
    ["a Buffer", Buffer.from("s3cret"), "cart", /instance of Buffer; .*"base64"\)$/],
    ["another typed array", new Float64Array(3), "cart", /Array\.from\(values\)$/],
    ["an ArrayBuffer", new ArrayBuffer(3), "cart", /ArrayBuffer/],
    ["a class instance", { user: new User() }, "cart.user", /instance of User; store a plain object/],
    [
      "an object of a plain prototype",
      Object.create({ name: "s3cret" }),
      "cart",
      /is not a plain object; store a plain object/,
    ],
    ["a subclass of Array", new (class List extends Array {})(), "cart", /instance of List/],
    ["an Error", new Error("s3cret"), "cart", /error\.message/],
    ["a URL", new URL("https://s3cret.example"), "cart", /url\.href/],
    ["a promise", Promise.resolve("s3cret"), "cart", /await it first/],
    ["a boxed string", new String("s3cret"), "cart", /valueOf/],
    ["a boxed number", new Number(5), "cart", /valueOf/],
    ["a boxed boolean", new Boolean(false), "cart", /valueOf/],
    ["a boxed bigint", Object(5n), "cart", /BigInt/],
    ["a toJSON method", { a: { toJSON: () => "s3cret" } }, "cart.a", /store what toJSON\(\) returns/],
    ["an array's toJSON method", Object.defineProperty([1], "toJSON", { value: () => "s3cret" }), "cart", /toJSON/],
    ["a hidden property", Object.defineProperty({}, "x", { value: "s3cret" }), "cart.x", /not enumerable/],
    [
      "arguments",
      (function (..._: string[]) {
        return arguments;
      })("s3cret"),
      "cart",
      /symbol|enumerable/,
    ],
    ["Math", Math, "cart", /symbol|enumerable/],
    ["a hole", [1, , 3], "cart[1]", /hole in an array; fill it with null/],
    ["a hole at the end", new Array(3), "cart[0]", /hole/],
    ["a match of a regular expression", "s3cret".match(/e/), "cart", /is undefined|named properties/],
    [
      "an array with a named property",
      Object.assign([1], { total: "s3cret" }),
      "cart",
      /named properties.*\[\.\.\.array\]/,
    ],
    ["the key __proto__", JSON.parse('{"a":[{"__proto__":{"admin":true}}]}'), "cart.a[0]", /another key/],
  ])("%s", ([, value, path, message]) => {
    const error = refusal(() => jsonCodec.encode(value, "cart"));
    expect(error).toMatchObject({ code: "ERR_SESSION_VALUE", path });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`cannot store ${path}: `);
    expect(error.message).not.toMatch(/s3cret|12345|\d\d:\d\d/);
    expect(refusal(() => jsonCodec.check(value, "cart"))).toMatchObject({ message: error.message, path });
  });

  test("a getter, without running it", () => {
    let runs = 0;
    const value = {
      items: [
        {
          get price() {
            return (runs += 1);
          },
        },
      ],
    };
    expect(refusal(() => jsonCodec.encode(value, "cart"))).toMatchObject({ path: "cart.items[0].price" });
    const method = {
      get toJSON() {
        return (runs += 1);
      },
    };
    expect(refusal(() => jsonCodec.encode(method, "cart"))).toMatchObject({ path: "cart.toJSON" });
    expect(refusal(() => jsonCodec.check({ set price(_: number) {} }, "cart"))).toMatchObject({ path: "cart.price" });
    expect(runs).toBe(0);
  });

  test("a toJSON method that every object inherits", () => {
    Object.defineProperty(Object.prototype, "toJSON", { value: () => "altered", configurable: true });
    try {
      expect(refusal(() => jsonCodec.encode({ a: 1 }, "cart")).code).toBe("ERR_SESSION_VALUE");
    } finally {
      delete (Object.prototype as { toJSON?: unknown }).toJSON;
    }
  });

  test("a circular value, where it closes", () => {
    const order: { lines: object[] } = { lines: [{}] };
    order.lines.push({ order });
    expect(refusal(() => jsonCodec.check(order, "order"))).toMatchObject({
      code: "ERR_SESSION_VALUE",
      path: "order.lines[1].order",
      message: expect.stringContaining("contains itself"),
    });
  });

  test("a field with an awkward name, with a path that cannot break a log line", () => {
    const value = { "x\ny": [NaN] };
    expect(refusal(() => jsonCodec.encode(value, "my cart")).path).toBe('["my cart"]["x\\ny"][0]');
  });

  test("a path is cut when keys are long", () => {
    const { path } = refusal(() => jsonCodec.encode({ ["👋".repeat(5000)]: NaN }, "cart"));
    expect(path).toMatch(/^cart\["👋+…$/u);
    expect(path!.length).toBeLessThanOrEqual(201);
  });
});

describe("no value is too large to be refused at once", () => {
  test("64 levels are taken and 65 refused", () => {
    expect(jsonCodec.encode(nested(64), "field")).toHaveLength(32 * 6 + 32 * 2 + 1);
    expect(refusal(() => jsonCodec.encode(nested(65), "field")).code).toBe("ERR_SESSION_TOO_LARGE");
  });

  test("100,000 levels are refused without overflowing the stack", () => {
    expect(refusal(() => jsonCodec.check(nested(100_000), "field")).code).toBe("ERR_SESSION_TOO_LARGE");
  });

  test("100,000 stored levels are corrupt, without overflowing the stack", () => {
    const text = `${"[".repeat(100_000)}"\\u0000"${"]".repeat(100_000)}`;
    expect(() => jsonCodec.decode(text)).toThrow(SyntaxError);
  });

  test("maxDepth sets another limit", () => {
    const codec = createJsonCodec({ maxDepth: 2 });
    expect(codec.encode({ a: [1] }, "field")).toBe('{"a":[1]}');
    expect(refusal(() => codec.encode({ a: [[]] }, "field"))).toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
      path: "field.a[0]",
      message: expect.stringContaining("2 levels"),
    });
    const deepest = createJsonCodec({ maxDepth: 1000 });
    expect(deepest.decode(deepest.encode([nested(999), -0], "field"))).toStrictEqual([nested(999), -0]);
  });

  test.for([0, 1.5, 1001, NaN, Infinity, "64" as unknown as number])("maxDepth %s is refused", (maxDepth) => {
    expect(() => createJsonCodec({ maxDepth })).toThrow(TypeError);
  });

  test("a sparse array is refused without a walk over its holes", () => {
    const sparse: number[] = [];
    sparse[4_294_967_294] = 1;
    // Four thousand million holes a round: a walk over them would not end within the test's time.
    for (let round = 0; round < 1000; round++) refusal(() => jsonCodec.encode({ sparse }, "field"));
    expect(refusal(() => jsonCodec.encode({ sparse }, "field")).code).toBe("ERR_SESSION_VALUE");
  });

  test("shared references that double forty times are refused", () => {
    let value: object = {};
    for (let level = 0; level < 40; level++) value = [value, value];
    expect(refusal(() => jsonCodec.check(value, "field")).code).toBe("ERR_SESSION_TOO_LARGE");
  });
});

describe("a stored text", () => {
  test.for(['{"a":{"__proto__":{"admin":true}}}', '[{"\\u005f_proto__":1}]', '{"__pr\\u006Fto__":null}'])(
    "with the key __proto__ is corrupt: %s",
    (text) => {
      expect(() => jsonCodec.decode(text)).toThrow(SyntaxError);
      expect(({} as { admin?: unknown }).admin).toBeUndefined();
    },
  );

  test("may speak of __proto__", () => {
    const value = { note: "set __proto__ or \u0001", keys: ["__proto__"] };
    expect(jsonCodec.decode(jsonCodec.encode(value, "field"))).toStrictEqual(value);
  });

  test.for(["", "s3cret", '{"a":"s3cret"', '"s3cret"x', "undefined", "NaN", "[1,]"])(
    "that is no JSON is corrupt, and the error does not quote it: %s",
    (text) => {
      const error = (() => {
        try {
          return jsonCodec.decode(text);
        } catch (caught) {
          return caught as Error;
        }
      })();
      expect(error).toBeInstanceOf(SyntaxError);
      expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain("s3cret");
    },
  );
});

describe("for any value", () => {
  const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
  const name = fc.oneof(text, fc.constantFrom("constructor", "prototype", "toString", "then", "$date", "0"));
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const { value: json } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      text,
      number,
      fc.constantFrom(null, true, false, -0),
      fc.array(tie("value"), { maxLength: 5 }),
      fc.dictionary(name, tie("value"), { maxKeys: 5 }).map((object) => ({ ...object })),
    ),
  }));

  test("that is JSON, decode(encode(value)) is the value and the text is stable", () => {
    fc.assert(
      fc.property(json, (value) => {
        const encoded = jsonCodec.encode(value, "field");
        expect(isDeepStrictEqual(jsonCodec.decode(encoded), value)).toBe(true);
        expect(isDeepStrictEqual(JSON.parse(encoded), value)).toBe(true);
        expect(jsonCodec.encode(jsonCodec.decode(encoded), "field")).toBe(encoded);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  });

  test("at all, it comes back or is refused by a typed error, and check agrees with encode", () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    let taken = 0;
    fc.assert(
      fc.property(anything, (value) => {
        let encoded: string;
        try {
          encoded = jsonCodec.encode(value, "field");
        } catch (error) {
          expect(error).toBeInstanceOf(FastSessionError);
          expect(refusal(() => jsonCodec.check(value, "field")).message).toBe((error as Error).message);
          return;
        }
        taken += 1;
        jsonCodec.check(value, "field");
        expect(isDeepStrictEqual(jsonCodec.decode(encoded), asRead(value))).toBe(true);
      }),
      { seed: SEED, numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(200);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  /** The two documented differences: no undefined properties, no null prototypes. */
  function asRead(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(asRead);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => [key, asRead(member)]),
    );
  }
});
