/** What a store keeps. */
import type { EpochMilliseconds } from "./units.ts";

/** What a store knows a session by: the id itself, or a hash of it (`capabilities.keys`). */
export type Key = string;

/** A record's data: each field's encoded text. A store never changes an object it has handed out. */
export type Fields = Readonly<Record<string, string>>;

/** Facts about a session that are listed without decoding its data (user agent, label, …). Plain strings. */
export type Metadata = Readonly<Record<string, string>>;

/** To whom a session belongs, since when, and under which generation of that user. */
export interface Binding {
  readonly userId: string;
  /** The instant of the login, which is later than `createdAt` when an anonymous session was kept. */
  readonly boundAt: EpochMilliseconds;
  /** The user's generation at the login. A session bound under a lower one than the user's is gone. */
  readonly generation: number;
  readonly metadata: Metadata;
  /** Lifetime asked for at this login, in seconds; `null`: the configured one. */
  readonly maxAge: number | null;
}

/** A record as `load` answers it. The core reads it at once and keeps only `fields` and `binding`. */
export interface StoredSession {
  readonly kind: "session";
  readonly fields: Fields;
  /** Rises by one with each change of data. Orders, but is no condition. */
  readonly version: number;
  /** Start of the absolute period. */
  readonly createdAt: EpochMilliseconds;
  readonly lastUsedAt: EpochMilliseconds;
  /** Since when the record has its key: `now` of its `create`, then `now` of each `rotate`. */
  readonly rotatedAt: EpochMilliseconds;
  /** The record is gone from this instant on (`expiresAt <= now`). */
  readonly expiresAt: EpochMilliseconds;
  /** The session's public name: random, stays through rotations, reveals no id. */
  readonly handle: string;
  readonly binding: Binding | null;
}

/** A key that moved: requests in flight go on under the new key, until `expiresAt`. */
export interface Alias {
  readonly kind: "alias";
  readonly to: Key;
  /** The new id, sealed under the old one, so that only a holder of the old id can read it. */
  readonly sealedId: string;
  readonly expiresAt: EpochMilliseconds;
}

/** A key that ended. It holds no data and lets a late request know that it is late, until `expiresAt`. */
export interface Tombstone {
  readonly kind: "tombstone";
  readonly reason: "rotated" | "revoked";
  readonly expiresAt: EpochMilliseconds;
}

export type Leave = Alias | Tombstone;

/** A new record. `handle` is chosen by the core. */
export interface NewSession {
  readonly key: Key;
  readonly fields: Fields;
  readonly createdAt: EpochMilliseconds;
  readonly lastUsedAt: EpochMilliseconds;
  readonly expiresAt: EpochMilliseconds;
  readonly handle: string;
}

/** One session of a user, without its data. */
export interface SessionSummary {
  readonly handle: string;
  readonly createdAt: EpochMilliseconds;
  readonly boundAt: EpochMilliseconds;
  readonly lastUsedAt: EpochMilliseconds;
  readonly expiresAt: EpochMilliseconds;
  readonly metadata: Metadata;
}

/**
 * A page of summaries; `after` continues the list, `null` ends it. It is the instant of the page's last login, `~`, and 1 to
 * 128 letters, digits, `_`, `.` and `-` of the store's own.
 */
export interface SessionPage {
  readonly sessions: readonly SessionSummary[];
  readonly after: string | null;
}
