/** Random numbers with a seed (mulberry32), so that a case that failed comes again, and what is drawn by them. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0, below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** True once in `rounds`. */
  oneIn(rounds: number): boolean {
    return this.below(rounds) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** What parsers trip over. */
const CRUMBS: readonly string[] = [
  "",
  "\0",
  "\t",
  " ",
  "\u007f",
  "\u0085",
  "\u00a0",
  "\u00ff",
  "\u2028",
  "\ufeff",
  "\ud800",
  "\udc00",
  "\u{1f36a}",
  "\r\n",
  ";",
  "; ",
  "=",
  '"',
  "\\",
  ",",
  ".",
  "..",
  "%",
  "%00",
  "%2E",
  "%ZZ",
  "%FF",
  "%C0%80",
  "$",
  "-",
  "_",
  "+",
  "/",
  "A",
  "z",
  "0",
  "-0",
  "-1",
  "1e999",
  "9007199254740993",
  "9".repeat(400),
  "\\u0000",
  "\\u005f_proto__",
  "\x1e",
  "\x1f",
  "{",
  "}",
  "[",
  "]",
  '{"$',
  "null",
  "true",
  "NaN",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  '"__proto__":{"polluted":1}',
  "e1.",
  "s:",
];

/** A text bent in one to four places: one character, a piece more, less, twice, moved, escaped, or of another text. */
export function bend(
  random: Random,
  text: string,
  others: readonly string[],
  crumbs: readonly string[] = CRUMBS,
): string {
  for (let times = 1 + random.below(random.oneIn(3) ? 4 : 1); times > 0; times--)
    text = bendOnce(random, text, others, crumbs);
  return text;
}

function bendOnce(random: Random, text: string, others: readonly string[], crumbs: readonly string[]): string {
  const at = random.below(text.length + 1);
  const to = at + random.below(random.oneIn(4) ? text.length - at + 1 : Math.min(5, text.length - at + 1));
  const [before, piece, after] = [text.slice(0, at), text.slice(at, to), text.slice(to)];
  switch (random.below(11)) {
    case 0: // A bit of one character.
      return (
        before +
        String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(random.oneIn(8) ? 16 : 7))) +
        text.slice(at + 1)
      );
    case 1:
      return before + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    case 2:
      return before + after;
    case 3:
      return before + piece + piece + after;
    case 4:
      return before + random.pick(crumbs) + after;
    case 5:
      return before + random.pick(crumbs) + text.slice(at);
    case 6:
      return before;
    case 7: {
      const other = random.pick(others);
      return before + other.slice(random.below(other.length + 1));
    }
    case 8:
      return before + piece.replace(/./gs, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, "0")}`) + after;
    case 9:
      return before + (random.oneIn(2) ? piece.toUpperCase() : piece.toLowerCase()) + after;
    default: // Long, now and then.
      return before + (random.oneIn(50) ? piece.slice(0, 8).repeat(1000) : random.pick(others)) + after;
  }
}

const LEAVES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  0.5,
  1e21,
  1e308,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  8.64e15 + 1,
  "",
  "0",
  "\0",
  "x",
  "\ud800",
  "__proto__",
  "constructor",
  "session",
  "alias",
  "tombstone",
  "revoked",
  "2026-01-31T09:30:00.000Z",
  "null",
  "{}",
  "[]",
];
const NAMES: readonly string[] = [
  "__proto__",
  "constructor",
  "toString",
  "then",
  "cookie",
  "__fastsession__",
  "",
  "0",
  "a",
  "$date",
  "$map",
];

/** Plain JSON bent in its structure: a part replaced, removed, added, doubled, wrapped or taken from another value. */
export function bendValue(random: Random, value: unknown, others: readonly unknown[]): unknown {
  if (typeof value !== "object" || value === null || random.oneIn(8)) return leaf(random, value, others);
  if (Array.isArray(value)) {
    const list = [...(value as unknown[])];
    const at = random.below(list.length + 1);
    if (random.oneIn(5)) list.splice(at, random.below(3), leaf(random, list[at], others));
    else if (list.length > 0) list[at % list.length] = bendValue(random, list[at % list.length], others);
    return list;
  }
  const entries = Object.entries(value);
  const at = random.below(entries.length + 1);
  if (random.oneIn(5) || entries.length === 0)
    entries.splice(at, random.below(2), [random.pick(NAMES), leaf(random, value, others)]);
  else {
    const [name, part] = entries[at % entries.length] as [string, unknown];
    if (random.oneIn(6)) entries.splice(at, 1);
    else entries[at % entries.length] = [random.oneIn(8) ? random.pick(NAMES) : name, bendValue(random, part, others)];
  }
  return Object.fromEntries(entries);
}

function leaf(random: Random, value: unknown, others: readonly unknown[]): unknown {
  switch (random.below(7)) {
    case 0:
      return [value];
    case 1:
      return { [random.pick(NAMES)]: value };
    case 2:
      return random.pick(others);
    case 3:
      if (typeof value === "string") return bend(random, value, [value]);
      return typeof value === "number" ? value + random.pick([1, -1, 0.5, 1e9, -1e15]) : random.pick(LEAVES);
    default:
      return random.pick(LEAVES);
  }
}
