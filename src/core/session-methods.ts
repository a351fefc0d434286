import { csrfToken, endCsrfTokens } from "./csrf-token.ts";
import { createDataView } from "./data-view.ts";
import { FastSessionError } from "./errors.ts";
import { stateOf } from "./handle-target.ts";
import { reload, settle } from "./lifecycle.ts";
import { LiveInfo } from "./live-info.ts";
import { checkMetadata } from "./login-metadata.ts";
import { checkField, FLASH } from "./recorded-field.ts";
import { readOnlyBecause } from "./refusals.ts";
import type { SessionState } from "./session-state.ts";
import type { LoginOptions } from "./session-types.ts";

/** A member: either a method or a property that is computed from the state. */
export interface Member {
  readonly value?: unknown;
  readonly get?: (state: SessionState) => unknown;
}
export type Methods = Readonly<Record<string, Member>>;

function increment(this: unknown, field: string, by: number = 1): number {
  if (typeof by !== "number" || !Number.isFinite(by)) throw new TypeError("increment adds a finite number");
  const run = (current: unknown): number => {
    if (current === undefined) return by;
    if (typeof current !== "number") throw wrongType(field, "number", "increment");
    return current + by;
  };
  return stateOf(this).writable.compute(field, { run, adds: null }) as number;
}

function append(this: unknown, field: string, ...values: unknown[]): unknown[] {
  const run = (current: unknown, own: boolean): unknown[] => {
    if (current === undefined) return [...values];
    if (!Array.isArray(current)) throw wrongType(field, "list", "append");
    if (!own) return (current as unknown[]).concat(values);
    for (const value of values) current.push(value);
    return current as unknown[];
  };
  return stateOf(this).writable.compute(field, { run, adds: values }) as unknown[];
}

function update(this: unknown, field: string, compute: (current: unknown) => unknown): unknown {
  if (typeof compute !== "function")
    throw new TypeError("update takes a function from the field's value to its next one");
  const run = (current: unknown): unknown => {
    const value = compute(current);
    if (typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function") {
      throw new TypeError("update takes a synchronous function: await first, then update");
    }
    return value;
  };
  return stateOf(this).writable.compute(field, { run, adds: null });
}

function flash(this: unknown, name: string, ...rest: [unknown?]): unknown {
  checkField(name);
  const state = stateOf(this);
  if (rest.length > 0) return void state.writable.set(FLASH + name, rest[0]);
  const value = state.data.get(FLASH + name);
  if (value !== undefined) state.writable.delete(FLASH + name);
  return value;
}

async function regenerate(this: unknown, options: { keep?: boolean | readonly string[] } = {}): Promise<void> {
  const state = stateOf(this);
  await renewId(state, options.keep ?? true);
}

/** A new id at once, with all, none or some of the data. */
export async function renewId(state: SessionState, keep: boolean | readonly string[]): Promise<void> {
  const data = state.writable;
  state.refuseCookieChange("regenerate()");
  state.reservedId = null;
  endCsrfTokens(state);
  if (keep !== true) {
    const kept = new Map((keep === false ? [] : keep).map((field) => [field, data.get(field)]));
    data.clear();
    for (const [field, value] of kept) if (value !== undefined) data.set(field, value);
  }
  await settle(state, { type: "rotate" });
}

async function login(this: unknown, userId: string | number, options: LoginOptions = {}): Promise<void> {
  const state = stateOf(this);
  const id = checkUserId(userId);
  const { maxAge = null, metadata = {}, since } = options;
  if (
    maxAge !== null &&
    !(Number.isInteger(maxAge) && maxAge >= 0 && maxAge * 1000 <= state.config.lifetime.absolute)
  ) {
    throw new TypeError(
      `login's maxAge is a whole number of seconds, 0 to absoluteTimeout (${state.config.lifetime.absolute / 1000}): raise absoluteTimeout for longer logins`,
    );
  }
  const listed = checkMetadata(metadata);
  state.refuseCookieChange("login()");
  state.startOver();
  const data = state.writable;
  // What another user left in it is not this one's, also where his login is still under way.
  const user = state.loginOf?.userId ?? state.binding?.userId ?? id;
  if (user !== id) data.clear();
  endCsrfTokens(state);
  const { now, cap: limit, rotationGrace } = state.config;
  const cap = limit === null ? undefined : { ...limit, tombstoneUntil: now() + rotationGrace };
  const bind = { userId: id, metadata: listed, maxAge, since, cap };
  state.loginOf = bind;
  try {
    await settle(state, { type: "rotate", bind });
  } finally {
    if (state.loginOf === bind) state.loginOf = null;
  }
}

async function logout(this: unknown): Promise<void> {
  const state = stateOf(this);
  await end(state, "logout()");
  // Whoever signs out of a session that was revoked wants its dead cookie gone, too.
  if ((state.cause === "revoked" || state.reused) && !state.frozen) state.cookie = "expire";
  state.startOver();
  state.becomeFresh("none");
}

async function destroy(this: unknown): Promise<void> {
  const state = stateOf(this);
  await end(state, "destroy()");
  state.becomeDestroyed();
}

async function end(state: SessionState, what: string): Promise<void> {
  state.look();
  // The record is there, perhaps: whoever was told that it ended would leave somebody signed in.
  if (state.readOnly === "unavailable") throw readOnlyBecause("unavailable");
  const had = state.saved;
  await settle(state, { type: "destroy" });
  if (!had && state.readOnly === null && state.cookie === "keep") return;
  if (state.frozen) {
    state.config.log.warn(`${what} after the headers: the session is ended, but its cookie stays in the browser`);
  } else if (state.readOnly === null) {
    state.cookie = had ? "expire" : "keep";
  }
}

/** A user id as stores keep it. */
export function checkUserId(userId: unknown): string {
  const id = typeof userId === "number" && Number.isFinite(userId) ? String(userId) : userId;
  if (typeof id !== "string" || id === "" || id.length > 255) {
    throw new TypeError("a user id is a finite number or a string of 1 to 255 characters");
  }
  return id;
}

function wrongType(field: string, wanted: string, verb: string): FastSessionError {
  return new FastSessionError("ERR_SESSION_FIELD_TYPE", `${verb} needs a ${wanted} in field ${JSON.stringify(field)}`, {
    path: field,
  });
}

const methodTable = {
  get(this: unknown, field: string, fallback?: unknown): unknown {
    const value = stateOf(this).data.get(field);
    return value === undefined ? fallback : value;
  },
  set(this: unknown, field: string, value: unknown): void {
    stateOf(this).writable.set(field, value);
  },
  has(this: unknown, field: string): boolean {
    return stateOf(this).data.has(field);
  },
  delete(this: unknown, field: string): boolean {
    return stateOf(this).writable.delete(field);
  },
  increment,
  append,
  update,
  flash,
  getSession(this: unknown): Record<string, unknown> {
    return createDataView(stateOf(this));
  },
  clearSession(this: unknown): void {
    stateOf(this).writable.clear();
  },
  getSessionId(this: unknown): string {
    const state = stateOf(this);
    state.look();
    // An unsaved session is asked for its id: it keeps the one it is going to have.
    return state.id ?? (state.reservedId ??= state.config.ids.next());
  },
  csrfToken(this: unknown): string {
    return csrfToken(stateOf(this));
  },
  async load(this: unknown): Promise<void> {
    const state = stateOf(this);
    await state.load();
  },
  async saveSession(this: unknown): Promise<void> {
    const state = stateOf(this);
    void state.writable;
    await settle(state, { type: "save" });
  },
  async reload(this: unknown): Promise<void> {
    await reload(stateOf(this));
  },
  async touch(this: unknown): Promise<void> {
    const state = stateOf(this);
    state.look();
    await settle(state, { type: "touch" });
  },
  regenerate,
  destroy,
  login,
  logout,
  toJSON(this: unknown): Record<string, unknown> {
    const { data } = stateOf(this);
    return Object.fromEntries(data.fields().map((field) => [field, data.get(field)]));
  },
};

const properties: Record<string, (state: SessionState) => unknown> = {
  info: (state) => new LiveInfo(state),
  data: (state) => createDataView(state),
};

/** The members of every handle, without a prototype: a field called `toString` is a field. */
export const methods: Methods = Object.freeze(
  Object.assign(
    Object.create(null) as Record<string, Member>,
    Object.fromEntries(Object.entries(methodTable).map(([name, value]) => [name, { value }])),
    Object.fromEntries(Object.entries(properties).map(([name, get]) => [name, { get }])),
  ),
);

/** Names that items cannot have: the members; `save`, which Express code calls; and what would make it another thing. */
export const RESERVED: ReadonlySet<string> = new Set([
  ...Object.keys(methods),
  "save",
  "then",
  "constructor",
  "__proto__",
]);
