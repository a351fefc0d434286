/**
 * The whole life of a session, as one switch: `decide` says what a request asks of the store, `settle` does it.
 *
 * A response's commit, `saveSession`, `login`, `regenerate` and `destroy` all come through here.
 */
import { followAlias } from "./alias.ts";
import { chain, isPromise } from "./awaitable.ts";
import { commit } from "./commit-step.ts";
import { FastSessionError } from "./errors.ts";
import { endLease } from "./lease.ts";
import { renewalDue } from "./lifetime.ts";
import { type Found, loadRecord } from "./load-record.ts";
import type { Carrier } from "./presented.ts";
import type { Recorded } from "./recorded-field.ts";
import { readOnlyBecause } from "./refusals.ts";
import { rotate, rotateInUse } from "./rotate-step.ts";
import type { SessionConfig } from "./session-config.ts";
import type { Unsettled } from "./session-identity.ts";
import { SessionState } from "./session-state.ts";
import type { Bind } from "./session-store.ts";
import { create, destroy, endUnreadable, renew } from "./steps.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

/** What a caller wants beyond saving what was recorded. `null`: the response is about to leave. */
export type Intent =
  | null
  | { readonly type: "save" }
  | { readonly type: "touch" }
  | { readonly type: "rotate"; readonly bind?: Bind | null }
  | { readonly type: "destroy" };

export type Step = "nothing" | "create" | "commit" | "renew" | "rotate" | "destroy";

/** The session of one request. */
export function newSession(config: SessionConfig, carrier: Carrier): SessionState {
  return new SessionState(config, carrier, commitLate);
}

function decide(state: SessionState, intent: Intent, recorded: Recorded | null, now: EpochMilliseconds): Step {
  if (intent?.type === "destroy") return state.saved ? "destroy" : "nothing";
  if (state.readOnly !== null || state.phase === "destroyed") return "nothing";
  if (!state.saved) {
    if (intent?.type === "save" || (intent?.type === "rotate" && intent.bind)) return "create";
    if (recorded !== null && Object.keys(recorded.set).length > 0) return "create";
    return intent === null && state.config.saveUninitialized && !state.abandoned ? "create" : "nothing";
  }
  if (intent?.type === "rotate" || isRotationDue(state, intent, now)) return "rotate";
  if (recorded !== null) return "commit";
  if (intent?.type === "touch") return "renew";
  if (!state.accessed) return "nothing";
  const tells = intent === null && state.cookie === "resend";
  return tells || renewalDue(state.config.lifetime, state, now) ? "renew" : "nothing";
}

/**
 * A response that leaves takes a new id along. Not that of a handler that threw, or whose client left: whether its headers
 * arrive is unsure, and a browser that missed the new id would look as a thief does.
 */
function isRotationDue(state: SessionState, intent: Intent, now: EpochMilliseconds): boolean {
  const due = now - state.rotatedAt >= state.config.rotateEvery && intent === null && state.accessed;
  return due && !state.abandoned && state.carrier.closed !== true;
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
  if (state.unsettled !== null) {
    return chain(settleEarlier(state, intent?.type !== "destroy"), () => perform(state, intent));
  }
  if (state.unreadable !== null) return chain(endUnreadable(state), () => perform(state, intent));
  const now = state.config.now();
  const recorded = intent?.type === "destroy" ? null : (state.recorder?.collect() ?? null);
  if (recorded === null && intent?.type !== "destroy") state.recorder?.settle(null);
  const bind = intent?.type === "rotate" ? intent.bind : undefined;
  const attempt = { count: 1, since: performance.now() };
  const task = { state, recorded, now, bind, touch: intent?.type === "touch", periodic: intent === null, attempt };
  switch (decide(state, intent, recorded, now)) {
    case "nothing":
      return undefined;
    case "create":
      return create(task);
    case "commit":
      return commit(task);
    case "renew":
      return renew(task);
    case "rotate":
      return task.periodic ? rotateInUse(task) : rotate(task);
    case "destroy":
      return destroy(task);
  }
}

/**
 * Sends the call again that failed earlier in this request, the handler having gone on. One whose outcome does not
 * matter any more is forgotten: a change of data that is dropped or overtaken, a session nobody is going to have.
 */
function settleEarlier(state: SessionState, keepsData: boolean): Awaitable<void> {
  const earlier = state.unsettled as Unsettled;
  const { verb } = earlier;
  const matters = verb === "rotate" || (!state.abandoned && (verb === "create" || keepsData));
  if (matters) return earlier.again();
  state.unsettled = null;
  return undefined;
}

/** Reads again what the store has, dropping what was recorded and not saved. */
export function reload(state: SessionState): Awaitable<void> {
  state.look();
  // A login under way is about to change the key.
  if (state.pending !== null) return state.pending.then(() => reload(state));
  if (state.unsettled !== null) return chain(settleEarlier(state, false), () => reload(state));
  if (!state.saved) return state.recorder?.reset({});
  const { config } = state;
  const key = state.key as string;
  const now = config.now();
  return chain(loadRecord(config, key, now), (found): Awaitable<void> => {
    if (found?.kind !== "alias" || found.expiresAt <= now) return readAgain(state, found, now);
    return chain(followAlias(config, state.id as string, found, now), (trail) => {
      if (trail !== null) state.moveTo(trail.id, trail.key);
      readAgain(state, trail?.found ?? null, now);
    });
  });
}

function readAgain(state: SessionState, found: Found, now: EpochMilliseconds): void {
  if (found === null || found.kind !== "session" || found.expiresAt <= now) {
    state.becomeGone();
    throw readOnlyBecause("gone");
  }
  state.adopt(found);
  state.recorder?.reset(found.fields);
}

/** The response is about to leave: commits, then the cookie is decided. A session that ended meanwhile lets it go. */
export function commitResponse(state: SessionState): Awaitable<void> {
  if (state.frozen) return undefined;
  const { saveUninitialized } = state.config;
  if (state.phase === "untouched" && !saveUninitialized) return freeze(state);
  try {
    // A session for every visitor: whoever brings a valid cookie has one already.
    const done = saveUninitialized ? chain(state.load(), () => settle(state, null)) : settle(state, null);
    if (!isPromise(done)) return freeze(state);
    state.leaving = true;
    return done.then(
      () => freeze(state),
      (error: unknown) => endOfResponse(state, error),
    );
  } catch (error) {
    return endOfResponse(state, error);
  }
}

function freeze(state: SessionState): void {
  state.leaving = false;
  state.frozen = true;
  // Not waited for: the response may leave.
  void endLease(state);
}

function endOfResponse(state: SessionState, error: unknown): void {
  freeze(state);
  if (!(error instanceof FastSessionError && error.code === "ERR_SESSION_GONE")) {
    // The client is told that it failed: no later change may bring it in.
    state.recorder?.reset(state.recorder.base);
    state.unsettled = null;
    throw error;
  }
  state.config.log.info("a session ended while a request was under way; what that request recorded is dropped");
}

/** After the headers: there is nobody left to throw to. */
function commitLate(state: SessionState): void {
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
