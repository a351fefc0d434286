/**
 * Stores that were made for something else, as `SessionStore`s: one object under each key, with a time to live.
 *
 * | verb | calls |
 * | --- | --- |
 * | load | get |
 * | create | get, set |
 * | commit, renew | get, set |
 * | rotate | get both, set the new one, set a mark in the old one's place |
 * | destroy | get, set a mark in its place |
 *
 * What ended leaves its mark in the store itself, so that other processes see it, too.
 */
import { choice } from "../core/check-option.ts";
import type { SessionStore, StoreCapabilities } from "../core/session-store.ts";
import type { Awaitable, EpochMilliseconds, Milliseconds } from "../core/units.ts";
import { fromSimpleStore, type SimpleData, type SimpleStore } from "./simple.ts";
import { deadlineOf } from "./simple-object.ts";

/** What a foreign store does for a wrapper. */
export interface ForeignObjects {
  /** An object, or `null` or `undefined`. */
  get(key: string): Promise<unknown>;
  set(key: string, data: SimpleData, timeToLive: Milliseconds): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  /** All keys, where the store forgets nothing by itself. */
  keys?(): Promise<readonly string[]>;
}

/** Options of the wrappers of foreign stores. */
export interface ForeignStoreOptions {
  /**
   * What sessions are stored under: a hash of the id, so that who reads the store is nobody's user; or the id, to go on
   * with records that another library made.
   *
   * @defaultValue "hash"
   */
  readonly keys?: "hash" | "id";
  /**
   * `"eventual"`: reads may not see earlier writes, as in Cloudflare KV. New sessions are then written without a look at
   * what is there, since a store may remember for a while that it found nothing.
   *
   * @defaultValue "process"
   */
  readonly consistency?: "process" | "eventual";
}

/** What a foreign store can promise: little, and in one process. */
export interface ForeignCapabilities extends StoreCapabilities {
  readonly local: false;
  readonly userIndex: false;
  readonly feed: null;
  readonly durable: false;
  readonly consistency: "process" | "eventual";
  readonly lock: false;
  readonly limits: string;
}

/** A `SessionStore` in front of a foreign one. */
export interface ForeignStore extends SessionStore {
  readonly capabilities: ForeignCapabilities;
}

/** Every option of every wrapper. */
export const FOREIGN_OPTIONS = { keys: true, consistency: true } as const;

const LIMITS =
  "this store only gets and sets whole records: two processes that write one session at once lose one of the writes, and a write may undo the other's logout; it has no index of users and no feed of revocations";

/** Kept longer than needed: the clocks of process and store differ, and a late visitor hears that the session expired. */
const KEPT_LONGER: Milliseconds = 60_000;

/** @throws TypeError for something else than such a store, or options it does not have */
export function fromForeign(objects: ForeignObjects, options: ForeignStoreOptions): ForeignStore {
  const keys = choice(options, "keys", ["hash", "id"]);
  const consistency = choice(options, "consistency", ["process", "eventual"]);
  const capabilities: ForeignCapabilities = {
    local: false,
    keys,
    userIndex: false,
    feed: null,
    durable: false,
    consistency,
    lock: false,
    limits: consistency === "eventual" ? `${LIMITS}; its reads may be older than its writes` : LIMITS,
  };
  return fromSimpleStore(new ForeignSimpleStore(objects, consistency), Object.freeze(capabilities)) as ForeignStore;
}

/** Refuses at start what has not the methods that will be called. */
export function checkMethods(store: unknown, methods: readonly string[], wanted: string): void {
  const has = (method: string): boolean => typeof (store as Record<string, unknown> | null)?.[method] === "function";
  const missing = typeof store === "object" ? methods.filter((method) => !has(method)) : methods;
  if (missing.length > 0) throw new TypeError(`${wanted} is needed here, and this has no ${missing.join(", ")}`);
}

class ForeignSimpleStore implements SimpleStore {
  readonly #objects: ForeignObjects;
  readonly #eventual: boolean;
  /** New sessions, until their first save: one call makes them. */
  readonly #made = new Set<string>();

  constructor(objects: ForeignObjects, consistency: "process" | "eventual") {
    this.#objects = objects;
    this.#eventual = consistency === "eventual";
  }

  async hasSessionId(id: string): Promise<boolean> {
    if (this.#eventual) return false;
    const found = await this.#objects.get(id);
    return found !== null && found !== undefined;
  }

  createStore(id: string): void {
    this.#made.add(id);
  }

  getStore(id: string): Awaitable<SimpleData | null> {
    return this.#made.delete(id) ? {} : (this.#objects.get(id) as Promise<SimpleData | null>);
  }

  saveStore(id: string, data: SimpleData, now: EpochMilliseconds): Awaitable<unknown> {
    const left = deadlineOf(data) - now;
    return left > 0 ? this.#objects.set(id, data, left + KEPT_LONGER) : this.#objects.delete(id);
  }

  async gc(now: EpochMilliseconds): Promise<void> {
    for (const key of (await this.#objects.keys?.()) ?? []) {
      const data = await this.#objects.get(key);
      if (isOver(data, now)) await this.#objects.delete(key);
    }
  }
}

/** What others put there stays. */
function isOver(data: unknown, now: EpochMilliseconds): boolean {
  if (typeof data !== "object" || data === null) return false;
  const deadline = deadlineOf(data as SimpleData);
  return deadline > 0 && deadline + KEPT_LONGER <= now;
}
