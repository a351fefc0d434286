import { FastSessionError } from "../core/errors.ts";
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
import type { Committed, Conflict, Created, Duplicate, Gone, Moved, Rejected, Rotated } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";

/** A reply of Redis, as both clients hand it out. */
export type Reply = number | string | null | readonly Reply[];

/** A client may be told to hand out integers as strings. */
export type Integer = number | string;

export function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}

/** What an answer is that no script gives: a proxy mixed answers up, or this is no Redis. Nothing of it is a success. */
export function nonsense(
  code: "ERR_SESSION_STORE" | "ERR_SESSION_STORE_UNKNOWN" = "ERR_SESSION_STORE_UNKNOWN",
): FastSessionError {
  return new FastSessionError(
    code,
    "Redis answered something that no script of this store answers: look at what stands between, and whether it is Redis",
  );
}

/** A session's key, where a number or nothing may be answered as well. */
export function isKey(reply: Reply): reply is Key {
  return typeof reply === "string" && reply.startsWith("v1.");
}

/** What is answered about yes and no. */
export function toBoolean(reply: Reply): boolean {
  if (reply === 1 || reply === "1") return true;
  if (reply === 0 || reply === "0") return false;
  throw nonsense();
}

/** Texts, and so many. */
export function toTexts(reply: readonly Reply[], count: number = reply.length): readonly string[] {
  if (reply.length === count && reply.every((part) => typeof part === "string")) return reply;
  throw nonsense();
}

/** A version, a generation: never 0. */
export function toCount(reply: Reply | undefined): number {
  const count = typeof reply === "object" ? NaN : Number(reply);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw nonsense();
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
  if (!isList(reply)) return reply === 0 || reply === "0" ? GONE : null;
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
  if (refusal?.reason === "duplicate" || refusal?.reason === "rejected") return refusal;
  if (refusal !== null || !isList(reply) || reply[0] !== "ok") throw nonsense();
  toCount(reply[1]);
  return { ok: true, evicted: toTexts(reply.slice(2)) };
}

/** What COMMIT answers: a version, in a list with what is to be pointed to. */
export function toCommitted(reply: Reply): Committed | Gone | Moved | Conflict {
  const refusal = toRefusal(reply);
  if (refusal === null) {
    if (isList(reply) && reply[0] !== "ok") throw nonsense();
    return { ok: true, version: toCount(isList(reply) ? reply[1] : reply) };
  }
  if (refusal.reason === "duplicate" || refusal.reason === "rejected") throw nonsense();
  return refusal;
}

/** What ROTATE and COPY answer when they have rotated, with the public name of what was moved. */
export function toRotated(reply: Reply): { readonly answer: Rotated; readonly handle: string } {
  if (!isList(reply) || reply[0] !== "ok" || typeof reply[2] !== "string") throw nonsense();
  return { answer: { ok: true, version: toCount(reply[1]), evicted: toTexts(reply.slice(3)) }, handle: reply[2] };
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
  const [more, ...rest] = isList(reply) ? reply : [];
  if (!isPlace(more) || rest.length % 7 !== 0) throw nonsense("ERR_SESSION_STORE");
  const parts = toTexts(rest);
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
  return { sessions, after: isList(more) ? placeOf(...more) : null };
}

/** Where a list goes on, by instant and key, or nowhere. */
function isPlace(more: Reply | undefined): more is 0 | "0" | readonly [string, string] {
  return more === 0 || more === "0" || (more !== undefined && isList(more) && toTexts(more, 2).length === 2);
}
