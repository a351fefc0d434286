/** Sessions made straight in a store, for the tests of what a server's faults do to them. */
import { hashedKey, newHandle, newId, newOperation, userTag } from "../../src/core/session-id.ts";
import type { Key, NewSession } from "../../src/core/session-record.ts";
import type { Bind, SessionStore } from "../../src/core/session-store.ts";
import { FastSessionError } from "../../src/core/errors.ts";

export const HOUR = 3_600_000;

export function newSession(userId?: string, fields: Readonly<Record<string, string>> = {}): NewSession {
  const now = Date.now();
  const key = hashedKey("sid", newId(userId === undefined ? undefined : userTag(userId)));
  return { key, fields, createdAt: now, lastUsedAt: now, expiresAt: now + HOUR, handle: newHandle() };
}

/** @returns the key */
export async function make(store: SessionStore, userId?: string, fields?: Record<string, string>): Promise<Key> {
  const session = newSession(userId, fields);
  const bind: Bind | undefined = userId === undefined ? undefined : { userId, metadata: {}, maxAge: null };
  const answer = await store.create(session, { operation: newOperation(), now: session.createdAt, bind });
  if (!answer.ok) throw new Error(`the session was not created: ${answer.reason}`);
  return session.key;
}

export async function fieldsOf(store: SessionStore, key: Key): Promise<Readonly<Record<string, string>> | null> {
  const found = await store.load(key, Date.now());
  return found?.kind === "session" ? found.fields : null;
}

export async function set(
  store: SessionStore,
  key: Key,
  fields: Record<string, string>,
): Promise<Awaited<ReturnType<SessionStore["commit"]>>> {
  const now = Date.now();
  return store.commit(key, { operation: newOperation(), now, set: fields, lastUsedAt: now, expiresAt: now + HOUR });
}

export async function codeOf(call: unknown): Promise<string> {
  try {
    await call;
    return "none";
  } catch (error) {
    return error instanceof FastSessionError ? error.code : String(error);
  }
}

/** Waits for a condition, for as long as the test may last. */
export async function until(condition: () => unknown): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
