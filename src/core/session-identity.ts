import type { Binding, Key, StoredSession } from "./session-record.ts";
import type { EpochMilliseconds } from "./units.ts";

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
  expiresAt: EpochMilliseconds = 0;
  handle = "";
  binding: Binding | null = null;

  /** Takes over what was read. */
  adopt(found: StoredSession): void {
    this.saved = true;
    this.createdAt = found.createdAt;
    this.lastUsedAt = found.lastUsedAt;
    this.expiresAt = found.expiresAt;
    this.handle = found.handle;
    this.binding = found.binding;
  }

  forget(): void {
    this.saved = false;
    this.id = this.key = this.reservedId = null;
    this.createdAt = this.lastUsedAt = this.expiresAt = 0;
    this.handle = "";
    this.binding = null;
  }
}
