/**
 * Types that JSON lacks, written as objects with one key: `{"$date":"2026-01-31T09:30:00.000Z"}`. A user's object that
 * looks like one gets a second `$`, which reading takes away.
 *
 * The list of tags is closed, and reading builds nothing but data. Rich formats were broken into where they revived
 * more: node-serialize functions, seroval whatever a text asked for (CVE-2026-23737).
 */
import { FastSessionError } from "./errors.ts";
import { checkNumber, tooDeep } from "./json-text.ts";
import { MOST_DIGITS } from "./structured-dialect.ts";

const LITERALS: ReadonlyMap<unknown, unknown> = new Map<unknown, unknown>([
  ["undefined", undefined],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

const BIGINT = new RegExp(`^(?:0|-?[1-9][0-9]{0,${MOST_DIGITS - 1}})$`);

/** From a value that passed the walk to plain JSON. The value stays as it is. */
export function toTagged(value: unknown): unknown {
  if (value === undefined) return { $literal: "undefined" };
  if (typeof value === "bigint") return { $bigint: value.toString() };
  if (typeof value === "number" && !Number.isFinite(value)) return { $literal: String(value) };
  return typeof value === "object" && value !== null ? objectToTagged(value) : value;
}

function objectToTagged(object: object): unknown {
  if (Array.isArray(object)) return object.map((item) => toTagged(item));
  if (object instanceof Date) return { $date: object.toISOString() };
  if (object instanceof Map) return { $map: Array.from(object, ([key, item]) => [toTagged(key), toTagged(item)]) };
  if (object instanceof Set) return { $set: Array.from(object, (item) => toTagged(item)) };
  if (object instanceof Uint8Array) return { $bytes: toBase64(object) };
  const names = Object.keys(object);
  const mark = looksLikeTag(names) ? "$" : "";
  const tree: Record<string, unknown> = {};
  for (const name of names) tree[mark + name] = toTagged((object as Record<string, unknown>)[name]);
  return tree;
}

function looksLikeTag(names: readonly string[]): boolean {
  return names.length === 1 && names[0]!.startsWith("$");
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/**
 * From parsed JSON to the value. Changes the parsed tree in place.
 *
 * @param levels how many containers of the value's, not of the text's, there may be one in another
 * @throws SyntaxError for every tag that `toTagged` would not have written in just this way, and what could not be written
 * @throws FastSessionError `ERR_SESSION_UNAVAILABLE` for a tag that is not in the list
 */
export function fromTagged(json: unknown, levels: number): unknown {
  if (typeof json === "number") checkNumber(json);
  if (typeof json !== "object" || json === null) return json;
  const names = Object.keys(json);
  const tree = json as Record<string, unknown>;
  if (!Array.isArray(json) && looksLikeTag(names)) return revive(names[0]!, tree[names[0]!], levels);
  if (levels === 0) throw tooDeep();
  for (const name of names) tree[name] = fromTagged(tree[name], levels - 1);
  return json;
}

function revive(tag: string, content: unknown, levels: number): unknown {
  if (tag === "$literal" && LITERALS.has(content)) return LITERALS.get(content);
  if (tag === "$bigint" && typeof content === "string" && BIGINT.test(content)) return BigInt(content);
  // All others are containers.
  if (levels === 0) throw tooDeep();
  if (tag.startsWith("$$")) return { [tag.slice(1)]: fromTagged(content, levels - 1) };
  switch (tag) {
    case "$date": {
      if (typeof content !== "string") break;
      const date = new Date(content);
      if (!Number.isNaN(date.getTime()) && date.toISOString() === content) return date;
      break;
    }
    case "$bytes": {
      if (typeof content !== "string") break;
      const bytes = Uint8Array.from(Buffer.from(content, "base64"));
      if (toBase64(bytes) === content) return bytes;
      break;
    }
    case "$map": {
      if (!Array.isArray(content) || !content.every(isPair)) break;
      const keys = content.map(([key]) => fromTagged(key, levels - 1));
      if (areKeys(keys)) return new Map(content.map(([, item], index) => [keys[index], fromTagged(item, levels - 1)]));
      break;
    }
    case "$set": {
      if (!Array.isArray(content)) break;
      const items = content.map((item) => fromTagged(item, levels - 1));
      if (areKeys(items)) return new Set(items);
      break;
    }
    case "$literal":
    case "$bigint":
      break;
    default:
      throw new FastSessionError("ERR_SESSION_UNAVAILABLE", "a stored text has a tag that this version does not know");
  }
  throw new SyntaxError("a stored text has a tag that is not of this codec");
}

function isPair(item: unknown): item is [unknown, unknown] {
  return Array.isArray(item) && item.length === 2;
}

/** No map or set has a key twice, or `-0`. */
function areKeys(keys: readonly unknown[]): boolean {
  return new Set(keys).size === keys.length && !keys.some((key) => Object.is(key, -0));
}
