import { expectTypeOf, test } from "vitest";
import type { InferSchema, SchemaMap, StandardSchema } from "../../src/core/schema.ts";

declare const count: StandardSchema<string, number>;
declare const cart: StandardSchema<{ items: string[] }>;
declare const untyped: {
  "~standard": { version: 1; vendor: string; validate: (value: unknown, options?: object) => { value: Date } };
};
declare const callable: ((value: unknown) => boolean) & StandardSchema<boolean>;

test("the data's type has each schema's output", () => {
  const map = { count, cart, untyped, callable } satisfies SchemaMap;
  expectTypeOf<InferSchema<typeof map>>().toEqualTypeOf<{
    count: number;
    cart: { items: string[] };
    untyped: Date;
    callable: boolean;
  }>();
});

test("what is no schema of version 1 is a type error", () => {
  // @ts-expect-error -- no schema
  ({ count: 1 }) satisfies SchemaMap;
  // @ts-expect-error -- another version
  ({ count: { "~standard": { version: 2, vendor: "", validate: () => ({ value: 1 }) } } }) satisfies SchemaMap;
});
