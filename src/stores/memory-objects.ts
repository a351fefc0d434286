import type { EpochMilliseconds } from "../core/units.ts";

/** A session as the original's stores know it: a plain object that is changed in place. */
export type SessionObject = Record<string, unknown>;

/** The one key under which a `SimpleStore`'s objects keep their deadline, hidden from the user's data. */
export const HIDDEN_KEY = "__fastsession__";

/** Whether the deadline hidden in an object is past. An object without one stays. */
export function isExpired(object: SessionObject, now: EpochMilliseconds): boolean {
  const hidden = object[HIDDEN_KEY];
  if (typeof hidden !== "object" || hidden === null || !("expiresAt" in hidden)) return false;
  return typeof hidden.expiresAt === "number" && hidden.expiresAt <= now;
}

/** The data behind encoded fields, for inspection. What is no JSON (another codec's, an encrypted text) is left out. */
export function decoded(fields: Readonly<Record<string, string>>): SessionObject {
  const entries: [string, unknown][] = [];
  for (const [name, text] of Object.entries(fields)) {
    try {
      entries.push([name, JSON.parse(text)]);
    } catch {
      continue;
    }
  }
  return Object.fromEntries(entries);
}
