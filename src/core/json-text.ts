/** JSON between text and plain values, exact where `JSON` itself is not. */
import { overLimit } from "./value-refusal.ts";

/** The text of a plain value that passed a `Walk`. */
export function writeJson(value: unknown, negativeZero: boolean): string {
  return negativeZero ? writeExactly(value) : JSON.stringify(value);
}

/** The text of a scalar. A string is not written when it is too long already: 300 MB of it take seconds. */
export function writeScalar(value: unknown, field: string, limit: number = Infinity): string {
  if (typeof value === "string" && value.length > limit) throw overLimit(field, limit);
  return JSON.stringify(value);
}

/** What `JSON.stringify` writes, but `-0` as `-0`: several times slower. The walk has bounded the recursion. */
function writeExactly(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeExactly).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeExactly(member)}`).join(",")}}`;
  }
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}

/**
 * Reads JSON and refuses `__proto__` as a key.
 *
 * @throws SyntaxError that says nothing of the text: `JSON.parse`'s own message quotes it, and messages reach logs.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError("a stored text is not JSON");
  }
  // The key can also be written with escapes, and every escape of an ASCII character begins with \u00.
  if (text.includes("__proto__") || text.includes("\\u00")) refuseProtoKeys(value);
  return value;
}

/**
 * Refuses what reads well and could not be written again: numbers that are too large for a double, as `1e999`, and
 * values nested deeper than the codec writes.
 *
 * @param levels how many levels of objects and arrays there may be
 * @throws SyntaxError that says nothing of the text
 */
export function checkPlain(value: unknown, levels: number): unknown {
  if (typeof value === "number") checkNumber(value);
  if (typeof value !== "object" || value === null) return value;
  if (levels === 0) throw tooDeep();
  for (const member of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) {
    if (typeof member === "object" || typeof member === "number") checkPlain(member, levels - 1);
  }
  return value;
}

/** @throws SyntaxError for an infinity, which `JSON.parse` makes of a number that is too large */
export function checkNumber(value: number): void {
  if (!Number.isFinite(value)) throw new SyntaxError("a stored text has a number that is too large");
}

export function tooDeep(): SyntaxError {
  return new SyntaxError("a stored text is nested too deep");
}

/** Without recursion: `JSON.parse` has no limit of depth. */
function refuseProtoKeys(root: unknown): void {
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__")) throw new SyntaxError('a stored text has the key "__proto__"');
    for (const member of Object.values(value)) open.push(member);
  }
}
