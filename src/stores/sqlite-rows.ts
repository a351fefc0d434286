import { fromText, put, toText } from "../core/kept-text.ts";
import type {
  Alias,
  Binding,
  Fields,
  Key,
  Metadata,
  SessionSummary,
  StoredSession,
  Tombstone,
} from "../core/session-record.ts";
import type { Bind } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import type { Row, SqliteValue } from "./sqlite-driver.ts";

type Kind = "session" | "alias" | Tombstone["reason"];

/** Columns of `load`. */
type LoadRow = readonly [
  kind: Kind,
  expiresAt: EpochMilliseconds,
  version: number,
  createdAt: EpochMilliseconds,
  lastUsedAt: EpochMilliseconds,
  rotatedAt: EpochMilliseconds,
  handle: string,
  userId: string | null,
  boundAt: EpochMilliseconds,
  generation: number,
  metadata: string,
  maxAge: number | null,
  aliasTo: Key,
  sealedId: string,
  outdated: 0 | 1,
  fields: string | null,
];

export function toStored(row: Row, now: EpochMilliseconds): StoredSession | Alias | Tombstone | null {
  const [kind, expiresAt, version, createdAt, lastUsedAt, rotatedAt, ...rest] = row as unknown as LoadRow;
  const [handle, userId, boundAt, generation, metadata, maxAge, to, sealedId, outdated, fields] = rest;
  if (kind !== "session") {
    if (expiresAt <= now) return null;
    return kind === "alias" ? { kind, to, sealedId, expiresAt } : { kind: "tombstone", reason: kind, expiresAt };
  }
  // No verb leaves one behind: somebody raised the generation by hand. It is over now, whatever its deadline was.
  if (outdated === 1) return { kind: "tombstone", reason: "revoked", expiresAt: now };
  const binding: Binding | null =
    userId === null
      ? null
      : { userId: fromText(userId), boundAt, generation, metadata: JSON.parse(metadata) as Metadata, maxAge };
  return { kind, fields: toFields(fields), version, createdAt, lastUsedAt, rotatedAt, expiresAt, handle, binding };
}

/** The fields, which come as one string, a separator between names and texts: `toText` leaves none in them. */
function toFields(packed: string | null): Fields {
  const fields: Record<string, string> = {};
  if (packed === null) return fields;
  const parts = packed.split("\x1f");
  for (let at = 1; at < parts.length; at += 2) {
    put(fields, fromText(parts[at - 1] as string), fromText(parts[at] as string));
  }
  return fields;
}

/** A record or a mark, as a writing verb sees it. Columns of `find`. */
export interface Found {
  readonly id: number;
  readonly kind: Kind;
  readonly expiresAt: EpochMilliseconds;
  readonly version: number;
  readonly lastUsedAt: EpochMilliseconds;
  /** As it is stored. */
  readonly userId: string | null;
  readonly to: Key;
  readonly sealedId: string;
  readonly outdated: boolean;
}

export function toFound(row: Row): Found {
  const [id, kind, expiresAt, version, lastUsedAt, userId, to, sealedId, outdated] = row as unknown as readonly [
    number,
    Kind,
    number,
    number,
    number,
    string | null,
    Key,
    string,
    0 | 1,
  ];
  return { id, kind, expiresAt, version, lastUsedAt, userId, to, sealedId, outdated: outdated === 1 };
}

/** Columns of `ofUser`. */
type MemberRow = readonly [
  id: number,
  key: Key,
  handle: string,
  createdAt: EpochMilliseconds,
  boundAt: EpochMilliseconds,
  lastUsedAt: EpochMilliseconds,
  expiresAt: EpochMilliseconds,
  metadata: string,
];

/** One of a user's sessions. */
export interface Member {
  readonly id: number;
  readonly key: Key;
  readonly lastUsedAt: EpochMilliseconds;
}

export function toMember(row: Row): Member {
  const [id, key, , , , lastUsedAt] = row as unknown as MemberRow;
  return { id, key, lastUsedAt };
}

export function toSummary(row: Row): SessionSummary {
  const [, , handle, createdAt, boundAt, lastUsedAt, expiresAt, metadata] = row as unknown as MemberRow;
  return { handle, createdAt, boundAt, lastUsedAt, expiresAt, metadata: JSON.parse(metadata) as Metadata };
}

/** The five columns of a binding. */
export function bindingValues(
  bind: Bind | null | undefined,
  generation: number | undefined,
  now: EpochMilliseconds,
): readonly [SqliteValue, SqliteValue, SqliteValue, SqliteValue, SqliteValue] {
  if (!bind || generation === undefined) return [null, null, null, null, null];
  return [toText(bind.userId), now, generation, JSON.stringify(bind.metadata), bind.maxAge];
}
