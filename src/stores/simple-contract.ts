import type { SessionStore } from "../core/session-store.ts";
import type { Awaitable, EpochMilliseconds } from "../core/units.ts";

/** A session's data as a `SimpleStore` keeps it: values that JSON can hold. */
export type SimpleData = Record<string, unknown>;

/**
 * A custom store as the original has it. Each method may answer at once or by a promise. What one throws reaches the
 * handler as the `cause` of `ERR_SESSION_STORE`.
 */
export interface SimpleStore {
  hasSessionId(id: string): Awaitable<boolean>;
  /** Makes an empty session. Called once for each new id. */
  createStore(id: string): Awaitable<unknown>;
  /** The session's object, live or a copy; `null` or `undefined` for an id that is not there. */
  getStore(id: string): Awaitable<SimpleData | null | undefined>;
  /**
   * Keeps `data`: the object that `getStore` answered, changed. A store with an expiry of its own gives it
   * `data.__fastsession__.expiresAt - now` milliseconds, or more.
   */
  saveStore(id: string, data: SimpleData, now: EpochMilliseconds): Awaitable<unknown>;
  /** Removes what is old: objects whose `__fastsession__.expiresAt` (milliseconds since 1970) is `now` or before. */
  gc(now: EpochMilliseconds): Awaitable<unknown>;
  /** Removes a session. Without it an ended session stays, empty and marked, until `gc` removes it. */
  deleteStore?(id: string): Awaitable<unknown>;
}

const SIMPLE_METHODS = ["hasSessionId", "createStore", "getStore", "saveStore", "gc"] as const;
const REQUIRED_VERBS = ["load", "create", "commit", "renew", "rotate", "destroy"] as const;
const VERBS = [...REQUIRED_VERBS, "listByUser", "revokeHandle", "revokeUser", "generation", "lock", "watch"] as const;

function methodsMissing(value: unknown, names: readonly string[]): string[] {
  if (typeof value !== "object" || value === null) return [...names];
  return names.filter((name) => typeof (value as Record<string, unknown>)[name] !== "function");
}

export function isSimpleStore(value: unknown): value is SimpleStore {
  return methodsMissing(value, SIMPLE_METHODS).length === 0;
}

/** Which of the five methods something lacks to be a `SimpleStore`. */
export function missingSimpleStoreMethods(value: unknown): string[] {
  return methodsMissing(value, SIMPLE_METHODS);
}

export function isSessionStore(value: unknown): value is SessionStore {
  return methodsMissing(value, REQUIRED_VERBS).length === 0 && typeof (value as SessionStore).capabilities === "object";
}

/**
 * Whether a subclass changes any of the five methods of its base, and so has to be driven through them.
 *
 * @param base the prototype of the class it extends
 * @throws TypeError when it changes verbs of `SessionStore` too: one of the two would never be called
 */
export function overridesSimpleMethods(store: object, base: object): boolean {
  // By where they are defined, not by what they are: a store wrapped for tracing overrides nothing.
  const layers: object[] = [];
  for (let layer: unknown = store; layer !== base && layer !== null; layer = Object.getPrototypeOf(layer)) {
    layers.push(layer as object);
  }
  const overridden = (names: readonly string[]): string[] =>
    names.filter((name) => layers.some((layer) => Object.hasOwn(layer, name)));
  const simple = overridden([...SIMPLE_METHODS, "deleteStore"]);
  const verbs = overridden(VERBS);
  if (simple.length > 0 && verbs.length > 0) {
    throw new TypeError(`the store overrides ${simple.join(", ")} and ${verbs.join(", ")}: override one family`);
  }
  return simple.length > 0;
}
