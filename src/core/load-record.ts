/** How records are read: what a store answers is looked at before it is believed. */
import type { SessionConfig } from "./session-config.ts";
import type { Alias, Binding, Fields, Key, StoredSession, Tombstone } from "./session-record.ts";
import { callStore } from "./store-call.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

/** What may stand under a key. */
export type Found = StoredSession | Alias | Tombstone | null;

/** Reads what stands under a key. @throws FastSessionError `ERR_SESSION_STORE` also for an answer that is nonsense */
export function loadRecord(config: SessionConfig, key: Key, now: EpochMilliseconds): Awaitable<Found> {
  return callStore(config, "load", () => config.store.load(key, now), null, believed);
}

/**
 * A damaged record must not open: an instant that is no number is never past, and a session with it would not end.
 *
 * @throws TypeError that says nothing of the record
 */
function believed(found: Found): Found {
  if (found === null || isRecord(found)) return found;
  throw new TypeError(
    "load answered neither a whole record (a session, an alias, a tombstone) nor null: it was changed by somebody else, or the store is wrong",
  );
}

function isRecord(found: NonNullable<Found>): boolean {
  switch ((found as Partial<typeof found> | undefined)?.kind) {
    case "session":
      return isSession(found as StoredSession);
    case "alias":
      return [(found as Alias).to, (found as Alias).sealedId].every(isText) && Number.isFinite(found.expiresAt);
    case "tombstone":
      return ["rotated", "revoked"].includes((found as Tombstone).reason) && Number.isFinite(found.expiresAt);
    default:
      return false;
  }
}

/** `version` decides nothing. A store may not know `rotatedAt`. */
function isSession(found: StoredSession): boolean {
  const { fields, createdAt, lastUsedAt, rotatedAt, expiresAt, handle, binding } = found;
  return (
    Number.isFinite(expiresAt) &&
    Number.isFinite(createdAt) &&
    Number.isFinite(lastUsedAt) &&
    (rotatedAt === undefined || typeof rotatedAt === "number") &&
    isText(handle) &&
    isObject(fields) &&
    areTexts(fields) &&
    (binding === null || isBinding(binding))
  );
}

function isBinding(binding: Binding): boolean {
  return (
    isObject(binding) &&
    isText(binding.userId) &&
    Number.isFinite(binding.boundAt) &&
    Number.isFinite(binding.generation) &&
    isObject(binding.metadata) &&
    (binding.maxAge === null || Number.isFinite(binding.maxAge))
  );
}

function areTexts(fields: Fields): boolean {
  for (const name in fields) if (typeof fields[name] !== "string") return false;
  return true;
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
