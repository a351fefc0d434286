import type { Binding, Key, StoredSession } from "./session-record.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

/** A call that may have happened: its error was reported, and should the request go on, it comes first. */
export interface Unsettled {
  readonly verb: "create" | "commit" | "rotate";
  /** Sends that very call again, under its operation id, and goes on as the step would have. */
  again(): Awaitable<void>;
}

/** That a session is this request's alone. */
export interface Lease {
  /** Every change carries it, so that one which comes after the lease is refused. */
  readonly fence: number;
  release(): Awaitable<void>;
}

/** Who a session is: its id, its key, and what its record says of it, data aside. */
export class SessionIdentity {
  /** Whether the store has a record of it under `key`. */
  saved = false;
  id: string | null = null;
  key: Key | null = null;
  /** The id an unsaved session was asked for, kept for its creation. */
  reservedId: string | null = null;
  createdAt: EpochMilliseconds = 0;
  lastUsedAt: EpochMilliseconds = 0;
  /** Since when it has its id. */
  rotatedAt: EpochMilliseconds = 0;
  expiresAt: EpochMilliseconds = 0;
  handle = "";
  binding: Binding | null = null;
  /** What is not known of it. */
  unsettled: Unsettled | null = null;
  lease: Lease | null = null;

  /** Takes over what was read. */
  adopt(found: StoredSession): void {
    this.saved = true;
    this.createdAt = found.createdAt;
    this.lastUsedAt = found.lastUsedAt;
    this.rotatedAt = found.rotatedAt;
    this.expiresAt = found.expiresAt;
    this.handle = found.handle;
    this.binding = found.binding;
  }

  forget(): void {
    this.saved = false;
    this.id = this.key = this.reservedId = null;
    this.createdAt = this.lastUsedAt = this.rotatedAt = this.expiresAt = 0;
    this.handle = "";
    this.binding = null;
    this.unsettled = null;
  }
}
