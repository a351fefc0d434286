import { describe, expect, test } from "vitest";
import { checkSchemaMap, type StandardIssue, type StandardSchema, validateField } from "../../src/core/schema.ts";

type Validate<Output> = StandardSchema<unknown, Output>["~standard"]["validate"];

function schemaOf<Output>(validate: Validate<Output>): StandardSchema<unknown, Output> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

const text = schemaOf((value) =>
  typeof value === "string" ? { value } : { issues: [{ message: `got ${JSON.stringify(value)}` }] },
);
const trimmed = schemaOf((value) => ({ value: String(value).trim() }));
const refusing = (...issues: StandardIssue[]) => schemaOf(() => ({ issues }));

describe("a map of schemas is checked at start", () => {
  test("schemas of any library are taken, also those that are functions or class instances", () => {
    class Schema {
      readonly "~standard" = trimmed["~standard"];
    }
    const callable = Object.assign(() => true, { "~standard": text["~standard"] });
    const inheriting = Object.create({ "~standard": text["~standard"] }) as StandardSchema;
    expect(() => checkSchemaMap({ a: text, b: new Schema(), c: callable, d: inheriting })).not.toThrow();
    expect(() => checkSchemaMap(Object.assign(Object.create(null) as object, { a: text }))).not.toThrow();
    expect(() => checkSchemaMap({})).not.toThrow();
  });

  test.for<[string, unknown, RegExp]>([
    ["no object", "cart", /plain object from field to schema/],
    ["null", null, /plain object from field to schema/],
    ["undefined", undefined, /plain object from field to schema/],
    ["a list", [text], /plain object from field to schema/],
    ["a Map", new Map([["a", text]]), /plain object from field to schema/],
    ["one schema for everything", text, /a schema for each field/],
    ["one schema that is a function", Object.assign(() => true, text), /a schema for each field/],
    ["a map that inherits its schemas", { __proto__: { a: text } }, /plain object from field to schema/],
    ["a field without schema", { a: text, "b c": undefined }, /field "b c" has no "~standard": use a Standard Schema/],
    ["a schema from before the standard", { a: { parse: () => 1 } }, /field "a" has no "~standard".*newer/],
    ["another version", { a: { "~standard": { ...text["~standard"], version: 2 } } }, /field "a" is not of version 1/],
    ["no validator", { a: { "~standard": { version: 1, vendor: "test" } } }, /field "a" lacks/],
    ["no vendor", { a: { "~standard": { version: 1, validate: () => {} } } }, /field "a" lacks/],
    ["the field __proto__", JSON.parse('{"__proto__":{}}'), /__proto__/],
  ])("%s is a TypeError that names the remedy", ([, map, message]) => {
    expect(() => checkSchemaMap(map)).toThrow(TypeError);
    expect(() => checkSchemaMap(map)).toThrow(message);
  });
});

describe("a field is checked by its schema", () => {
  test("a good value is given as the schema gives it", () => {
    expect(validateField(text, "name", " Ann ")).toStrictEqual({ ok: true, value: " Ann " });
    expect(validateField(trimmed, "name", " Ann ")).toStrictEqual({ ok: true, value: "Ann" });
    expect(
      validateField(
        schemaOf(() => ({ value: undefined })),
        "name",
        1,
      ),
    ).toStrictEqual({ ok: true, value: undefined });
  });

  test("a method of the validator finds its schema", () => {
    const standard = {
      version: 1,
      vendor: "test",
      limit: 3,
      validate(this: { limit: number }, value: unknown) {
        return Number(value) <= this.limit ? { value } : { issues: [{ message: "too much" }] };
      },
    } as const;
    expect(validateField({ "~standard": standard }, "n", 3).ok).toBe(true);
  });

  test("a bad value is answered with paths from the field on, and without the validator's words", () => {
    const result = validateField(text, "password", { secret: "s3cret" });
    expect(result).toStrictEqual({ ok: false, issues: ["password"] });
    const nested = refusing(
      { message: "s3cret", path: ["items", 2, "price"] },
      { message: "s3cret", path: [{ key: "items" }, { key: 0 }, { key: "a b" }] },
      { message: "s3cret", path: [Symbol("s3cret")] },
      { message: "s3cret", path: [{ key: { id: "s3cret" } as unknown as string }, "x"] },
      { message: "again", path: ["items", 2, "price"] },
      { message: "whole", path: undefined },
    );
    expect(validateField(nested, "my cart", null)).toStrictEqual({
      ok: false,
      issues: [
        '["my cart"].items[2].price',
        '["my cart"].items[0]["a b"]',
        '["my cart"][symbol]',
        '["my cart"][…].x',
        '["my cart"]',
      ],
    });
  });

  test("a refusal without issues is a refusal", () => {
    expect(validateField(refusing(), "cart", 1)).toStrictEqual({ ok: false, issues: [] });
  });

  test("of many issues ten are named", () => {
    const issues = Array.from({ length: 1000 }, (_, index) => ({ message: "", path: [index] }));
    const result = validateField(refusing(...issues), "cart", 1);
    expect(result.ok || result.issues).toHaveLength(10);
  });

  test.for<[string, () => unknown]>([
    ["a promise", () => Promise.resolve({ value: 1 })],
    ["a promise that fails", () => Promise.reject(new Error("s3cret"))],
    // oxlint-disable-next-line unicorn/no-thenable -- the case itself
    ["something like a promise", () => ({ then: () => {} })],
  ])("%s is a TypeError that names the field", ([, validate]) => {
    const schema = schemaOf(validate as Validate<unknown>);
    expect(() => validateField(schema, "cart", 1)).toThrow(TypeError);
    expect(() => validateField(schema, "cart", 1)).toThrow(/field "cart" answers with a promise.*synchronous/);
  });

  test.for([undefined, null, true, "ok"])("the answer %s is a TypeError that names the field", (answer) => {
    const schema = schemaOf((() => answer) as unknown as Validate<unknown>);
    expect(() => validateField(schema, "cart", 1)).toThrow(TypeError);
    expect(() => validateField(schema, "cart", 1)).toThrow(/field "cart"/);
  });
});
