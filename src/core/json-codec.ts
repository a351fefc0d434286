import type { Codec } from "./codec.ts";
import { checkPlain, parseJson, writeJson, writeScalar } from "./json-text.ts";
import { Refusal, refusalOf } from "./value-refusal.ts";
import { DEEPEST, type Dialect, walkOver } from "./value-walk.ts";

/** Options of {@link createJsonCodec}. */
export interface JsonCodecOptions {
  /**
   * Levels of objects and arrays in a field, 1 to 1000.
   *
   * @defaultValue 64
   */
  readonly maxDepth?: number;
}

const json: Dialect = {
  keepsUndefined: false,
  other(value) {
    const refusal = refusalOf(value);
    return isStructured(value)
      ? new Refusal(refusal.problem, `${refusal.remedy}, or use codec: structuredCodec`)
      : refusal;
  },
};

/** Whether the other codec would take it. */
function isStructured(value: unknown): boolean {
  if (typeof value === "object" && value !== null) {
    return [Date, Map, Set, Uint8Array].some((type) => Object.getPrototypeOf(value) === type.prototype);
  }
  return typeof value === "bigint" || typeof value === "number" || value === undefined;
}

/**
 * A codec for plain JSON values, with limits of your own. {@link jsonCodec} says what it takes.
 *
 * @throws TypeError when `maxDepth` is not a whole number from 1 to 1000
 */
export function createJsonCodec(options: JsonCodecOptions = {}): Codec {
  const maxDepth = options.maxDepth ?? 64;
  if (!Number.isInteger(maxDepth) || maxDepth < 1 || maxDepth > DEEPEST) {
    throw new TypeError(`maxDepth must be a whole number from 1 to ${DEEPEST}; left out, it is 64`);
  }

  return {
    encode(value, field, limit) {
      if (isPlainScalar(value)) return writeScalar(value, field, limit);
      const walk = walkOver(value, field, json, maxDepth, limit);
      return writeJson(value, walk.negativeZero);
    },
    decode: (text) => checkPlain(parseJson(text), maxDepth),
    check(value, field) {
      if (!isPlainScalar(value)) walkOver(value, field, json, maxDepth);
    },
  };
}

/** Most fields are scalars and need no walk. Zero is left to it: it may be `-0`. */
export function isPlainScalar(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value) && value !== 0;
  return typeof value === "string" || typeof value === "boolean" || value === null;
}

/**
 * The default codec: plain JSON, exact or refused.
 *
 * Takes strings (any, lone surrogates too), finite numbers (`-0` too), booleans, `null`, plain objects and arrays
 * without holes, up to 64 levels deep. Everything else is an `ERR_SESSION_VALUE` that names path and remedy, because
 * `JSON.stringify` would alter it in silence: a `Date` becomes a string, a `Map` an empty object, `NaN` becomes `null`.
 *
 * Three differences remain: a property that is `undefined` is left out (it reads back as `undefined`), an object
 * without prototype reads back as an ordinary one, and an object that is shared reads back as copies.
 *
 * @example
 * fastSession({ secretKey, codec: jsonCodec });
 */
export const jsonCodec: Codec = createJsonCodec();
