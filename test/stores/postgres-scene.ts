/** What the tests of `PostgresStore` do all the time. */
import pg from "pg";
import { expect } from "vitest";
import { hashedKey, newHandle, newId, newOperation } from "../../src/core/session-id.ts";
import type { Fields, Key, NewSession } from "../../src/core/session-record.ts";
import type { Bind, Change, SessionStore } from "../../src/core/session-store.ts";

export const NOW: number = Date.UTC(2030, 0, 1);
export const HOUR = 3_600_000;

/** Quicker than `truncate` for a few rows. A trigger takes the fields along. */
export const EMPTY = "delete from fastsession_sessions; delete from fastsession_users";

export function newKey(): Key {
  return hashedKey("sid", newId());
}

export function session(given: Partial<NewSession> = {}): NewSession {
  const times = { createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR };
  return { key: newKey(), fields: {}, handle: newHandle(), ...times, ...given };
}

export function change(given: Partial<Change> = {}): Change {
  return { operation: newOperation(), now: NOW, ...given };
}

export function bindTo(userId: string, given: Partial<Bind> = {}): Bind {
  return { userId, metadata: {}, maxAge: null, ...given };
}

/** Creates a session that must be admitted. */
export async function create(store: SessionStore, given: Partial<NewSession> = {}, bind?: Bind): Promise<NewSession> {
  const record = session(given);
  const options = { operation: newOperation(), now: NOW };
  const answer = await store.create(record, bind === undefined ? options : { ...options, bind });
  expect(answer).toMatchObject({ ok: true });
  return record;
}

export async function fieldsOf(store: SessionStore, key: Key): Promise<Fields> {
  const found = await store.load(key, NOW);
  if (found?.kind !== "session") throw new Error(`the record is ${found?.kind ?? "absent"}`);
  return found.fields;
}

/** Adds one, as `increment` of the core does: again with what is there now, where another was first. */
export async function increment(store: SessionStore, key: Key, name: string, from?: string): Promise<void> {
  let text = from ?? (await fieldsOf(store, key))[name] ?? null;
  for (;;) {
    const next = String(Number(text ?? "0") + 1);
    const answer = await store.commit(key, change({ expect: { [name]: text }, set: { [name]: next } }));
    if (answer.ok) return;
    if (answer.reason !== "conflict") throw new Error(answer.reason);
    text = answer.current[name] ?? null;
  }
}

/** A pool whose idle connections may break without ending the process, as every program should have it. */
export function openPool(connectionString: string, config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString, ...config });
  pool.on("error", () => undefined);
  return pool;
}

/** Waits for something that another process does, half a minute at most. */
export async function until(condition: () => unknown): Promise<void> {
  for (const end = performance.now() + 30_000; !(await condition());) {
    if (performance.now() > end) throw new Error(`it did not come true: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const storeFailure = (message: string, code = "ERR_SESSION_STORE"): unknown =>
  expect.objectContaining({ name: "FastSessionError", code, message: expect.stringContaining(message) });
