import { chain, isPromise } from "./awaitable.ts";
import { FastSessionError } from "./errors.ts";
import type { SessionState } from "./session-state.ts";
import { callStore } from "./store-call.ts";
import type { Awaitable } from "./units.ts";

/** Gives a session free again that `serialize` keeps for this request. */
export function endLease(state: SessionState): Awaitable<void> {
  const { config, lease } = state;
  if (lease === null) return undefined;
  state.lease = null;
  // It ends by itself, too: a response does not fail for it.
  const failed = (): void => config.log.info("a serialized session was not given free; it is when its lease ends");
  try {
    const done = chain(
      callStore(config, "release", () => lease.release()),
      () => undefined,
    );
    return isPromise(done) ? done.catch(failed) : done;
  } catch {
    return failed();
  }
}

/** A conflict about no field: the fence of an outlived lease was refused. */
export function isOutlived(state: SessionState, current: Readonly<Record<string, unknown>>): boolean {
  return state.lease !== null && Object.keys(current).length === 0;
}

export function outlived(): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_LOCKED",
    "the request held the session for longer than its lease, and another has it since: nothing was saved; raise lease",
  );
}
