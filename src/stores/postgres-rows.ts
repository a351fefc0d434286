import { fromText, put } from "../core/kept-text.ts";
import { placeOf } from "../core/list-place.ts";
import type {
  Alias,
  Binding,
  Fields,
  Key,
  Metadata,
  SessionPage,
  StoredSession,
  Tombstone,
} from "../core/session-record.ts";
import type { Conflict } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import type { Row } from "./postgres-client.ts";

/** The first row's JSON. */
type Head = readonly [
  kind: "session" | "alias" | Tombstone["reason"],
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
  outdated: boolean,
];

/** What `load` answers: a row without a text, the row without a name, if there is a record, and a row for each field. */
export function toStored(rows: readonly Row[], now: EpochMilliseconds): StoredSession | Alias | Tombstone | null {
  let head: Head | undefined;
  const fields: Record<string, string> = {};
  for (const [name, text] of rows) {
    if (typeof text !== "string") continue;
    if (typeof name === "string") put(fields, fromText(name), fromText(text));
    else head = JSON.parse(text) as Head;
  }
  if (head === undefined) return null;
  const [kind, expiresAt, version, createdAt, lastUsedAt, rotatedAt, handle, userId, ...rest] = head;
  const [boundAt, generation, metadata, maxAge, to, sealedId, outdated] = rest;
  if (kind !== "session") {
    if (expiresAt <= now) return null;
    return kind === "alias" ? { kind, to, sealedId, expiresAt } : { kind: "tombstone", reason: kind, expiresAt };
  }
  // A login that a revocation overtook. It is over now, whatever its deadline was.
  if (outdated) return { kind: "tombstone", reason: "revoked", expiresAt: now };
  const binding: Binding | null =
    userId === null
      ? null
      : { userId: fromText(userId), boundAt, generation, metadata: JSON.parse(metadata) as Metadata, maxAge };
  return { kind, fields, version, createdAt, lastUsedAt, rotatedAt, expiresAt, handle, binding };
}

/** One of a user's sessions. */
type Listed = readonly [
  id: number,
  handle: string,
  createdAt: EpochMilliseconds,
  boundAt: EpochMilliseconds,
  lastUsedAt: EpochMilliseconds,
  expiresAt: EpochMilliseconds,
  metadata: string,
];

/** A page of at most `limit`; one more in `listed` tells that the list goes on. */
export function toPage(listed: readonly Listed[], limit: number): SessionPage {
  const shown = listed.slice(0, limit);
  const last = listed.length > limit ? shown.at(-1) : undefined;
  const sessions = shown.map(([, handle, createdAt, boundAt, lastUsedAt, expiresAt, metadata]) => ({
    handle,
    createdAt,
    boundAt,
    lastUsedAt,
    expiresAt,
    metadata: JSON.parse(metadata) as Metadata,
  }));
  return { sessions, after: last === undefined ? null : placeOf(last[3], last[0]) };
}

/** An answer of `commit` or `rotate`, with the texts of a conflict as the core knows them. */
export function toAnswer<Answer extends { readonly ok: boolean }>(answer: Answer): Answer {
  const { current } = answer as Partial<Conflict>;
  if (current === undefined) return answer;
  const texts: Record<string, string | null> = {};
  for (const name of Object.keys(current)) {
    const text = current[name] as string | null;
    put(texts, fromText(name), text === null ? null : fromText(text));
  }
  return { ...answer, current: texts };
}

/** Names and texts of fields, as two lists; nothing where there is no change. */
export function toLists(
  fields: Fields | Readonly<Record<string, string | null>> | undefined,
  encode: (text: string) => string,
): readonly [string[], (string | null)[]] | readonly [null, null] {
  if (fields === undefined) return [null, null];
  const names = Object.keys(fields);
  return [
    names.map(encode),
    names.map((name) => {
      const text = fields[name] as string | null;
      return text === null ? null : encode(text);
    }),
  ];
}
