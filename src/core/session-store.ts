/**
 * The contract between the core and a store.
 *
 * A store keeps records. It never sees a cookie, a request or a decoded value, and it decides nothing: policy is
 * the core's. Four rules hold on every verb:
 *
 * - **No upsert.** Only `create` and `rotate` make a record, each under a key that was free. Nothing brings one back.
 * - **One atomic step.** A verb happens whole or not at all, and its checks happen inside that step.
 * - **The caller's clock.** Instants come as arguments; the backend's own expiry only cleans up and is never believed.
 * - **Text in, the same text out.** A field's text is opaque.
 *
 * @see docs/stores.md for the contract in prose and how to write a store in five steps
 */
import type {
  Alias,
  Fields,
  Key,
  Leave,
  Metadata,
  NewSession,
  SessionPage,
  StoredSession,
  Tombstone,
} from "./session-record.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

/**
 * What one request did to the data. Applied whole or not at all, in this order: `expect` is checked; `clear` removes
 * every field there is *now*; then `remove`; then `set`.
 */
export interface Change {
  /** Names this call: a store that a lost connection can make it hear twice applies it once. */
  readonly operation: string;
  readonly now: EpochMilliseconds;
  /** Fields that must still have this text (`null`: be absent), else nothing happens and the answer is a conflict. */
  readonly expect?: Readonly<Record<string, string | null>> | undefined;
  readonly clear?: boolean | undefined;
  readonly remove?: readonly string[] | undefined;
  readonly set?: Fields | undefined;
  /** Only ever later: a lower one than the record's is ignored. */
  readonly lastUsedAt?: EpochMilliseconds | undefined;
  /** Only ever later, as `lastUsedAt`. */
  readonly expiresAt?: EpochMilliseconds | undefined;
  readonly fence?: number | undefined;
}

/** A change that rides on a rotation, which may also start a new absolute period (at a login). */
export interface RotateChange extends Change {
  /** Replaces `createdAt`; `expiresAt` is then taken as it is, also when it is earlier. */
  readonly createdAt?: EpochMilliseconds | undefined;
}

/** Binds a session to a user, in the same step as the record's change. Every store keeps the binding. */
export interface Bind {
  readonly userId: string;
  readonly metadata: Metadata;
  readonly maxAge: number | null;
  /** The user's generation read before the credentials were checked: a revoke-all since then wins. */
  readonly since?: number | undefined;
  readonly cap?: Cap | undefined;
}

/** How many live sessions a user may have, the new one included. */
export interface Cap {
  readonly max: number;
  readonly policy: CapPolicy;
  /** How long the tombstones of those that are evicted last. */
  readonly tombstoneUntil: EpochMilliseconds;
}

/** What happens to a login beyond the user's cap. */
export type CapPolicy = "evict-oldest" | "evict-idle" | "reject";

export interface Created {
  readonly ok: true;
  /** Keys that a cap removed for this one. */
  readonly evicted: readonly Key[];
}
export interface Committed {
  readonly ok: true;
  readonly version: number;
}
export interface Rotated {
  readonly ok: true;
  readonly version: number;
  readonly evicted: readonly Key[];
}
/** No live record under that key: never there, expired, destroyed, or of a revoked generation. */
export interface Gone {
  readonly ok: false;
  readonly reason: "gone";
}
/** The key is an alias: the record lives on under `to`. */
export interface Moved {
  readonly ok: false;
  readonly reason: "moved";
  readonly to: Key;
  readonly sealedId: string;
}
/** `expect` did not hold. `current` has exactly the expected fields that differ. */
export interface Conflict {
  readonly ok: false;
  readonly reason: "conflict";
  readonly current: Readonly<Record<string, string | null>>;
}
/** The new key is taken. */
export interface Duplicate {
  readonly ok: false;
  readonly reason: "duplicate";
}
/** `cap`: the user has enough sessions. `revoked`: `since` is too old. `full`: no room in a bounded store. */
export interface Rejected {
  readonly ok: false;
  readonly reason: "rejected";
  readonly why: "cap" | "revoked" | "full";
}

/** What a store can promise. A promise that is not declared is not relied on, and not hidden. */
export interface StoreCapabilities {
  /** Answers without promises and cannot lose a call: it is read at the first access instead of before the handler. */
  readonly local: boolean;
  /** What keys are: `"hash"` wherever somebody else may read the backend or a dump of it. */
  readonly keys: "id" | "hash";
  /** Has `listByUser`, `revokeHandle`, `revokeUser` and `generation`, and honours a bind's `since` and `cap`. */
  readonly userIndex: boolean;
  /** Whose revocations and rotations `watch` hears of: this process's, all processes', or none (no `watch`). */
  readonly feed: "process" | "fleet" | null;
  /** Its feed also tells of every commit (`changed`), which a near cache needs. @defaultValue false */
  readonly announcesChanges?: boolean | undefined;
  /** Survives a restart of the process. */
  readonly durable: boolean;
  /** `process`: other processes have other data. `eventual`: a read may not see an earlier write. */
  readonly consistency: "strong" | "process" | "eventual";
  /** Has `lock`. */
  readonly lock: boolean;
  /** Needs the user's tag in the ids of his sessions, so that `idGenerator` is refused. @defaultValue false */
  readonly taggedIds?: boolean | undefined;
  /** What this store cannot promise although a `SessionStore` should: logged as a warning at start. @defaultValue nothing */
  readonly limits?: string | undefined;
}

/** What listeners of `watch` hear, after the step it tells of. */
export type StoreNotice = KeyNotice | FeedNotice;

/**
 * Something happened to sessions. `revoked`: they ended before their deadline (destroyed, revoked, or evicted by a cap or
 * for want of room). `rotated`: they live on under another key. `changed`: a commit was applied to them; told only where
 * `announcesChanges` is declared. A mere renewal is not told, nor is a session's natural end.
 */
export interface KeyNotice {
  readonly type: "revoked" | "rotated" | "changed";
  readonly keys: readonly Key[];
}

/**
 * Something happened to a feed that comes over a network. `lost`: notices may be missing from here on. `restored`: it
 * listens again, so whoever must know reads again what it has. They alternate, `lost` first.
 */
export interface FeedNotice {
  readonly type: "lost" | "restored";
}

/**
 * A verb that could not be done throws or rejects: with `ERR_SESSION_STORE` where it is known that nothing happened. After any
 * other error of a store that is not local, `create`, `commit` and `rotate` are sent again, under their operation id.
 */
export interface SessionStore {
  readonly capabilities: StoreCapabilities;

  /**
   * The record, what a rotation or an end left in its place, or `null`. A record past its deadline is answered as it
   * stands, if it is still there: the core judges. A record of a revoked generation is answered as a tombstone.
   */
  load(key: Key, now: EpochMilliseconds): Awaitable<StoredSession | Alias | Tombstone | null>;

  /** Makes a record under a free key. A key that holds anything live, alias and tombstone included, is not free. */
  create(
    record: NewSession,
    options: { readonly operation: string; readonly now: EpochMilliseconds; readonly bind?: Bind | undefined },
  ): Awaitable<Created | Duplicate | Rejected>;

  /** Changes a live record. */
  commit(key: Key, change: Change): Awaitable<Committed | Gone | Moved | Conflict>;

  /** Moves the deadline and the last use of a live record, only ever later, and nothing else. `false` when gone. */
  renew(
    key: Key,
    at: {
      readonly now: EpochMilliseconds;
      readonly lastUsedAt: EpochMilliseconds;
      readonly expiresAt: EpochMilliseconds;
    },
  ): Awaitable<boolean>;

  /**
   * Moves a live record, as it stands at that moment, to a free key, with a change, and leaves `leave` under the old
   * key. `bind: null` unbinds; without `bind` the binding stays.
   */
  rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    options: { readonly leave: Leave; readonly bind?: Bind | null | undefined },
  ): Awaitable<Rotated | Gone | Moved | Conflict | Duplicate | Rejected>;

  /** Ends a record (through an alias, too) and leaves a tombstone. `false` when there was no live one. */
  destroy(
    key: Key,
    at: { readonly now: EpochMilliseconds; readonly tombstoneUntil: EpochMilliseconds },
  ): Awaitable<boolean>;

  /** A user's live sessions in pages, in a stable order. `after` has the form of those that pages answer. */
  listByUser?(
    userId: string,
    page: { readonly now: EpochMilliseconds; readonly after?: string | null | undefined; readonly limit: number },
  ): Awaitable<SessionPage>;

  /** Ends the session of that public name. Its key, or `null` when there is none. */
  revokeHandle?(
    handle: string,
    at: { readonly now: EpochMilliseconds; readonly tombstoneUntil: EpochMilliseconds },
  ): Awaitable<Key | null>;

  /** Raises the user's generation, which ends all his sessions but `except`, also any whose index entry is lost. */
  revokeUser?(
    userId: string,
    at: {
      readonly now: EpochMilliseconds;
      readonly tombstoneUntil: EpochMilliseconds;
      readonly except?: Key | undefined;
    },
  ): Awaitable<{ readonly generation: number; readonly keys: readonly Key[] }>;

  /** The user's generation, 0 when never raised. */
  generation?(userId: string): Awaitable<number>;

  lock?(
    key: Key,
    options: { readonly now: EpochMilliseconds; readonly lease: number },
  ): Awaitable<{ readonly fence: number; release(): Awaitable<void> } | null>;

  /** Removes up to `limit` records, aliases and tombstones past their deadline; answers how many. */
  sweep?(now: EpochMilliseconds, limit: number): Awaitable<number>;

  /**
   * Calls the listener for each notice, this process's own included, until the returned function is called. Answers once
   * it listens: what happens after that is told. A listener that throws harms nobody else.
   */
  watch?(listener: (notice: StoreNotice) => void): Awaitable<() => Awaitable<void>>;

  ping?(): Awaitable<void>;
  close?(): Awaitable<void>;
}

/** A store whose type says that it has a feed: sessions on it offer `info.signal`. */
export interface LiveStore extends SessionStore {
  readonly capabilities: StoreCapabilities & { readonly feed: "process" | "fleet" };
  watch(listener: (notice: StoreNotice) => void): Awaitable<() => Awaitable<void>>;
}
