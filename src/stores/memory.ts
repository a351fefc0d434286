/**
 * Sessions in this process's memory: the default store.
 *
 * For one process whose sessions may end with it: development, tests, a single server. Not where several processes
 * serve the same users, or where a restart must log nobody out: take a store on disk or on a server.
 */
import { checkNames } from "../core/check-option.ts";
import { FastSessionError } from "../core/errors.ts";
import type { Awaitable, EpochMilliseconds } from "../core/units.ts";
import { decoded, isExpired, type SessionObject } from "./memory-objects.ts";
import { MemoryRecords } from "./memory-records.ts";

export interface MemoryStoreOptions {
  /**
   * The most sessions held at once, at least 1. Tombstones, which last for `rotationGrace`, and aliases,
   * which last for `rotateEvery` longer, have the same limit again.
   *
   * @defaultValue 1_000_000: about 500 MB of small sessions
   */
  readonly maxSessions?: number;
  /**
   * The most bytes all sessions take together, as far as that can be estimated (within a third). Set it where users
   * decide how much a session holds: a quarter of the heap (`--max-old-space-size`) is a good value.
   *
   * @defaultValue Infinity
   */
  readonly maxBytes?: number;
}

const OPTIONS = { maxSessions: true, maxBytes: true } as const;

/**
 * Keeps sessions in memory, bounded.
 *
 * When it is full, expired sessions go first, then anonymous ones that were unused for long (of sixteen that are
 * nearest to their end, the one used least lately), never one that belongs to a user. Where only those are left, a new
 * session is refused with `ERR_SESSION_STORE_FULL`; a change to an existing one is never refused.
 *
 * It has no timer: `createSessions` calls `sweep`, which looks at what is due and nothing else.
 *
 * The original's five methods are here too. A subclass that overrides one of them is driven through them, and finds
 * `super`'s working as the original's class: a live object by id. Else they only show what there is.
 *
 * @example
 * const store = new MemoryStore({ maxSessions: 100_000 });
 */
export class MemoryStore extends MemoryRecords {
  readonly #objects = new Map<string, SessionObject>();
  readonly #maxSessions: number;

  /** @throws TypeError when a limit is no positive number */
  constructor(options: MemoryStoreOptions = {}) {
    checkNames("MemoryStore", options, OPTIONS);
    const { maxSessions = 1_000_000, maxBytes = Infinity } = options;
    if (typeof maxSessions !== "number" || !(maxSessions >= 1))
      throw new TypeError("maxSessions must be a number of at least 1");
    if (typeof maxBytes !== "number" || !(maxBytes > 0))
      throw new TypeError("maxBytes must be a positive number of bytes, or Infinity");
    super(maxSessions, maxBytes);
    this.#maxSessions = maxSessions;
  }

  /** Sessions held, also those past their deadline that no sweep has reached yet. */
  override get size(): number {
    return super.size + this.#objects.size;
  }

  /** Whether a session is held under that id, expired or not. */
  hasSessionId(id: string): Awaitable<boolean> {
    return this.#objects.has(id) || this.#fieldsOf(id) !== null;
  }

  /** Makes an empty session. @returns its live object */
  createStore(id: string): unknown {
    if (!this.#objects.has(id) && this.#objects.size >= this.#maxSessions) {
      throw new FastSessionError(
        "ERR_SESSION_STORE_FULL",
        "the store is full: raise maxSessions, or use a store on disk",
      );
    }
    const object: SessionObject = {};
    this.#objects.set(id, object);
    return object;
  }

  /** The live object made by `createStore`, else a copy of the data that the library keeps under that id, else `null`. */
  getStore(id: string): Awaitable<SessionObject | null | undefined> {
    const object = this.#objects.get(id);
    if (object !== undefined) return object;
    const fields = this.#fieldsOf(id);
    return fields === null ? null : decoded(fields);
  }

  /** Does nothing: the object is live. For subclasses that keep it elsewhere too. */
  saveStore(_id: string, _data?: SessionObject): unknown {
    return undefined;
  }

  deleteStore(id: string): unknown {
    return this.#objects.delete(id);
  }

  /** Removes everything that has expired. Sessions in use are swept in the background; this is for the impatient. */
  gc(now: EpochMilliseconds = Date.now()): unknown {
    for (const [id, object] of this.#objects) if (isExpired(object, now)) this.#objects.delete(id);
    return this.sweep(now, Infinity);
  }

  #fieldsOf(id: string): Readonly<Record<string, string>> | null {
    const entry = this.load(id, 0);
    return entry?.kind === "session" ? entry.fields : null;
  }
}
