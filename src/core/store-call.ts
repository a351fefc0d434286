import { isPromise } from "./awaitable.ts";
import { FastSessionError, loggable } from "./errors.ts";
import type { SessionConfig } from "./session-config.ts";
import { believing } from "./store-answer.ts";
import type { Awaitable, Milliseconds } from "./units.ts";

/** Verbs that may have happened although no answer came. They carry an operation id, so that a repeat does no harm. */
const UNCERTAIN = new Set(["create", "commit", "rotate"]);

/** How often a call is sent again, after 5 ms and after 25: a pool has dropped its dead connections by then. */
const REPEATS = 2;
const FIRST_PAUSE: Milliseconds = 5;

/** What a call gets even where waiting has used the time up, so that the answer of a store that is well comes in. */
const LEAST_PATIENCE: Milliseconds = 400;

/** A call that may be sent again under its operation id. */
export interface Sending {
  /** When its step began, by `performance.now()`: all of it has `storeTimeout`. */
  readonly since: Milliseconds;
  /** An attempt was sent whose outcome is unknown. */
  doubt: boolean;
}

/**
 * Calls the store: a failure becomes one typed error, and a promise has a deadline. An answer that comes after it is
 * ignored.
 *
 * With `sending`, a call that failed in a way that it may have happened is sent again, the very same one. One that ran
 * into the deadline is not: whoever waits for it has waited enough.
 *
 * @param believe answers what it is given, or throws where that makes no sense, which is a failure of the store, too:
 * as default, what looks at the verb's answers
 */
export function callStore<T>(
  config: SessionConfig,
  verb: string,
  call: () => Awaitable<T>,
  sending: Sending | null = null,
  believe: (answer: T) => T = believing(verb),
): Awaitable<T> {
  try {
    const answer = call();
    return isPromise(answer) ? withDeadline(config, verb, answer, call, sending, believe) : believe(answer);
  } catch (error) {
    // Nothing was sent: no connection lies between. What was before stays in doubt.
    config.events.emit("store-error", { verb, error: loggable(error) });
    throw failure(verb, error, sending?.doubt === true ? sending : null);
  }
}

function withDeadline<T>(
  config: SessionConfig,
  verb: string,
  first: Promise<T>,
  call: () => Awaitable<T>,
  sending: Sending | null,
  believe: (answer: T) => T,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let over = false;
    let repeats = 0;
    // Not unref'd: a request waits for it, and it ends with the answer.
    const timer = setTimeout(
      () => {
        over = true;
        if (sending !== null) sending.doubt = true;
        const error = late(config, verb);
        config.events.emit("store-error", { verb, error });
        reject(error);
      },
      patience(config, sending),
    );
    const settled = (value: T): void => {
      let believed: T;
      try {
        believed = believe(value);
      } catch (error) {
        return failed(error);
      }
      clearTimeout(timer);
      resolve(believed);
    };
    const failed = (cause: unknown): void => {
      if (over) return;
      config.events.emit("store-error", { verb, error: loggable(cause) });
      const error = failure(verb, cause, sending);
      if (sending?.doubt === true && repeats < REPEATS) {
        const pause = FIRST_PAUSE * 5 ** repeats++ * (0.5 + Math.random());
        setTimeout(send, pause);
        return;
      }
      clearTimeout(timer);
      reject(error);
    };
    const send = (): void => {
      if (over) return;
      try {
        const again = call();
        if (isPromise(again)) again.then(settled, failed);
        else settled(again);
      } catch (error) {
        failed(error);
      }
    };
    first.then(settled, failed);
  });
}

function patience({ storeTimeout }: SessionConfig, sending: Sending | null): Milliseconds {
  if (sending === null) return storeTimeout;
  const left = storeTimeout - (performance.now() - sending.since);
  return Math.max(left, Math.min(LEAST_PATIENCE, storeTimeout));
}

function late(config: SessionConfig, verb: string): FastSessionError {
  return new FastSessionError(
    UNCERTAIN.has(verb) ? "ERR_SESSION_STORE_UNKNOWN" : "ERR_SESSION_STORE",
    `the store did not answer "${verb}" within ${config.storeTimeout / 1000} s: check the store, or raise storeTimeout`,
  );
}

/** A store's own error says what happened; another's says nothing about it, and once in doubt only an answer helps. */
function failure(verb: string, cause: unknown, sending: Sending | null = null): FastSessionError {
  const own = cause instanceof FastSessionError;
  if (sending !== null && (!own || cause.code === "ERR_SESSION_STORE_UNKNOWN")) sending.doubt = true;
  if (sending?.doubt !== true) {
    if (own) return cause;
    return new FastSessionError("ERR_SESSION_STORE", `the store failed at "${verb}": see cause`, { cause });
  }
  if (own && cause.code === "ERR_SESSION_STORE_UNKNOWN") return cause;
  return new FastSessionError(
    "ERR_SESSION_STORE_UNKNOWN",
    `the store failed at "${verb}", which may have happened all the same: see cause`,
    { cause },
  );
}
