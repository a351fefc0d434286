/**
 * A near cache: loads of sessions that did not change are answered from this process's memory.
 *
 * | verb | what happens |
 * | --- | --- |
 * | `load` | a record read less than `maxStale` ago and not dropped since; else the store's `load`, which is kept |
 * | every other verb | the store's, unchanged; the keys it concerns are dropped before it is sent and when it is answered |
 * | notices `revoked`, `rotated`, `changed` | their keys are dropped |
 * | notice `lost` | everything is dropped, and nothing is kept until `restored` |
 *
 * Not where a request must see what another process acknowledged just before: a notice takes a moment. Not for a store
 * on the same machine, whose answer costs little more than the cache's own bookkeeping.
 */
import { checkNames } from "../core/check-option.ts";
import type { Alias, Key, NewSession, StoredSession, Tombstone } from "../core/session-record.ts";
import type {
  Change,
  Committed,
  Conflict,
  Created,
  Duplicate,
  Gone,
  LiveStore,
  Moved,
  Rejected,
  RotateChange,
  Rotated,
  SessionStore,
  StoreNotice,
} from "../core/session-store.ts";
import type { Awaitable, EpochMilliseconds, Seconds } from "../core/units.ts";
import { CachedFeed } from "./cached-feed.ts";
import { CachedRecords } from "./cached-records.ts";

export interface CachedOptions {
  /** The most records kept, at least 1. The one used longest ago goes first. @defaultValue 10_000 */
  readonly maxEntries?: number;
  /**
   * How old a record may be that is served, by its load, in seconds: above 0, 3,600 at most. It bounds what a feed can
   * do that says nothing though its connection looks well.
   *
   * @defaultValue 5
   */
  readonly maxStale?: Seconds;
}

const OPTIONS = { maxEntries: true, maxStale: true } as const;
const MAX_STALE: Seconds = 3600;

type Optional<Verb extends keyof SessionStore> = NonNullable<SessionStore[Verb]>;

/** What `cached` makes. */
export class CachedStore implements LiveStore {
  readonly capabilities: LiveStore["capabilities"];
  readonly #store: SessionStore;
  readonly #records: CachedRecords;
  readonly #feed: CachedFeed;
  declare readonly listByUser?: Optional<"listByUser">;
  declare readonly revokeHandle?: Optional<"revokeHandle">;
  declare readonly revokeUser?: Optional<"revokeUser">;
  declare readonly generation?: Optional<"generation">;
  declare readonly lock?: Optional<"lock">;
  declare readonly sweep?: Optional<"sweep">;
  declare readonly ping?: Optional<"ping">;

  constructor(store: SessionStore, options: CachedOptions) {
    checkNames("cached", options, OPTIONS);
    const { maxEntries = 10_000, maxStale = 5 } = options;
    const { feed, announcesChanges } = store.capabilities;
    if (feed !== "fleet" || announcesChanges !== true || store.watch === undefined) {
      throw new TypeError(
        'cached() needs a store that tells every process of every change: one whose feed is "fleet", made with announceChanges: true',
      );
    }
    if (!(Number.isInteger(maxEntries) && maxEntries >= 1)) {
      throw new TypeError("maxEntries must be a whole number of at least 1");
    }
    if (!(typeof maxStale === "number" && maxStale > 0 && maxStale <= MAX_STALE)) {
      throw new TypeError(`maxStale must be a number of seconds above 0, ${MAX_STALE} at most`);
    }
    // A read may be older than a write that another process acknowledged.
    this.capabilities = Object.freeze({ ...store.capabilities, feed, consistency: "eventual" } as const);
    this.#store = store;
    this.#records = new CachedRecords(maxEntries, maxStale * 1000);
    this.#feed = new CachedFeed(store, this.#records);
    // What the store lacks, the cache lacks.
    const [revokeHandle, revokeUser] = [store.revokeHandle?.bind(store), store.revokeUser?.bind(store)];
    const lock = store.lock?.bind(store);
    if (store.listByUser) this.listByUser = store.listByUser.bind(store);
    if (store.generation) this.generation = store.generation.bind(store);
    if (store.sweep) this.sweep = store.sweep.bind(store);
    if (store.ping) this.ping = store.ping.bind(store);
    if (revokeHandle) {
      this.revokeHandle = async (handle, at) => {
        const key = await revokeHandle(handle, at);
        if (key !== null) this.#records.drop([key]);
        return key;
      };
    }
    if (revokeUser) {
      this.revokeUser = async (userId, at) => {
        const revoked = await revokeUser(userId, at);
        this.#records.drop(at.except === undefined ? revoked.keys : [...revoked.keys, at.except]);
        return revoked;
      };
    }
    // The holder of a lock reads what is there now, whatever notices are still under way.
    if (lock) this.lock = (key, options) => this.#write([key], () => lock(key, options));
  }

  /** Synchronous where the record is here. */
  load(key: Key, now: EpochMilliseconds): Awaitable<StoredSession | Alias | Tombstone | null> {
    if (!this.#feed.listens(now)) return this.#store.load(key, now);
    return this.#records.find(key, now) ?? this.#read(key, now);
  }

  async create(
    record: NewSession,
    options: Parameters<SessionStore["create"]>[1],
  ): Promise<Created | Duplicate | Rejected> {
    const answer = await this.#store.create(record, options);
    if (answer.ok) this.#records.drop(answer.evicted);
    return answer;
  }

  async commit(key: Key, change: Change): Promise<Committed | Gone | Moved | Conflict> {
    return this.#write([key], () => this.#store.commit(key, change));
  }

  async renew(key: Key, at: Parameters<SessionStore["renew"]>[1]): Promise<boolean> {
    return this.#write([key], () => this.#store.renew(key, at));
  }

  async rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    options: Parameters<SessionStore["rotate"]>[3],
  ): Promise<Rotated | Gone | Moved | Conflict | Duplicate | Rejected> {
    const answer = await this.#write([oldKey], () => this.#store.rotate(oldKey, newKey, change, options));
    if (answer.ok) this.#records.drop(answer.evicted);
    return answer;
  }

  /** Where an alias led to the record, the feed tells whose record ended. */
  async destroy(key: Key, at: Parameters<SessionStore["destroy"]>[1]): Promise<boolean> {
    return this.#write([key], () => this.#store.destroy(key, at));
  }

  /** Listeners are called when the cache has dropped what a notice tells of. */
  async watch(listener: (notice: StoreNotice) => void): Promise<() => void> {
    return this.#feed.add(listener);
  }

  async close(): Promise<void> {
    await this.#feed.stop();
    await this.#store.close?.();
  }

  async #read(key: Key, now: EpochMilliseconds): Promise<StoredSession | Alias | Tombstone | null> {
    const reading = this.#records.begin(key, now);
    let found: StoredSession | Alias | Tombstone | null = null;
    try {
      found = await this.#store.load(key, now);
    } finally {
      this.#records.end(reading, found?.kind === "session" ? found : null);
    }
    return found;
  }

  async #write<T>(keys: readonly Key[], send: () => Awaitable<T>): Promise<T> {
    // Also before: an answer that is lost must not leave the old record here.
    this.#records.drop(keys);
    try {
      return await send();
    } finally {
      this.#records.drop(keys);
    }
  }
}

/**
 * Puts a near cache in front of a store.
 *
 * @param store one with a fleet-wide feed that tells of changes: `new RedisStore(client, { announceChanges: true })`
 * @throws TypeError for a store whose feed does not reach or tell enough, and for options out of their range
 * @example
 * const sessions = createSessions({ secretKey, store: cached(store, { maxEntries: 50_000 }) });
 * @see docs/near-cache.md for what it promises and what it gives up
 */
export function cached(store: SessionStore, options: CachedOptions = {}): CachedStore {
  return new CachedStore(store, options);
}
