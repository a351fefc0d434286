import { pathStep } from "./value-path.ts";
import { Refusal, refusalOf } from "./value-refusal.ts";
import { symbolKey, type Dialect, type Walk } from "./value-walk.ts";

/** Most digits of a bigint: converting takes more than linear time, in both directions. */
export const MOST_DIGITS = 4096;
const BIGINT_LIMIT = 10n ** BigInt(MOST_DIGITS);

/** What `structuredCodec` stores beyond JSON: a closed list, each type by its own prototype and nothing derived. */
export const structuredDialect: Dialect = {
  keepsUndefined: true,
  other(value, walk, depth) {
    if (value === undefined || typeof value === "number") return undefined;
    if (typeof value === "bigint") return value < BIGINT_LIMIT && value > -BIGINT_LIMIT ? undefined : tooLong();
    return typeof value === "object" && value !== null ? visitObject(value, walk, depth + 1) : refusalOf(value);
  },
};

/** A prototype can be borrowed, an internal slot cannot: each type is asked what only a real one answers. */
function visitObject(object: object, walk: Walk, depth: number): Refusal | undefined {
  switch (Object.getPrototypeOf(object)) {
    case Date.prototype:
      if (!answers(() => Date.prototype.getTime.call(object))) break;
      return extras(object) ?? (Number.isNaN((object as Date).getTime()) ? invalidDate() : undefined);
    case Map.prototype:
      if (!answers(() => Map.prototype.has.call(object, 0))) break;
      return extras(object) ?? visitMap(object as Map<unknown, unknown>, walk, depth);
    case Set.prototype:
      if (!answers(() => Set.prototype.has.call(object, 0))) break;
      return extras(object) ?? visitItems(object, object as Set<unknown>, ".values()", walk, depth);
    case Uint8Array.prototype:
      if (!ArrayBuffer.isView(object)) break;
      // Names beside the bytes are not looked for: listing them takes up to 300 ns a byte.
      walk.length += (object as Uint8Array).length;
      return symbolKey(object);
  }
  return refusalOf(object);
}

function visitMap(map: Map<unknown, unknown>, walk: Walk, depth: number): Refusal | undefined {
  return visitItems(map, map.keys(), ".keys()", walk, depth) ?? visitItems(map, map.values(), ".values()", walk, depth);
}

/** Items are counted in a path, `prices.values()[2]`: the keys of a map are data, not names. */
function visitItems(
  container: object,
  items: Iterable<unknown>,
  step: string,
  walk: Walk,
  depth: number,
): Refusal | undefined {
  let index = 0;
  for (const item of items) {
    const refusal = walk.visit(item, depth);
    if (refusal !== undefined) return refusal.inside(container, step + pathStep(index));
    index += 1;
  }
  return undefined;
}

function answers(question: () => unknown): boolean {
  try {
    question();
    return true;
  } catch {
    return false;
  }
}

/** Properties that a program hung on a built-in object: its tag has no room for them. */
function extras(object: object): Refusal | undefined {
  return Object.getOwnPropertyNames(object).length > 0
    ? new Refusal("has properties of its own", "store them beside it")
    : symbolKey(object);
}

function invalidDate(): Refusal {
  return new Refusal("is an invalid Date", "store null");
}

function tooLong(): Refusal {
  return new Refusal(`has more than ${MOST_DIGITS} digits`, "store a smaller number", "ERR_SESSION_TOO_LARGE");
}
