import { pathStep } from "./value-path.ts";
import { overLimit, Refusal } from "./value-refusal.ts";

/** What a codec makes of values that are no plain JSON. */
export interface Dialect {
  /** Whether a property that is `undefined` counts; else it is left out, as `JSON.stringify` does. */
  readonly keepsUndefined: boolean;
  /** Accepts (nothing returned) or refuses a value; visits what is inside it. */
  other(value: unknown, walk: Walk, depth: number): Refusal | undefined;
}

/**
 * Most values in a field, each counted as often as it is reached: a shared object is written each time, and 40 that
 * hold the next one twice are 2⁴⁰ values. At two characters a value or more, this is over 2 MiB of text.
 */
const MOST_VALUES = 1_048_576;

/** The largest `maxDepth`: recursion this deep leaves most of a stack free. */
export const DEEPEST = 1000;

/** One look at one field's value: can its text say exactly what it is? */
export class Walk {
  /** Whether there is a `-0`, which `JSON.stringify` would write as `0`. */
  negativeZero = false;
  /** The length of all strings, names and bytes: the text is no shorter. */
  length = 0;
  /** Whether there is a value that the dialect adds to JSON. */
  beyondJson = false;
  readonly #dialect: Dialect;
  readonly #maxDepth: number;
  #values = 0;

  constructor(dialect: Dialect, maxDepth: number) {
    this.#dialect = dialect;
    this.#maxDepth = maxDepth;
  }

  /** @param depth how many containers are around the value */
  visit(value: unknown, depth: number): Refusal | undefined {
    if (++this.#values > MOST_VALUES) return tooMany();
    if (typeof value === "string") {
      this.length += value.length;
      return undefined;
    }
    if (typeof value === "boolean" || value === null) return undefined;
    if (typeof value === "number" && Number.isFinite(value)) {
      if (value === 0 && 1 / value < 0) this.negativeZero = true;
      return undefined;
    }
    if (typeof value === "object") {
      if (depth >= this.#maxDepth) return tooDeep(this.#maxDepth).inside(value, "");
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) return this.#visitObject(value, depth + 1);
      if (prototype === Array.prototype && Array.isArray(value)) return this.#visitArray(value, depth + 1);
    }
    this.beyondJson = true;
    return this.#dialect.other(value, this, depth);
  }

  /** Through descriptors, so that no getter runs and nothing that JSON would leave out is missed. */
  #visitObject(object: object, depth: number): Refusal | undefined {
    if ("toJSON" in Object.prototype) return jsonMethod();
    const symbol = symbolKey(object);
    if (symbol !== undefined) return symbol;
    for (const name of Object.getOwnPropertyNames(object)) {
      const property = Object.getOwnPropertyDescriptor(object, name);
      if (property === undefined) continue;
      if (name === "__proto__") return protoKey();
      if (property.get !== undefined || property.set !== undefined) return accessor().inside(object, pathStep(name));
      if (!property.enumerable) return hidden().inside(object, pathStep(name));
      if (name === "toJSON" && typeof property.value === "function") return jsonMethod();
      if (property.value === undefined && !this.#dialect.keepsUndefined) continue;
      this.length += name.length;
      const refusal = this.visit(property.value, depth);
      if (refusal !== undefined) return refusal.inside(object, pathStep(name));
    }
    return undefined;
  }

  #visitArray(array: readonly unknown[], depth: number): Refusal | undefined {
    if ("toJSON" in array) return jsonMethod();
    const symbol = symbolKey(array);
    if (symbol !== undefined) return symbol;
    for (let index = 0; index < array.length; index++) {
      const value = array[index];
      // Stops at the first hole, so that a[1e8] = 1 costs nothing (devalue's GHSA-33hq-fvwr-56pm).
      if (value === undefined && !Object.hasOwn(array, index)) return sparse().inside(array, pathStep(index));
      const refusal = this.visit(value, depth);
      if (refusal !== undefined) return refusal.inside(array, pathStep(index));
    }
    // JSON would lose further names, as those of a regular expression's match. (Elements that are getters, which
    // nobody has, are read: a descriptor for each element would cost more than the text.)
    return Object.keys(array).length === array.length ? undefined : named();
  }
}

/** Looks at a whole field. @throws FastSessionError when something in it cannot be stored, or it is too long for that */
export function walkOver(
  value: unknown,
  field: string,
  dialect: Dialect,
  maxDepth: number,
  limit: number = Infinity,
): Walk {
  const walk = new Walk(dialect, maxDepth);
  const refusal = walk.visit(value, 0);
  if (refusal !== undefined) throw refusal.toError(field);
  if (walk.length > limit) throw overLimit(field, limit);
  return walk;
}

/** JSON would leave it out. */
export function symbolKey(object: object): Refusal | undefined {
  return Object.getOwnPropertySymbols(object).length > 0
    ? new Refusal("has a symbol as key", "use a string as key")
    : undefined;
}

/** `JSON.stringify` would write what it returns instead. */
function jsonMethod(): Refusal {
  return new Refusal("has a toJSON method", "store what toJSON() returns");
}

function tooDeep(maxDepth: number): Refusal {
  return new Refusal(`is nested deeper than ${maxDepth} levels`, "store it flatter", "ERR_SESSION_TOO_LARGE");
}

function tooMany(): Refusal {
  return new Refusal(`makes more than ${MOST_VALUES} values`, "store less", "ERR_SESSION_TOO_LARGE");
}

function protoKey(): Refusal {
  return new Refusal('has the key "__proto__"', "use another key, as a later merge would change a prototype");
}

function accessor(): Refusal {
  return new Refusal("is a getter or setter", "store the value it gives");
}

function hidden(): Refusal {
  return new Refusal("is a property that is not enumerable", "make it enumerable or leave it out");
}

function sparse(): Refusal {
  return new Refusal("is a hole in an array", "fill it with null");
}

function named(): Refusal {
  return new Refusal("is an array with named properties", "store an object, or a copy: [...array]");
}
