import { isPromise } from "./awaitable.ts";
import { FastSessionError } from "./errors.ts";
import type { SessionConfig } from "./session-config.ts";
import type { Awaitable } from "./units.ts";

/** Verbs that may have happened although no answer came. */
const UNCERTAIN = new Set(["create", "commit", "rotate"]);

/**
 * Calls the store: a failure becomes one typed error, and a promise has a deadline. An answer that comes after it is
 * ignored. Nothing is repeated here: whether a call may be sent again is the lifecycle's to decide.
 */
export function callStore<T>(config: SessionConfig, verb: string, call: () => Awaitable<T>): Awaitable<T> {
  let answer: Awaitable<T>;
  try {
    answer = call();
  } catch (error) {
    throw failure(config, verb, error);
  }
  return isPromise(answer) ? withDeadline(config, verb, answer) : answer;
}

function withDeadline<T>(config: SessionConfig, verb: string, answer: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // Not unref'd: a request waits for it, and it ends with the answer.
    const timer = setTimeout(() => {
      const late = new FastSessionError(
        UNCERTAIN.has(verb) ? "ERR_SESSION_STORE_UNKNOWN" : "ERR_SESSION_STORE",
        `the store did not answer "${verb}" within ${config.storeTimeout / 1000} s: check the store, or raise storeTimeout`,
      );
      config.events.emit("store-error", { verb, error: late });
      reject(late);
    }, config.storeTimeout);
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(failure(config, verb, error));
      },
    );
  });
}

function failure(config: SessionConfig, verb: string, error: unknown): FastSessionError {
  config.events.emit("store-error", { verb, error });
  if (error instanceof FastSessionError) return error;
  return new FastSessionError("ERR_SESSION_STORE", `the store failed at "${verb}": see cause`, { cause: error });
}
