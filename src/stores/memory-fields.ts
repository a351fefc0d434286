import type { Fields } from "../core/session-record.ts";
import type { Change } from "../core/session-store.ts";

/** A text up to this length is never a rope or a slice of another in V8, and is often the text of many sessions. */
const SHORT = 12;
const SHARED_BITS = 11;
const SHARED_SHIFT: number = 32 - SHARED_BITS;
const shared: (string | undefined)[] = Array.from({ length: 1 << SHARED_BITS });

/**
 * The same text in the form that takes the least memory. A short one (`true`, `0`, `"en-GB"`) is shared by all
 * sessions that had it lately. A long one from `JSON.stringify` is a rope, which reading a character makes flat.
 */
function compact(text: string): string {
  if (text.length > SHORT) {
    text.charCodeAt(0);
    return text;
  }
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x9e3779b1);
  const slot = hash >>> SHARED_SHIFT;
  const known = shared[slot];
  return known === text ? known : (shared[slot] = text);
}

function put(fields: Record<string, string>, name: string, text: unknown): void {
  if (typeof text !== "string") throw new TypeError(`the field "${name}" is no text: fields are encoded by the core`);
  // An assignment would set the object's prototype and store nothing.
  if (name === "__proto__") Object.defineProperty(fields, name, { value: text, enumerable: true, configurable: true });
  else fields[name] = compact(text);
}

export function copyFields(fields: Fields): Fields {
  const copy: Record<string, string> = {};
  for (const name of Object.keys(fields)) put(copy, name, fields[name]);
  return copy;
}

function textOf(fields: Fields, name: string): string | null {
  return Object.hasOwn(fields, name) ? (fields[name] as string) : null;
}

/** Those expected fields that differ, with the text they have; `null` when all are as expected. */
export function differing(fields: Fields, expect: NonNullable<Change["expect"]>): Record<string, string | null> | null {
  let current: Record<string, string | null> | null = null;
  for (const name of Object.keys(expect)) {
    const text = textOf(fields, name);
    if (text !== expect[name]) (current ??= {})[name] = text;
  }
  return current;
}

/** The fields after a change, as a new object; the same one when the change has no data. */
export function changed(fields: Fields, { clear, remove, set }: Change): Fields {
  if (clear !== true && remove === undefined && set === undefined) return fields;
  let next: Record<string, string>;
  if (clear === true) next = {};
  else if (remove === undefined || remove.length === 0) next = { ...fields };
  else {
    // Built anew: `delete` would turn the object into a hash table of three times the size.
    const removed = new Set(remove);
    next = {};
    for (const name of Object.keys(fields)) if (!removed.has(name)) put(next, name, fields[name]);
  }
  if (set !== undefined) for (const name of Object.keys(set)) put(next, name, set[name]);
  return next;
}

const BEYOND_LATIN_1 = /[^\0-\u00ff]/;

/** About how many bytes V8 needs for these fields. */
export function bytesOf(fields: Fields): number {
  let bytes = 24;
  for (const name of Object.keys(fields)) {
    const text = fields[name] as string;
    bytes += 28 + text.length * (BEYOND_LATIN_1.test(text) ? 2 : 1);
  }
  return bytes;
}
