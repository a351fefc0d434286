/**
 * The whole life of a session, as one switch: `decide` says what a request asks of the store, `settle` does it.
 *
 * A response's commit, `saveSession`, `login`, `regenerate` and `destroy` all come through here.
 */
import { isPromise, then } from "./awaitable.ts";
import { FastSessionError } from "./errors.ts";
import { deadline, renewalDue } from "./lifetime.ts";
import type { Recorded } from "./recorder.ts";
import { newHandle, newOperation, shortHash, tagOf, userTag } from "./session-id.ts";
import type { SessionState } from "./session-state.ts";
import type { Bind, Change, Rejected } from "./session-store.ts";
import { callStore } from "./store-call.ts";
import { utf8Length } from "./text-size.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

/** What a caller wants beyond saving what was recorded. `null`: the response is about to leave. */
export type Intent =
  | null
  | { readonly type: "save" }
  | { readonly type: "touch" }
  | { readonly type: "rotate"; readonly bind?: Bind | null }
  | { readonly type: "destroy" };

export type Step = "nothing" | "create" | "commit" | "renew" | "rotate" | "destroy";

/** Attempts that follow each other at once; later ones wait a little, so that somebody gets through. */
const QUICK_ATTEMPTS = 8;
const ID_ATTEMPTS = 5;

function decide(state: SessionState, intent: Intent, recorded: Recorded | null, now: EpochMilliseconds): Step {
  if (intent?.type === "destroy") return state.saved ? "destroy" : "nothing";
  if (state.readOnly !== null || state.phase === "destroyed") return "nothing";
  if (!state.saved) {
    if (intent?.type === "save" || (intent?.type === "rotate" && intent.bind)) return "create";
    if (recorded !== null && Object.keys(recorded.set).length > 0) return "create";
    return intent === null && state.config.saveUninitialized ? "create" : "nothing";
  }
  if (intent?.type === "rotate") return "rotate";
  if (recorded !== null) return "commit";
  if (intent?.type === "touch") return "renew";
  return state.accessed && renewalDue(state.config.lifetime, state, now) ? "renew" : "nothing";
}

/** Brings the store in line with what the request did. Synchronous on local stores. */
export function settle(state: SessionState, intent: Intent): Awaitable<void> {
  if (state.pending !== null) return state.pending.then(() => settle(state, intent));
  const done = perform(state, intent);
  if (!isPromise(done)) return undefined;
  const pending = done.then(
    () => void (state.pending = null),
    (error: unknown) => {
      state.pending = null;
      throw error;
    },
  );
  // A rejection reaches whoever awaits `pending`; the queue behind it must go on.
  state.pending = pending.catch(() => undefined);
  return pending;
}

function perform(state: SessionState, intent: Intent): Awaitable<void> {
  if (state.unreadable !== null) return then(endUnreadable(state), () => perform(state, intent));
  const now = state.config.now();
  const recorded = intent?.type === "destroy" ? null : (state.recorder?.collect() ?? null);
  switch (decide(state, intent, recorded, now)) {
    case "nothing":
      return undefined;
    case "create":
      return create(state, recorded, now, (intent?.type === "rotate" && intent.bind) || undefined, 1);
    case "commit":
      return commit(state, recorded as Recorded, now, intent?.type === "touch", now, 1);
    case "renew":
      return renew(state, now);
    case "rotate":
      return rotate(state, recorded, now, intent?.type === "rotate" ? intent.bind : undefined, now, 1);
    case "destroy":
      return destroy(state, now);
  }
}

/** The response is about to leave: commits, then the cookie is decided. A session that ended meanwhile lets it go. */
export function commitResponse(state: SessionState): Awaitable<void> {
  if (state.frozen) return undefined;
  if (state.phase === "untouched" && state.unreadable === null) {
    if (!state.config.saveUninitialized) {
      state.frozen = true;
      return undefined;
    }
    if (state.config.store.capabilities.local) state.look();
  }
  try {
    const done = settle(state, null);
    if (!isPromise(done)) {
      state.frozen = true;
      return undefined;
    }
    return done.then(
      () => void (state.frozen = true),
      (error: unknown) => endOfResponse(state, error),
    );
  } catch (error) {
    return endOfResponse(state, error);
  }
}

function endOfResponse(state: SessionState, error: unknown): void {
  state.frozen = true;
  if (!(error instanceof FastSessionError && error.code === "ERR_SESSION_GONE")) throw error;
  state.config.log.info("a session ended while a request was under way; what that request recorded is dropped");
}

/** After the headers: there is nobody left to throw to. */
export function commitLate(state: SessionState): void {
  const failed = (error: unknown): void =>
    state.config.log.error(
      `a change made after the response's headers could not be saved: ${error instanceof FastSessionError ? error.code : "ERR_SESSION_STORE"}`,
    );
  try {
    const done = settle(state, { type: "save" });
    if (isPromise(done)) done.catch(failed);
  } catch (error) {
    failed(error);
  }
}

function create(
  state: SessionState,
  recorded: Recorded | null,
  now: EpochMilliseconds,
  bind: Bind | undefined,
  attempt: number,
): Awaitable<void> {
  const { config } = state;
  state.refuseCookieChange("a new session");
  const id = (bind === undefined && attempt === 1 && state.reservedId) || config.ids.next(bind && userTag(bind.userId));
  const key = config.keyOf(id);
  const handle = newHandle();
  const fields = recorded?.set ?? {};
  const expiresAt = deadline(config.lifetime, now, now, bind?.maxAge ?? null);
  guardSize(state, fields, null);
  const record = { key, fields, createdAt: now, lastUsedAt: now, expiresAt, handle };
  return then(
    callStore(config, "create", () => config.store.create(record, { operation: newOperation(), now, bind })),
    (answer) => {
      if (!answer.ok) {
        if (answer.reason === "rejected") throw rejection(answer);
        if (attempt < ID_ATTEMPTS) return create(state, recorded, now, bind, attempt + 1);
        throw new FastSessionError(
          "ERR_SESSION_ID",
          `${ID_ATTEMPTS} new ids in a row were taken: idGenerator must be random`,
        );
      }
      state.id = id;
      state.key = key;
      state.handle = handle;
      state.createdAt = state.lastUsedAt = now;
      state.expiresAt = expiresAt;
      state.saved = true;
      state.cookie = "send";
      if (state.cause === "none") state.cause = "new";
      if (bind !== undefined) state.binding = bound(bind, now);
      if (recorded !== null) state.recorder?.settle(recorded);
      config.created();
      if (config.events.heard("created")) config.events.emit("created", { session: shortHash(id) });
      evicted(state, answer.evicted.length);
    },
  );
}

function commit(
  state: SessionState,
  recorded: Recorded,
  now: EpochMilliseconds,
  touch: boolean,
  since: EpochMilliseconds,
  attempt: number,
): Awaitable<void> {
  const { config } = state;
  const key = state.key as string;
  const due = touch || renewalDue(config.lifetime, state, now);
  guardSize(state, recorded.set, recorded);
  // Where a comparison costs nothing, plain assignments are watched too, so that an overwritten value is reported.
  const watched = config.onConflict === "reject" || config.store.capabilities.local ? recorded.assigned : null;
  const expiresAt = due ? deadline(config.lifetime, state.createdAt, now, state.binding?.maxAge ?? null) : undefined;
  const change: Change = {
    operation: newOperation(),
    now,
    expect: recorded.computed === null ? (watched ?? undefined) : { ...watched, ...recorded.computed },
    clear: recorded.clear,
    remove: recorded.remove,
    set: recorded.set,
    lastUsedAt: due ? now : undefined,
    expiresAt,
  };
  return then(
    callStore(config, "commit", () => config.store.commit(key, change)),
    (answer) => {
      if (answer.ok) {
        state.recorder?.settle(recorded);
        if (expiresAt !== undefined) renewed(state, now, expiresAt);
        return undefined;
      }
      if (answer.reason !== "conflict") return gone(state);
      return again(state, recorded, answer.current, since, attempt, (next, instant) =>
        next === null ? undefined : commit(state, next, instant, touch, since, attempt + 1),
      );
    },
  );
}

/** Another request was first on some of the fields: takes its values over and tries again, for `storeTimeout` at most. */
function again(
  state: SessionState,
  recorded: Recorded,
  current: Readonly<Record<string, string | null>>,
  since: EpochMilliseconds,
  attempt: number,
  retry: (recorded: Recorded | null, now: EpochMilliseconds) => Awaitable<void>,
): Awaitable<void> {
  const { config } = state;
  const now = config.now();
  const fields = Object.keys(current);
  const assigned = fields.filter((field) => recorded.computed === null || !(field in recorded.computed));
  if (config.onConflict === "reject" && assigned.length > 0) {
    throw conflict(assigned);
  }
  const rebased = state.recorder?.rebase(current);
  const session = shortHash(state.id ?? "");
  if (rebased !== undefined && rebased.overwritten.length > 0) {
    config.events.emit("overwritten", { session, fields: rebased.overwritten });
  }
  if (rebased !== undefined && rebased.recomputed.length > 0) {
    config.events.emit("conflict", { session, fields: rebased.recomputed });
  }
  const proceed = (instant: EpochMilliseconds): Awaitable<void> => retry(state.recorder?.collect() ?? null, instant);
  if (attempt < QUICK_ATTEMPTS) return proceed(now);
  if (now - since >= config.storeTimeout) throw conflict(fields);
  const pause = Math.random() * Math.min(50, attempt);
  return new Promise<void>((resolve) => setTimeout(resolve, pause)).then(() => proceed(config.now()));
}

function conflict(fields: readonly string[]): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_CONFLICT",
    `another request changed ${fields.map((field) => JSON.stringify(field)).join(", ")} first: reload and try again, or use update()`,
  );
}

/** A renewal that fails fails no response: the session lives on until its deadline. */
function renew(state: SessionState, now: EpochMilliseconds): Awaitable<void> {
  const { config } = state;
  const key = state.key as string;
  const expiresAt = deadline(config.lifetime, state.createdAt, now, state.binding?.maxAge ?? null);
  const failed = (): void => config.log.warn("a session's renewal failed; it ends at its present deadline");
  try {
    const answer = callStore(config, "renew", () => config.store.renew(key, { now, lastUsedAt: now, expiresAt }));
    const done = (alive: boolean): void => (alive ? renewed(state, now, expiresAt) : undefined);
    return isPromise(answer) ? answer.then(done, failed) : done(answer);
  } catch {
    return failed();
  }
}

function renewed(state: SessionState, now: EpochMilliseconds, expiresAt: EpochMilliseconds): void {
  state.lastUsedAt = Math.max(state.lastUsedAt, now);
  state.expiresAt = Math.max(state.expiresAt, expiresAt);
  const { events, lifetime } = state.config;
  if (lifetime.rolling && lifetime.maxAge > 0 && (state.binding?.maxAge ?? null) === null) state.cookie = "send";
  if (events.heard("renewed")) events.emit("renewed", { session: shortHash(state.id ?? "") });
}

function rotate(
  state: SessionState,
  recorded: Recorded | null,
  now: EpochMilliseconds,
  bind: Bind | null | undefined,
  since: EpochMilliseconds,
  attempt: number,
): Awaitable<void> {
  const { config } = state;
  const oldId = state.id as string;
  const newId = config.ids.next(bind ? userTag(bind.userId) : tagOf(oldId));
  const newKey = config.keyOf(newId);
  // A login starts a new absolute period; a mere change of the id doesn't.
  const createdAt = bind ? now : state.createdAt;
  const maxAge = bind === undefined ? (state.binding?.maxAge ?? null) : (bind?.maxAge ?? null);
  const expiresAt = deadline(config.lifetime, createdAt, now, maxAge);
  if (recorded !== null) guardSize(state, recorded.set, recorded);
  const change = {
    operation: newOperation(),
    now,
    expect: recorded?.computed ?? undefined,
    clear: recorded?.clear ?? false,
    remove: recorded?.remove ?? [],
    set: recorded?.set ?? {},
    lastUsedAt: now,
    expiresAt,
    createdAt,
  };
  const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + config.rotationGrace } as const;
  return then(
    callStore(config, "rotate", () => config.store.rotate(state.key as string, newKey, change, { leave, bind })),
    (answer) => {
      if (answer.ok) {
        state.id = newId;
        state.key = newKey;
        state.createdAt = createdAt;
        state.lastUsedAt = now;
        state.expiresAt = expiresAt;
        state.cookie = "send";
        if (bind !== undefined) state.binding = bind === null ? null : bound(bind, now);
        if (recorded !== null) state.recorder?.settle(recorded);
        config.events.emit("rotated", {
          session: shortHash(newId),
          previous: shortHash(oldId),
          userId: state.binding?.userId ?? null,
        });
        return evicted(state, answer.evicted.length);
      }
      if (answer.reason === "rejected") throw rejection(answer);
      if (answer.reason === "duplicate" && attempt < ID_ATTEMPTS) {
        return rotate(state, recorded, now, bind, since, attempt + 1);
      }
      if (answer.reason === "duplicate") {
        throw new FastSessionError(
          "ERR_SESSION_ID",
          `${ID_ATTEMPTS} new ids in a row were taken: idGenerator must be random`,
        );
      }
      if (answer.reason !== "conflict" || recorded === null) return gone(state);
      return again(state, recorded, answer.current, since, attempt, (next, instant) =>
        rotate(state, next, instant, bind, since, attempt + 1),
      );
    },
  );
}

function destroy(state: SessionState, now: EpochMilliseconds): Awaitable<void> {
  const { config } = state;
  const key = state.key as string;
  const session = shortHash(state.id as string);
  const until = { now, tombstoneUntil: now + config.rotationGrace };
  return then(
    callStore(config, "destroy", () => config.store.destroy(key, until)),
    () => config.events.emit("destroyed", { session }),
  );
}

/** Ends a record that could not be read, so that it is one session's end and not an error on each of its requests. */
function endUnreadable(state: SessionState): Awaitable<void> {
  const { config } = state;
  const key = state.unreadable as string;
  const now = config.now();
  state.unreadable = null;
  return then(
    callStore(config, "destroy", () => config.store.destroy(key, { now, tombstoneUntil: now })),
    () => undefined,
  );
}

function gone(state: SessionState): never {
  const session = shortHash(state.id ?? "");
  state.becomeGone();
  state.config.events.emit("gone", { session });
  throw new FastSessionError(
    "ERR_SESSION_GONE",
    "the session ended while this request was under way: nothing was saved, and its cookie stays as the browser has it",
  );
}

function rejection(answer: Rejected): FastSessionError {
  switch (answer.why) {
    case "full":
      return new FastSessionError(
        "ERR_SESSION_STORE_FULL",
        "the store is full: raise maxSessions, or use a store on disk",
      );
    case "cap":
      return new FastSessionError("ERR_SESSION_REJECTED", "the user has as many sessions as maxSessionsPerUser allows");
    case "revoked":
      return new FastSessionError(
        "ERR_SESSION_REJECTED",
        "the user's sessions were revoked since this login began: sign in again",
      );
  }
}

function evicted(state: SessionState, count: number): void {
  if (count > 0) state.config.events.emit("revoked", { count });
}

function bound(bind: Bind, now: EpochMilliseconds): NonNullable<SessionState["binding"]> {
  return {
    userId: bind.userId,
    boundAt: now,
    // The store's own; nothing here reads it before the next load.
    generation: bind.since ?? 0,
    metadata: bind.metadata,
    maxAge: bind.maxAge,
  };
}

/** The size of what the record will hold, as far as this request knows it. */
function guardSize(state: SessionState, set: Readonly<Record<string, string>>, recorded: Recorded | null): void {
  const limit = state.config.maxSessionBytes;
  const kept = recorded === null || recorded.clear ? {} : (state.recorder?.base ?? {});
  let size = 0;
  for (const field of Object.keys(set)) size += field.length + (set[field] as string).length;
  for (const field of Object.keys(kept)) if (!(field in set)) size += field.length + (kept[field] as string).length;
  if (size * 3 <= limit) return;
  size = 0;
  for (const [field, text] of Object.entries({ ...kept, ...set })) size += utf8Length(field) + utf8Length(text);
  if (size <= limit) return;
  throw new FastSessionError(
    "ERR_SESSION_TOO_LARGE",
    `the session would have ${size} bytes, more than maxSessionBytes (${limit}): keep large things elsewhere and their name here`,
  );
}
