import { chain, isPromise } from "./awaitable.ts";
import { FastSessionError } from "./errors.ts";
import type { Task } from "./outcomes.ts";
import type { Unsettled } from "./session-identity.ts";
import type { SessionState } from "./session-state.ts";
import { callStore, type Sending } from "./store-call.ts";
import type { Awaitable } from "./units.ts";

/**
 * Makes a step's call and judges its answer. Where it stays unknown whether the call happened, the error is thrown and
 * the call is kept, so that the request's next one is that very call again.
 */
export function sendStep<T>(
  { state, attempt }: Task,
  verb: Unsettled["verb"],
  call: () => Awaitable<T>,
  judge: (answer: T) => Awaitable<void>,
): Awaitable<void> {
  const { config } = state;
  // A local store cannot lose a call, and remembers no operations.
  if (config.store.capabilities.local) return chain(callStore(config, verb, call), judge);
  return send(state, verb, { since: attempt.since, doubt: false }, call, judge);
}

function send<T>(
  state: SessionState,
  verb: Unsettled["verb"],
  sending: Sending,
  call: () => Awaitable<T>,
  judge: (answer: T) => Awaitable<void>,
): Awaitable<void> {
  const answer = callStore(state.config, verb, call, sending);
  const judged = (value: T): Awaitable<void> => {
    state.unsettled = null;
    return judge(value);
  };
  if (!isPromise(answer)) return judged(answer);
  return answer.then(judged, (error: unknown) => {
    if (isUnknown(error)) {
      state.unsettled = { verb, again: () => send(state, verb, secondTry(), call, judge) };
    }
    throw error;
  });
}

/** For a call whose step has had its time. */
export function secondTry(): Sending {
  return { since: -Infinity, doubt: true };
}

export function isUnknown(error: unknown): boolean {
  return error instanceof FastSessionError && error.code === "ERR_SESSION_STORE_UNKNOWN";
}
