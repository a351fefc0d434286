import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FastSessionError } from "../../src/core/errors.ts";
import { jsonCodec } from "../../src/core/json-codec.ts";
import { structuredCodec } from "../../src/core/structured-codec.ts";

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

/** Values beside the text that keeps them: stored data depends on each of these lines. */
const formats: [string, unknown, string][] = [
  ["undefined", undefined, '{"$literal":"undefined"}'],
  ["an undefined property", { a: undefined }, '{"a":{"$literal":"undefined"}}'],
  ["NaN", [NaN], '[{"$literal":"NaN"}]'],
  ["Infinity", Infinity, '{"$literal":"Infinity"}'],
  ["-Infinity", -Infinity, '{"$literal":"-Infinity"}'],
  ["-0", -0, "-0"],
  ["-0 beside a tag", [-0, 1n], '[-0,{"$bigint":"1"}]'],
  ["a bigint", -12n, '{"$bigint":"-12"}'],
  ["a bigint of 4096 digits", 10n ** 4096n - 1n, `{"$bigint":"${"9".repeat(4096)}"}`],
  ["a Date", { at: new Date("2026-01-31T09:30:00.000Z") }, '{"at":{"$date":"2026-01-31T09:30:00.000Z"}}'],
  ["the last Date", new Date(864e13), '{"$date":"+275760-09-13T00:00:00.000Z"}'],
  ["a Date before year 0", new Date(-1e14), '{"$date":"-001199-02-15T14:13:20.000Z"}'],
  ["an empty Map", new Map(), '{"$map":[]}'],
  [
    "a Map",
    new Map<unknown, unknown>([
      ["a", 1],
      [NaN, new Date(0)],
    ]),
    '{"$map":[["a",1],[{"$literal":"NaN"},{"$date":"1970-01-01T00:00:00.000Z"}]]}',
  ],
  [
    "a Map with object keys",
    new Map([
      [{ id: 1 }, "x"],
      [{ id: 1 }, "y"],
    ]),
    '{"$map":[[{"id":1},"x"],[{"id":1},"y"]]}',
  ],
  ["a Map with the key __proto__", new Map([["__proto__", 1]]), '{"$map":[["__proto__",1]]}'],
  ["a Set", new Set([1, "1", undefined]), '{"$set":[1,"1",{"$literal":"undefined"}]}'],
  ["a Set in a Set", new Set([new Set([null])]), '{"$set":[{"$set":[null]}]}'],
  ["no bytes", new Uint8Array(), '{"$bytes":""}'],
  ["bytes", new Uint8Array([0, 127, 255, 1]), '{"$bytes":"AH//AQ=="}'],
  ["a part of a buffer", new Uint8Array([9, 1, 2, 9]).subarray(1, 3), '{"$bytes":"AQI="}'],
  ["an object that looks like a tag", { $date: "x" }, '{"$$date":"x"}'],
  ["an object that looks like an escaped tag", { $$date: 1 }, '{"$$$date":1}'],
  ["an object whose key is $", [{ $: 1 }], '[{"$$":1}]'],
  ["a tag in what looks like a tag", { $map: new Map() }, '{"$$map":{"$map":[]}}'],
  ["two keys with $", { $date: 1, $map: 2 }, '{"$date":1,"$map":2}'],
  ["a text that looks like a tag", '{"$date":1}', '"{\\"$date\\":1}"'],
];

describe("what a field holds comes back exactly", () => {
  test.for(formats)("%s", ([, value, text]) => {
    expect(structuredCodec.encode(value, "field")).toBe(text);
    expect(structuredCodec.decode(text)).toStrictEqual(value);
    expect(() => structuredCodec.check(value, "field")).not.toThrow();
  });

  test("bytes come back with memory of their own", () => {
    const bytes = structuredCodec.decode('{"$bytes":"AQI="}') as Uint8Array;
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    expect(bytes.buffer.byteLength).toBe(2);
  });

  test("encoding leaves the value as it was", () => {
    const value = { list: [new Date(0), { $x: 1n }], map: new Map([[1, new Set([2])]]) };
    const copy = structuredClone(value);
    structuredCodec.encode(value, "field");
    expect(value).toStrictEqual(copy);
  });
});

class User {
  name = "s3cret";
}
class Birthday extends Date {}

describe("what has no tag is refused, with its path and a remedy", () => {
  test.for<[string, unknown, string, RegExp]>([
    ["a function", { f: () => "s3cret" }, "cart.f", /is a function/],
    ["a symbol", Symbol("s3cret"), "cart", /is a symbol/],
    ["a class instance", [new User()], "cart[0]", /instance of User/],
    ["a RegExp", /s3cret/, "cart", /regexp\.source/],
    ["a URL", new URL("https://s3cret.example"), "cart", /url\.href/],
    ["a Buffer", Buffer.from("s3cret"), "cart", /instance of Buffer/],
    ["another typed array", new Uint16Array(2), "cart", /Array\.from/],
    ["an ArrayBuffer", new ArrayBuffer(2), "cart", /instance of ArrayBuffer/],
    ["an Error", new Error("s3cret"), "cart", /error\.message/],
    ["a WeakMap", new WeakMap(), "cart", /instance of WeakMap/],
    ["a boxed string", new String("s3cret"), "cart", /valueOf/],
    ["an invalid Date", { at: new Date(NaN) }, "cart.at", /invalid Date; store null/],
    ["a subclass of Date", new Birthday(0), "cart", /instance of Birthday; store date\.toISOString/],
    ["a Date with properties", Object.assign(new Date(0), { zone: "s3cret" }), "cart", /properties of its own/],
    ["a Map with properties", Object.assign(new Map(), { zone: "s3cret" }), "cart", /properties of its own/],
    ["a Set with a symbol", Object.assign(new Set(), { [Symbol("s3cret")]: 1 }), "cart", /symbol as key/],
    ["a pretended Date", Object.create(Date.prototype), "cart", /instance of Date/],
    ["a pretended Map", Object.create(Map.prototype), "cart", /instance of Map/],
    ["a pretended Set", Object.create(Set.prototype), "cart", /instance of Set/],
    ["a pretended Uint8Array", Object.create(Uint8Array.prototype), "cart", /instance of Uint8Array/],
    ["a Map's value", { m: new Map([["s3cret", [new User()]]]) }, "cart.m.values()[0][0]", /User/],
    [
      "a Map's key",
      new Map<unknown, number>([
        ["s3cret", 1],
        [{ a: /s3cret/ }, 2],
      ]),
      "cart.keys()[1].a",
      /RegExp/,
    ],
    ["a Set's item", new Set(["s3cret", new User()]), "cart.values()[1]", /User/],
    ["a hole", { a: [1, , 2] }, "cart.a[1]", /hole/],
    [
      "the key __proto__ in a Map's value",
      new Map([[1, JSON.parse('{"__proto__":1}')]]),
      "cart.values()[0]",
      /another key/,
    ],
  ])("%s", ([, value, path, message]) => {
    const error = refusal(() => structuredCodec.encode(value, "cart"));
    expect(error).toMatchObject({ code: "ERR_SESSION_VALUE", path });
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/s3cret|structuredCodec/);
    expect(refusal(() => structuredCodec.check(value, "cart")).message).toBe(error.message);
  });

  test("a Map that contains itself, where it closes", () => {
    const map = new Map<string, unknown>();
    map.set("a", [map]);
    expect(refusal(() => structuredCodec.check(map, "map"))).toMatchObject({
      code: "ERR_SESSION_VALUE",
      path: "map.values()[0][0]",
    });
  });

  test("more than 64 levels or 4096 digits", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 65; level++) deep = new Set([deep]);
    expect(refusal(() => structuredCodec.encode(deep, "field")).code).toBe("ERR_SESSION_TOO_LARGE");
    expect(refusal(() => structuredCodec.encode([10n ** 4096n], "field"))).toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
      path: "field[0]",
    });
    const [inner] = deep as Set<unknown>;
    expect(structuredCodec.decode(structuredCodec.encode(inner, "field"))).toStrictEqual(inner);
  });
});

describe("a stored text that this codec does not write is corrupt", () => {
  const texts = [
    '{"$literal":"null"}',
    '{"$literal":1}',
    '{"$literal":["NaN"]}',
    '{"$bigint":"01"}',
    '{"$bigint":"-0"}',
    '{"$bigint":"0x10"}',
    '{"$bigint":" 1"}',
    '{"$bigint":""}',
    '{"$bigint":1}',
    `{"$bigint":"${"9".repeat(4097)}"}`,
    `{"$bigint":"${"9".repeat(5_000_000)}"}`,
    '{"$date":"2026-01-31"}',
    '{"$date":"2026-02-30T00:00:00.000Z"}',
    '{"$date":"2026-01-31T09:30:00.000+00:00"}',
    '{"$date":"never"}',
    '{"$date":0}',
    '{"$date":null}',
    '{"$bytes":"AQI"}',
    '{"$bytes":"AQJ="}',
    '{"$bytes":"A-_="}',
    '{"$bytes":"AQ I="}',
    '{"$bytes":[1,2]}',
    '{"$bytes":{"length":1e9}}',
    '{"$map":{}}',
    '{"$map":[1]}',
    '{"$map":[["a"]]}',
    '{"$map":[["a",1,2]]}',
    '{"$map":[["a",1],["a",2]]}',
    '{"$map":[[-0,1]]}',
    '{"$map":[[{"$literal":"NaN"},1],[{"$literal":"NaN"},1]]}',
    '{"$set":{"length":1e9}}',
    '{"$set":"abc"}',
    '{"$set":[1,1]}',
    '{"$set":[-0]}',
    '{"$$x":{"__proto__":1}}',
    '{"__proto__":{"$date":"1970-01-01T00:00:00.000Z"}}',
    `${'{"$set":['.repeat(100_000)}${"]}".repeat(100_000)}`,
    `${"[".repeat(100_000)}"$"${"]".repeat(100_000)}`,
    "s3cret",
  ];

  test.for(texts.map((text) => [text.slice(0, 60), text] as const))("%s", ([, text]) => {
    expect(() => structuredCodec.decode(text)).toThrow(SyntaxError);
    expect(() => structuredCodec.decode(text)).not.toThrow(/s3cret|return 1|a\+/);
  });

  test("white space and escapes, which are JSON's own freedom, are read", () => {
    expect(structuredCodec.decode('{ "\\u0024date" : "1970-01-01T00:00:00.000Z" }')).toStrictEqual(new Date(0));
  });
});

test.for([
  '{"$function":"return 1"}',
  '{"$regexp":"a+"}',
  '{"$":1}',
  '[{"$x":1}]',
  '{"\\u0024x":1}',
  '{"$map":[[1,{"$x":1}]]}',
])("a stored text with another tag is of a newer version, and nothing is made of it: %s", (text) => {
  const unavailable = expect.objectContaining({ code: "ERR_SESSION_UNAVAILABLE" });
  expect(() => structuredCodec.decode(text)).toThrow(unavailable);
  expect(() => structuredCodec.decode(text)).not.toThrow(/return 1|a\+/);
});

describe("for any value", () => {
  const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
  const name = fc.oneof(text, fc.constantFrom("constructor", "$", "$date", "$map", "$$set", "$literal", "toString"));
  const scalar = fc.oneof(text, fc.double(), fc.constantFrom<unknown>(null, true, false, -0, "$date", "__proto__"));
  const containers = <T>(inner: fc.Arbitrary<T>): fc.Arbitrary<unknown>[] => [
    fc.array(inner, { maxLength: 4 }),
    fc.dictionary(name, inner, { maxKeys: 3 }).map((object) => ({ ...object })),
  ];
  const { json, rich } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      scalar.filter((value) => typeof value !== "number" || Number.isFinite(value)),
      ...containers(tie("json")),
    ),
    rich: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.constant(undefined),
      fc.bigInt(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Uint8Array.from(bytes)),
      ...containers(tie("rich")),
      fc.array(fc.tuple(tie("rich"), tie("rich")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      fc.array(tie("rich"), { maxLength: 3 }).map((items) => new Set(items)),
    ),
  }));

  test("decode(encode(value)) is the value, and its text is stable", () => {
    fc.assert(
      fc.property(rich, (value) => {
        const encoded = structuredCodec.encode(value, "field");
        const decoded = structuredCodec.decode(encoded);
        expect(isDeepStrictEqual(decoded, value)).toBe(true);
        expect(structuredCodec.encode(decoded, "field")).toBe(encoded);
        structuredCodec.check(value, "field");
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test("of plain JSON without a tag's look, the text is jsonCodec's, and either codec reads it", () => {
    let same = 0;
    fc.assert(
      fc.property(json, (value) => {
        const plain = jsonCodec.encode(value, "field");
        if (/\{"\$[^{}]*?":/.test(plain)) return;
        same += 1;
        expect(structuredCodec.encode(value, "field")).toBe(plain);
        expect(isDeepStrictEqual(structuredCodec.decode(plain), jsonCodec.decode(plain))).toBe(true);
      }),
      { seed: SEED, numRuns: 1000 },
    );
    expect(same).toBeGreaterThan(500);
  });

  const seeds = formats.map(([, , line]) => line).filter((line) => line.length < 200);
  const pieces = [
    '"$date"',
    '"$map"',
    '"$set":[',
    '"__proto__":',
    "{",
    "}",
    "[",
    "]",
    "[[",
    ",",
    ":",
    "-0",
    "1e9",
    "\\u0024",
    '"',
    "$",
  ];
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat({ max: 3 }),
    insert: fc.oneof(fc.constantFrom("", ...pieces), fc.string({ maxLength: 2 })),
  });

  test("20,000 damaged texts are corrupt or values of this codec, and change no prototype", () => {
    const prototypes = [Object, Array, Date, Map, Set, Uint8Array].map(({ prototype }) => prototype);
    const before = prototypes.map((prototype) => Reflect.ownKeys(prototype));
    let read = 0;
    const damaged = fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(damaged, ([line, edits]) => {
        let broken = line;
        for (const { at, remove, insert } of edits) {
          const place = Math.floor(at * broken.length);
          broken = broken.slice(0, place) + insert + broken.slice(place + remove);
        }
        let value: unknown;
        try {
          value = structuredCodec.decode(broken);
        } catch (error) {
          if ((error as { code?: unknown }).code !== "ERR_SESSION_UNAVAILABLE")
            expect(error).toBeInstanceOf(SyntaxError);
          return;
        }
        read += 1;
        const again = structuredCodec.encode(value, "field");
        expect(isDeepStrictEqual(structuredCodec.decode(again), value)).toBe(true);
      }),
      { seed: SEED, numRuns: 20_000 },
    );
    expect(read).toBeGreaterThan(500);
    expect(prototypes.map((prototype) => Reflect.ownKeys(prototype))).toEqual(before);
  });
});
