import { fromText, put } from "../core/kept-text.ts";
import { placeOf } from "../core/list-place.ts";
import type {
  Alias,
  Binding,
  Key,
  Metadata,
  SessionPage,
  SessionSummary,
  StoredSession,
  Tombstone,
} from "../core/session-record.ts";
import type { Conflict, Created, Duplicate, Gone, Moved, Rejected } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";

/** A reply of Redis, as both clients hand it out. */
export type Reply = number | string | null | readonly Reply[];

/** A client may be told to hand out integers as strings. */
export type Integer = number | string;

export function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}

export const GONE: Gone = Object.freeze({ ok: false, reason: "gone" });

/** Fields of a record that are its own, by their letters. */
type Letters = Readonly<Record<string, string>>;

/** What LOAD answers: names and values by turns. */
export function toStored(reply: Reply, now: EpochMilliseconds): StoredSession | Alias | Tombstone | null {
  const parts = reply as readonly string[];
  if (parts.length === 0) return null;
  const own: Record<string, string> = {};
  const fields: Record<string, string> = {};
  for (let at = 0; at < parts.length; at += 2) {
    const name = parts[at] as string;
    const value = parts[at + 1] as string;
    if (name.charCodeAt(0) === 58) put(fields, fromText(name.slice(1)), fromText(value));
    else own[name] = value;
  }
  const expiresAt = Number(own["e"]);
  if (own["t"] !== undefined) {
    return expiresAt > now ? { kind: "tombstone", reason: own["t"] as Tombstone["reason"], expiresAt } : null;
  }
  if (own["a"] !== undefined) {
    return expiresAt > now ? { kind: "alias", to: own["a"], sealedId: own["i"] as string, expiresAt } : null;
  }
  // Its index entry was lost, or it is about to be put away: the generation alone says that it ended.
  if (own["!"] !== undefined) return { kind: "tombstone", reason: "revoked", expiresAt: now };
  return {
    kind: "session",
    fields,
    version: Number(own["v"]),
    createdAt: Number(own["c"]),
    lastUsedAt: Number(own["l"]),
    rotatedAt: Number(own["r"]),
    expiresAt,
    handle: fromText(own["h"] as string),
    binding: own["u"] === undefined ? null : toBinding(own),
  };
}

function toBinding(own: Letters): Binding {
  return {
    userId: userIdOf(own["u"] as string),
    boundAt: Number(own["b"]),
    generation: Number(own["g"]),
    metadata: toMetadata(own["m"] as string),
    maxAge: own["x"] === undefined ? null : Number(own["x"]),
  };
}

function userIdOf(user: string): string {
  return fromText(user.slice(3));
}

function toMetadata(value: string): Metadata {
  return JSON.parse(fromText(value)) as Metadata;
}

/** What a verb that changes a record answers instead of its success. `null` when it is a success. */
export function toRefusal(reply: Reply): Gone | Moved | Conflict | Duplicate | Rejected | null {
  if (!isList(reply)) return Number(reply) === 0 ? GONE : null;
  const [what, ...rest] = reply as readonly string[];
  switch (what) {
    case "moved":
      return { ok: false, reason: "moved", to: rest[0] as Key, sealedId: rest[1] as string };
    case "conflict":
      return { ok: false, reason: "conflict", current: toCurrent(rest) };
    case "duplicate":
      return { ok: false, reason: "duplicate" };
    case "rejected":
      return { ok: false, reason: "rejected", why: rest[0] as Rejected["why"] };
    default:
      return null;
  }
}

/** What CREATE answers. */
export function toCreated(reply: Reply): Created | Duplicate | Rejected {
  const refusal = toRefusal(reply);
  if (refusal !== null) return refusal as Duplicate | Rejected;
  return { ok: true, evicted: (reply as readonly Key[]).slice(2) };
}

function toCurrent(parts: readonly (string | null)[]): Record<string, string | null> {
  const current: Record<string, string | null> = {};
  for (let at = 0; at < parts.length; at += 2) {
    const value = parts[at + 1] ?? null;
    const name = fromText((parts[at] as string).slice(1));
    put(current, name, value === null ? null : fromText(value));
  }
  return current;
}

/** What LIST answers. */
export function toPage(reply: Reply): SessionPage {
  const [more, ...parts] = reply as readonly [number | readonly [string, string], ...string[]];
  const sessions: SessionSummary[] = [];
  for (let at = 0; at < parts.length; at += 7) {
    const [boundAt, , handle, createdAt, lastUsedAt, expiresAt, metadata] = parts.slice(at, at + 7);
    sessions.push({
      handle: fromText(handle as string),
      createdAt: Number(createdAt),
      boundAt: Number(boundAt),
      lastUsedAt: Number(lastUsedAt),
      expiresAt: Number(expiresAt),
      metadata: toMetadata(metadata as string),
    });
  }
  return { sessions, after: typeof more === "object" ? placeOf(...more) : null };
}
