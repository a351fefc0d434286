import type { Codec } from "./codec.ts";
import { isPlainScalar } from "./json-codec.ts";
import { checkPlain, parseJson, writeJson, writeScalar } from "./json-text.ts";
import { structuredDialect } from "./structured-dialect.ts";
import { fromTagged, toTagged } from "./tagged-json.ts";
import { walkOver } from "./value-walk.ts";

const MAX_DEPTH = 64;

/**
 * A codec for JSON values and `Date`, `Map`, `Set`, `Uint8Array`, `bigint`, `undefined`, `NaN` and the infinities, up
 * to 64 levels deep, a bigint up to 4096 digits. Exact or refused, as with `jsonCodec`, but for nothing else: class
 * instances, functions, regular expressions and subclasses (`Buffer` is one) are an `ERR_SESSION_VALUE`.
 *
 * The text is JSON, and for plain JSON values the same as `jsonCodec`'s. Other types are objects with one key:
 * `{"$date":"2026-01-31T09:30:00.000Z"}`, `{"$map":[[key,value]]}`, `{"$set":[…]}`, `{"$bytes":"base64"}`,
 * `{"$bigint":"12"}`, `{"$literal":"NaN"}`. An object of the user's whose only key begins with `$` is written with one
 * `$` more. A text with any other such object is of a newer version, and read by that one only. So what `jsonCodec` wrote can be read here, unless an object
 * in it has a single key that begins with `$`.
 *
 * @example
 * fastSession({ secretKey, codec: structuredCodec });
 */
export const structuredCodec: Codec = {
  encode(value, field, limit) {
    if (isPlainScalar(value)) return writeScalar(value, field, limit);
    const { beyondJson, negativeZero } = walkOver(value, field, structuredDialect, MAX_DEPTH, limit);
    if (!beyondJson) {
      const text = writeJson(value, negativeZero);
      // Every object that looks like a tag leaves this trace, and few others do.
      if (!text.includes('{"$')) return text;
    }
    return writeJson(toTagged(value), negativeZero);
  },
  decode(text) {
    const json = parseJson(text);
    // `$` can also be written with an escape.
    return text.includes('"$') || text.includes("\\u00") ? fromTagged(json, MAX_DEPTH) : checkPlain(json, MAX_DEPTH);
  },
  check(value, field) {
    if (!isPlainScalar(value)) walkOver(value, field, structuredDialect, MAX_DEPTH);
  },
};
