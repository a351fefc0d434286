import { fromText, toText } from "../core/kept-text.ts";
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
import type { Bind, Change, Conflict, Gone, Moved, Rejected } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import type { MysqlValue, Row } from "./mysql-client.ts";

/** Columns of `load`, in the order of `toStored`. */
export const LOADED = `s.kind, s.expires_at, s.version, s.created_at, s.last_used_at, s.rotated_at, s.handle,
  convert(s.user_id using utf8mb4), s.bound_at, s.generation, s.metadata, s.max_age, s.alias_to, s.sealed_id,
  u.generation > s.generation, s.fields`;

type Kind = "session" | "alias" | Tombstone["reason"];

export function toStored(row: Row, now: EpochMilliseconds): StoredSession | Alias | Tombstone | null {
  const [kind, expires, version, created, used, rotated, handle, userId, bound, generation, ...rest] = row;
  const [metadata, maxAge, to, sealedId, outdated, fields] = rest;
  const expiresAt = Number(expires);
  if (kind !== "session") {
    if (expiresAt <= now) return null;
    if (kind === "alias") return { kind, to: to as Key, sealedId: sealedId as string, expiresAt };
    return { kind: "tombstone", reason: kind as Exclude<Kind, "session" | "alias">, expiresAt };
  }
  // The generation was raised while it was bound: it is over now, whatever its deadline was.
  if (Number(outdated) === 1) return { kind: "tombstone", reason: "revoked", expiresAt: now };
  const binding: Binding | null =
    userId === null
      ? null
      : {
          userId: fromText(userId as string),
          boundAt: Number(bound),
          generation: Number(generation),
          metadata: JSON.parse(metadata as string) as Metadata,
          maxAge: maxAge === null ? null : Number(maxAge),
        };
  return {
    kind,
    fields: toFields(fields as string),
    version: Number(version),
    createdAt: Number(created),
    lastUsedAt: Number(used),
    rotatedAt: Number(rotated),
    expiresAt,
    handle: handle as string,
    binding,
  };
}

/** Columns of the procedure `list`. */
export function toSummary(row: Row): SessionSummary {
  const [, handle, createdAt, boundAt, lastUsedAt, expiresAt, metadata] = row;
  return {
    handle: handle as string,
    createdAt: Number(createdAt),
    boundAt: Number(boundAt),
    lastUsedAt: Number(lastUsedAt),
    expiresAt: Number(expiresAt),
    metadata: JSON.parse(metadata as string) as Metadata,
  };
}

/** Fields as the JSON that is stored. `null` stands for a field that a patch removes. */
export function toJson(fields: Iterable<readonly [string, string | null]>): string {
  const object = new Map<string, string | null>();
  for (const [name, text] of fields) object.set(toText(name), text === null ? null : toText(text));
  // `fromEntries` defines properties, so that `__proto__` is one like any other.
  return JSON.stringify(Object.fromEntries(object));
}

function toFields(json: string): Fields {
  const stored = JSON.parse(json) as Record<string, string>;
  return Object.fromEntries(Object.entries(stored).map(([name, text]) => [fromText(name), fromText(text)]));
}

/** The name of a call, which is kept in a list between other characters. */
export function checked(operation: string): string {
  if (!/^[\w-]{1,64}$/.test(operation)) throw new TypeError("operation is up to 64 letters, digits, _ and -");
  return operation;
}

/** Parameters of a change: the part `CHANGE` of the procedures. */
export function changeValues(change: Change): MysqlValue[] {
  const { operation, now, expect, clear, remove, set, lastUsedAt, expiresAt, fence } = change;
  const expected = expect === undefined ? [] : Object.entries(expect);
  const present = expected.filter(([, text]) => text !== null);
  const absent = expected.filter(([, text]) => text === null);
  const changes = clear === true || remove !== undefined || set !== undefined;
  const removed = (remove ?? []).map((name) => [name, null] as const);
  return [
    now,
    checked(operation),
    present.length === 0 ? null : toJson(present),
    absent.length === 0 ? null : toJson(absent),
    clear === true ? 1 : 0,
    changes ? toJson([...removed, ...Object.entries(set ?? {})]) : null,
    lastUsedAt ?? null,
    expiresAt ?? null,
    fence ?? null,
  ];
}

/** Parameters of a binding: the part `BIND`. */
export function bindValues(bind: Bind | null | undefined): MysqlValue[] {
  if (!bind) return [null, null, null, null, null, null, null];
  const { userId, metadata, maxAge, since, cap } = bind;
  return [
    toUser(userId),
    JSON.stringify(metadata),
    maxAge,
    since ?? null,
    cap?.max ?? null,
    cap?.policy ?? null,
    cap?.tombstoneUntil ?? null,
  ];
}

/** Bytes of the column, above which a server that is not strict would cut. */
const LONGEST_USER = 1020;

export function toUser(userId: string): string {
  const text = toText(userId);
  if (new TextEncoder().encode(text).length > LONGEST_USER) {
    throw new TypeError(`MysqlStore takes user ids of at most ${LONGEST_USER} bytes: use a shorter one`);
  }
  return text;
}

/** Answers of `create`, `commit` and `rotate` that are refusals. */
export function toRefusal(row: Row): Gone | Moved | Rejected | { readonly ok: false; readonly reason: "duplicate" } {
  const [status, , , to, sealedId] = row;
  switch (status) {
    case "moved":
      return { ok: false, reason: "moved", to: to as Key, sealedId: sealedId as string };
    case "duplicate":
      return { ok: false, reason: "duplicate" };
    case "cap":
    case "revoked":
      return { ok: false, reason: "rejected", why: status };
    default:
      return { ok: false, reason: "gone" };
  }
}

/** The expected fields that differ from what the record has. */
export function toConflict(json: string | null, expect: Change["expect"]): Conflict {
  const fields = new Map(Object.entries(json === null ? {} : toFields(json)));
  const differing = Object.entries(json === null ? {} : (expect ?? {})).filter(
    ([name, text]) => (fields.get(name) ?? null) !== text,
  );
  return {
    ok: false,
    reason: "conflict",
    current: Object.fromEntries(differing.map(([name]) => [name, fields.get(name) ?? null])),
  };
}
