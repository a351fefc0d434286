import { digestOf } from "../core/crypto.ts";
import { toText } from "../core/kept-text.ts";
import type { Fields, Leave, NewSession } from "../core/session-record.ts";
import type { Bind, Change, RotateChange, SessionStore } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import { userOf } from "./redis-keys.ts";
import { GRACE } from "./redis-lua.ts";

/** What a record remembers of an operation: its name where that is as short as ours are, else 66 bits of its hash. */
export function operationMark(operation: string): string {
  if (operation.length === MARK && SHORT.test(operation)) return operation;
  return digestOf("sha1", operation).toString("base64url").slice(0, MARK);
}

/** Eight of them take 88 bytes of a record. */
const MARK = 11;
const SHORT = /^[\w-]+$/;

function text(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : String(value);
}

function binding(bind: Bind): string[] {
  const { userId, since, cap, metadata, maxAge } = bind;
  const limits = cap === undefined ? ["", "", ""] : [text(cap.max), cap.policy, text(cap.tombstoneUntil)];
  return [userOf(userId), text(since), ...limits, toText(JSON.stringify(metadata)), text(maxAge)];
}

function flag(set: boolean): string {
  return set ? "1" : "";
}

/** Arguments of RENEW. */
export function renewArguments(at: Parameters<SessionStore["renew"]>[1], apart: boolean): string[] {
  return [text(at.now), text(at.lastUsedAt), text(at.expiresAt), flag(apart)];
}

/** Arguments of SET_POINTER: as `point` in Lua does it. */
export function pointerArguments(user: string, now: EpochMilliseconds, expiresAt: EpochMilliseconds): string[] {
  return [user, text(3 * (Math.max(Math.ceil(expiresAt - now), 0) + GRACE))];
}

const NO_BINDING: readonly string[] = ["", "", "", "", "", "", ""];
const UNBIND: readonly string[] = ["-", "", "", "", "", "", ""];

function pushFields(into: string[], fields: Fields | undefined): void {
  if (fields === undefined) return;
  for (const name of Object.keys(fields)) into.push(`:${toText(name)}`, toText(fields[name] as string));
}

/** Arguments of CREATE. */
export function createArguments(
  record: NewSession,
  options: { readonly operation: string; readonly now: EpochMilliseconds; readonly bind?: Bind | undefined },
  apart: boolean,
  channel: string,
): string[] {
  const { createdAt, lastUsedAt, expiresAt, handle, fields } = record;
  const { operation, now, bind } = options;
  const instants = [text(createdAt), text(lastUsedAt), text(expiresAt)];
  const all = [text(now), operationMark(operation), ...instants, toText(handle), flag(apart), channel];
  all.push(...(bind === undefined ? NO_BINDING : binding(bind)));
  pushFields(all, fields);
  return all;
}

/** Arguments of COMMIT. */
export function commitArguments(change: Change, apart: boolean, channel: string): string[] {
  const all = [text(change.now), operationMark(change.operation), flag(apart), channel];
  pushChange(all, change);
  return all;
}

/** Arguments of ROTATE, TAKE and COPY. */
export function rotateArguments(
  change: RotateChange,
  leave: Leave,
  bind: Bind | null | undefined,
  apart: boolean,
  channel: string,
): string[] {
  const all = [text(change.now), operationMark(change.operation), text(change.createdAt), flag(apart), channel];
  if (leave.kind === "alias") all.push("alias", text(leave.expiresAt), leave.to, leave.sealedId);
  else all.push(leave.reason, text(leave.expiresAt), "", "");
  all.push(...(bind === undefined ? NO_BINDING : bind === null ? UNBIND : binding(bind)));
  all.push("0");
  pushChange(all, change);
  return all;
}

function pushChange(into: string[], { fence, clear, lastUsedAt, expiresAt, expect, remove, set }: Change): void {
  const expected = expect === undefined ? [] : Object.keys(expect);
  into.push(text(fence), flag(clear === true), text(lastUsedAt), text(expiresAt));
  into.push(String(expected.length), String(remove?.length ?? 0));
  for (const name of expected) {
    const known = (expect as Record<string, string | null>)[name] as string | null;
    into.push(`:${toText(name)}`, known === null ? "0" : "1", known === null ? "" : toText(known));
  }
  for (const name of remove ?? []) into.push(`:${toText(name)}`);
  pushFields(into, set);
}
