import { FastSessionError } from "../core/errors.ts";
import type { Alias, Binding, Fields, StoredSession, Tombstone } from "../core/session-record.ts";
import type { Bind, Change, Conflict, RotateChange } from "../core/session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import type { SimpleData } from "./simple-contract.ts";

/** The one key under which an object keeps what the library has to know. No handler sees it. */
const HIDDEN_KEY = "__fastsession__";

/** Until when an object that was saved is needed: what its session or mark says. */
export function deadlineOf(data: SimpleData): EpochMilliseconds {
  return (data[HIDDEN_KEY] as LiveState | Mark | undefined)?.expiresAt ?? 0;
}

/** How long an object that somebody else put into the store lives from each look at it: `idleTimeout`'s default. */
const FOREIGN_LIFE: Milliseconds = 12 * 3_600_000;

/** What stands under the hidden key of a live session. */
export interface LiveState {
  readonly kind: "session";
  readonly expiresAt: EpochMilliseconds;
  readonly version: number;
  readonly createdAt: EpochMilliseconds;
  readonly lastUsedAt: EpochMilliseconds;
  readonly rotatedAt: EpochMilliseconds;
  readonly handle: string;
  readonly binding: Binding | null;
  /** Texts that their value does not give back: no JSON (an encrypted field), or JSON in another notation. */
  readonly texts?: Fields;
}

/** What stands under the hidden key of a session that moved or ended. */
export type Mark = Alias | Tombstone;

/** A live session's object, and its state as it was read. */
export interface Live {
  readonly data: SimpleData;
  readonly state: LiveState;
}

/** @throws TypeError for what a custom store answered by mistake */
export function asObject(data: unknown): SimpleData {
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as SimpleData;
  throw new TypeError(`getStore answered ${data === null ? "null" : typeof data}, and a session's data is an object`);
}

/**
 * What an object is. One without the hidden key was made by the original, or by the user's own tools: a session that
 * began at this look, which is the least that can be said of it. The cookie's own timestamp ends it in time, and the
 * first write gives it a state. A state that cannot be read is no session: it may have been a mark of its end.
 */
export function stateOf(data: SimpleData, now: EpochMilliseconds): LiveState | Mark | null {
  if (!Object.hasOwn(data, HIDDEN_KEY)) {
    const times = { createdAt: now, lastUsedAt: now, rotatedAt: now, expiresAt: now + FOREIGN_LIFE };
    return { kind: "session", version: 0, handle: "", binding: null, ...times };
  }
  const state = data[HIDDEN_KEY] as Partial<LiveState> | Mark | null;
  if (typeof state !== "object" || state === null || !Number.isFinite(state.expiresAt)) return null;
  if (state.kind === "alias" || state.kind === "tombstone") return state;
  const complete =
    state.kind === "session" &&
    [state.version, state.createdAt, state.lastUsedAt, state.rotatedAt].every(Number.isFinite) &&
    typeof state.handle === "string";
  return complete ? (state as LiveState) : null;
}

export function toStored(data: SimpleData, state: LiveState): StoredSession {
  const { texts: _, ...rest } = state;
  return { ...rest, fields: fieldsOf(data, state) };
}

/** Whether expected fields differ: those, with the text they have. */
export function conflictOf({ data, state }: Live, { expect = {} }: Change): Conflict | null {
  const current: Record<string, string | null> = {};
  for (const name of Object.keys(expect)) {
    const text = textOf(data, name, state);
    if (text !== expect[name]) put(current, name, text);
  }
  return Object.keys(current).length === 0 ? null : { ok: false, reason: "conflict", current };
}

/** Sets a property, also one whose assignment would set the object's prototype and store nothing. */
function put(data: SimpleData, name: string, value: unknown): void {
  if (name !== "__proto__") data[name] = value;
  else Object.defineProperty(data, name, { value, enumerable: true, configurable: true, writable: true });
}

function encode(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // It stands among the texts, once.
    return null;
  }
}

/** A field's text, or `null`: not there, or a value put there by others that JSON cannot hold. Such a one stays put. */
function textOf(data: SimpleData, name: string, { texts }: LiveState): string | null {
  if (name === HIDDEN_KEY || !Object.hasOwn(data, name)) return null;
  const text = encode(data[name]);
  const kept = texts !== undefined && Object.hasOwn(texts, name) ? texts[name] : undefined;
  // Somebody else may have changed the value since.
  if (kept !== undefined && encode(decode(kept)) === text) return kept;
  return text ?? null;
}

function fieldsOf(data: SimpleData, state: LiveState): Fields {
  const fields: Record<string, string> = {};
  for (const name of Object.keys(data)) {
    const text = textOf(data, name, state);
    if (text !== null) put(fields, name, text);
  }
  return fields;
}

/** Changes the data in place. Answers the texts that the values do not give back. */
export function apply(data: SimpleData, { texts: before = {} }: LiveState, change: Partial<Change>): Fields {
  const { clear, remove = [], set = {} } = change;
  const texts: Record<string, string> = clear === true ? {} : { ...before };
  const removed = clear === true ? Object.keys(data) : remove;
  for (const name of removed) {
    if (name !== HIDDEN_KEY) delete data[name];
    delete texts[name];
  }
  for (const name of Object.keys(set)) {
    if (name === HIDDEN_KEY) {
      throw new FastSessionError("ERR_SESSION_VALUE", `the field name "${HIDDEN_KEY}" is reserved`, { path: name });
    }
    const text = set[name];
    if (typeof text !== "string") throw new TypeError(`the field "${name}" is no text: fields are encoded by the core`);
    const value = decode(text);
    put(data, name, value);
    delete texts[name];
    if (encode(value) !== text) put(texts, name, text);
  }
  return texts;
}

/** The state after a change, its texts being those that the values do not give back. */
export function advanced(state: LiveState, change: Partial<RotateChange>, texts: Fields): LiveState {
  const { texts: _, ...rest } = state;
  const { clear, remove, set, createdAt, lastUsedAt = 0, expiresAt = state.expiresAt } = change;
  return {
    ...rest,
    version: clear === true || remove !== undefined || set !== undefined ? state.version + 1 : state.version,
    createdAt: createdAt ?? state.createdAt,
    lastUsedAt: Math.max(state.lastUsedAt, lastUsedAt),
    expiresAt: createdAt === undefined ? Math.max(state.expiresAt, expiresAt) : expiresAt,
    ...(Object.keys(texts).length === 0 ? {} : { texts }),
  };
}

export function stamped(data: SimpleData, state: LiveState | Mark): SimpleData {
  return { ...data, [HIDDEN_KEY]: state };
}

export function toBinding(bind: Bind | null | undefined, now: EpochMilliseconds): Binding | null {
  if (!bind) return null;
  const { userId, metadata, maxAge } = bind;
  return { userId, boundAt: now, generation: 0, metadata: { ...metadata }, maxAge };
}

/** Replaces everything in the object. */
export function replace(data: SimpleData, content: SimpleData): void {
  for (const name of Object.keys(data)) delete data[name];
  for (const name of Object.keys(content)) put(data, name, content[name]);
}
