/** `ignoreBOM` keeps a byte order mark in the text, where JSON refuses it. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes to value. Throws on anything but one JSON text in valid UTF-8. */
export function fromJson(bytes: Uint8Array): unknown {
  return JSON.parse(utf8.decode(bytes));
}

/**
 * Value to JSON text, where `JSON.stringify` alone would drop or alter things in silence. An object's `toJSON` is
 * honoured, and a property that is `undefined` is left out.
 *
 * @throws TypeError for what JSON cannot hold
 */
export function toJson(value: unknown): string {
  let problem = "it is circular, too deep, or its toJSON throws";
  let outermost = true;
  function check(this: unknown, key: string, item: unknown): unknown {
    const kind = unholdable(item, outermost || Array.isArray(this));
    if (kind === null) {
      outermost = false;
      return item;
    }
    problem = outermost ? `it is ${kind}` : `"${key}" is ${kind}`;
    throw new TypeError(problem);
  }
  try {
    return JSON.stringify(value, check);
  } catch (cause) {
    throw new TypeError(
      `JSON cannot hold this value, ${problem}: use plain objects, arrays, strings, finite numbers, booleans and null`,
      { cause },
    );
  }
}

/** What is wrong with a value; `needed` where JSON would put something else in the place of `undefined`. */
function unholdable(item: unknown, needed: boolean): string | null {
  switch (typeof item) {
    case "undefined":
      return needed ? "undefined" : null;
    case "number":
      return Number.isFinite(item) ? null : String(item);
    case "bigint":
    case "function":
    case "symbol":
      return `a ${typeof item}`;
    case "object":
      return item === null || Array.isArray(item) || isPlain(item) ? null : "an object with a class of its own";
    default:
      return null;
  }
}

/** True for object literals, also those of another realm. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
