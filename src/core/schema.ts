/** Fields that check themselves, by the interface that Zod, Valibot, ArkType and others share. */
import { joinPath, pathStep } from "./value-path.ts";

/** Where a validator found trouble. Its message is not used: messages quote values. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** What a validator answers. Without `issues` the value is good, possibly changed. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<StandardIssue> };

/**
 * A schema of any library that follows Standard Schema, version 1. Only synchronous ones can check a session's field.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** Which schema each field has. Fields without one are not checked. */
export type SchemaMap = Readonly<Record<string, StandardSchema>>;

/** The data's type that a map of schemas gives: each field's output. */
export type InferSchema<M extends SchemaMap> = {
  -readonly [Field in keyof M]: M[Field] extends StandardSchema<infer _Input, infer Output> ? Output : never;
};

/** A field's value as its schema gives it, or where in it the trouble is: `cart.items[2].price`. */
export type FieldResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: string[] };

const REMEDY = "use a Standard Schema: Zod 3.24, Valibot 1, ArkType 2 or newer";

/** More say no more, and a list from a client can have one for each item. */
const MOST_ISSUES = 10;

/**
 * Checks the `schema` option before the first request does.
 *
 * @throws TypeError when it is no map from field to Standard Schema
 */
export function checkSchemaMap(map: unknown): asserts map is SchemaMap {
  if (standardOf(map) !== undefined) {
    throw new TypeError("schema takes a schema for each field: { cart: cartSchema }, not one for all of the data");
  }
  const prototype: unknown = typeof map === "object" && map !== null ? Object.getPrototypeOf(map) : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError("schema takes a plain object from field to schema: { cart: cartSchema }");
  }
  for (const [field, schema] of Object.entries(map as object)) checkSchema(field, schema);
}

function checkSchema(field: string, schema: unknown): void {
  const named = `schema of field ${JSON.stringify(field)}`;
  if (field === "__proto__") throw new TypeError('"__proto__" cannot be a field: use another name');
  const standard = standardOf(schema);
  if (standard === undefined) throw new TypeError(`${named} has no "~standard": ${REMEDY}`);
  if (standard.version !== 1) throw new TypeError(`${named} is not of version 1: ${REMEDY}`);
  if (typeof standard.vendor !== "string" || typeof standard.validate !== "function") {
    throw new TypeError(`${named} lacks a vendor or a validate function: ${REMEDY}`);
  }
}

/** The properties of a schema, not yet believed. Some libraries' schemas are functions. */
function standardOf(schema: unknown): Record<"version" | "vendor" | "validate", unknown> | undefined {
  if (!isObject(schema)) return undefined;
  const standard = (schema as Partial<Record<"~standard", unknown>>)["~standard"];
  return isObject(standard) ? (standard as Record<"version" | "vendor" | "validate", unknown>) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/**
 * Checks one field's value.
 *
 * @returns the schema's output, or the paths of at most ten issues, each once. Paths hold names, never values
 * @throws TypeError when the validator answers with a promise or with no result; and what the validator throws
 */
export function validateField(schema: StandardSchema, field: string, value: unknown): FieldResult {
  const result: unknown = schema["~standard"].validate(value);
  if (!isObject(result)) throw new TypeError(`the schema of field ${JSON.stringify(field)} gave no result`);
  if ("then" in result && typeof result.then === "function") {
    // Else its rejection, which nobody waits for, would end the process.
    Promise.resolve(result).catch(() => {});
    throw new TypeError(
      `the schema of field ${JSON.stringify(field)} answers with a promise: use a synchronous one, and check what has to wait in the handler`,
    );
  }
  const { value: output, issues } = result as { value?: unknown; issues?: ReadonlyArray<StandardIssue> };
  return issues ? { ok: false, issues: pathsOf(field, issues) } : { ok: true, value: output };
}

function pathsOf(field: string, issues: ReadonlyArray<StandardIssue>): string[] {
  const paths = new Set<string>();
  for (const { path = [] } of issues) {
    paths.add(joinPath(field, path.map(stepOf)));
    if (paths.size === MOST_ISSUES) break;
  }
  return [...paths];
}

/** The key of a map can be any value: what is no property name is not shown. */
function stepOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  const key: unknown = typeof segment === "object" ? segment.key : segment;
  return typeof key === "string" || typeof key === "number" || typeof key === "symbol" ? pathStep(key) : "[…]";
}
