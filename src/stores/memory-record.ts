import type { Binding, Fields, Key, Leave, NewSession, StoredSession } from "../core/session-record.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import { Link } from "./memory-link.ts";

/** Instants are kept as whole seconds from here, and the milliseconds of three of them share one number. */
const ORIGIN: EpochMilliseconds = Date.UTC(2024, 0, 1);

function secondsOf(instant: EpochMilliseconds): number {
  return Math.floor((instant - ORIGIN) / 1000);
}

function millisecondsOf(instant: EpochMilliseconds): number {
  return instant - ORIGIN - secondsOf(instant) * 1000;
}

/** A session bound to a user: its place among that user's sessions. */
export class Membership extends Link {
  readonly record: SessionRecord;
  readonly handle: string;
  binding: Binding;
  /** Rises with each login of anybody: where a listing goes on. */
  readonly order: number;

  constructor(record: SessionRecord, binding: Binding, order: number) {
    super();
    this.record = record;
    this.handle = record.handle;
    this.binding = binding;
    this.order = order;
  }
}

/**
 * A record, as small as it can be: V8 gives an instant in milliseconds 24 bytes and a small integer 8, which for a
 * million sessions is 48 MB. It stands in one ring of a deadline queue.
 */
export class SessionRecord extends Link {
  key: Key;
  /** Replaced at every change, never changed: what `load` handed out stays as it was. */
  fields: Fields;
  version = 1;
  /** The handle, and once bound the membership that holds it. */
  owner: string | Membership;
  #created: number;
  #used: number;
  #expires: number;
  /** Milliseconds from the creation to the instant it came under its key: a small integer for 24 days. */
  #sinceCreated: number;
  /** Milliseconds of creation, last use and deadline, ten bits each. */
  #fractions: number;

  constructor(session: NewSession, fields: Fields, now: EpochMilliseconds) {
    super();
    this.key = session.key;
    this.fields = fields;
    this.owner = session.handle;
    this.#created = secondsOf(session.createdAt);
    this.#used = secondsOf(session.lastUsedAt);
    this.#expires = secondsOf(session.expiresAt);
    this.#sinceCreated = now - session.createdAt;
    this.#fractions =
      (millisecondsOf(session.createdAt) << 20) |
      (millisecondsOf(session.lastUsedAt) << 10) |
      millisecondsOf(session.expiresAt);
  }

  get handle(): string {
    return typeof this.owner === "string" ? this.owner : this.owner.handle;
  }

  get binding(): Binding | null {
    return typeof this.owner === "string" ? null : this.owner.binding;
  }

  get createdAt(): EpochMilliseconds {
    return ORIGIN + this.#created * 1000 + (this.#fractions >>> 20);
  }

  set createdAt(instant: EpochMilliseconds) {
    this.#created = secondsOf(instant);
    this.#fractions = (this.#fractions & 0xfffff) | (millisecondsOf(instant) << 20);
  }

  get lastUsedAt(): EpochMilliseconds {
    return ORIGIN + this.#used * 1000 + ((this.#fractions >>> 10) & 0x3ff);
  }

  set lastUsedAt(instant: EpochMilliseconds) {
    this.#used = secondsOf(instant);
    this.#fractions = (this.#fractions & ~0xffc00) | (millisecondsOf(instant) << 10);
  }

  get expiresAt(): EpochMilliseconds {
    return ORIGIN + this.#expires * 1000 + (this.#fractions & 0x3ff);
  }

  set expiresAt(instant: EpochMilliseconds) {
    this.#expires = secondsOf(instant);
    this.#fractions = (this.#fractions & ~0x3ff) | millisecondsOf(instant);
  }

  get rotatedAt(): EpochMilliseconds {
    return this.createdAt + this.#sinceCreated;
  }

  /** To be set after `createdAt`. */
  set rotatedAt(instant: EpochMilliseconds) {
    this.#sinceCreated = instant - this.createdAt;
  }

  /** Moves last use and deadline, only ever later. */
  extend(lastUsedAt: EpochMilliseconds | undefined, expiresAt: EpochMilliseconds | undefined): void {
    if (lastUsedAt !== undefined && lastUsedAt > this.lastUsedAt) this.lastUsedAt = lastUsedAt;
    if (expiresAt !== undefined && expiresAt > this.expiresAt) this.expiresAt = expiresAt;
  }

  snapshot(): StoredSession {
    return {
      kind: "session",
      fields: this.fields,
      version: this.version,
      createdAt: this.createdAt,
      lastUsedAt: this.lastUsedAt,
      rotatedAt: this.rotatedAt,
      expiresAt: this.expiresAt,
      handle: this.handle,
      binding: this.binding,
    };
  }
}

/** What stands under a key whose record ended or moved. */
export class Mark extends Link {
  readonly key: Key;
  readonly left: Leave;

  constructor(key: Key, left: Leave) {
    super();
    this.key = key;
    this.left = left;
  }

  get expiresAt(): EpochMilliseconds {
    return this.left.expiresAt;
  }
}
