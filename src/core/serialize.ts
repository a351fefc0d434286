import { wait as pause } from "./conflict.ts";
import { FastSessionError } from "./errors.ts";
import { stateOf } from "./handle-target.ts";
import { endLease } from "./lease.ts";
import { reload } from "./lifecycle.ts";
import type { Lease } from "./session-identity.ts";
import type { SessionState } from "./session-state.ts";
import { callStore } from "./store-call.ts";
import type { Awaitable, Milliseconds, Seconds } from "./units.ts";

/** How long a request waits for a session, and how long it keeps it. */
export interface SerializeOptions {
  /**
   * How long to wait while another request has it. `0`: not at all.
   *
   * @defaultValue 10
   */
  readonly wait?: Seconds;
  /**
   * How long this request has it at most: longer than it can possibly take. Another one may have it then, and what
   * this one still saves is refused.
   *
   * @defaultValue 30
   */
  readonly lease?: Seconds;
}

const LONGEST_PAUSE: Milliseconds = 100;
const LONGEST: Seconds = 86_400;

/**
 * Keeps a session for this request alone, among all that ask for the same: waits until no other has it, reads it
 * again, and gives it free with the response. For what `increment`, `append` and `update` cannot say: a change that
 * depends on several fields, or on what happens outside of the session. Requests that do not ask go on as ever.
 *
 * Call it before the session is changed. A session that is not saved yet belongs to this request alone already.
 *
 * @returns what gives it free earlier; where there is no response (`sessions.open`), call it
 * @throws FastSessionError `ERR_SESSION_LOCKED` when another request had it for all of `wait`, and at a save after the
 * lease; `ERR_SESSION_GONE` when it ended meanwhile; `ERR_SESSION_UNSUPPORTED` where the store has no `lock`
 * @throws TypeError when the session was changed before, or for options out of range
 * @example
 * app.post("/pay", async (c) => {
 *   await serialize(c.var.session, { wait: 5, lease: 60 });
 *   if (c.var.session.paid) return c.text("paid already");
 *   await charge(c.var.session.cart);
 *   c.var.session.paid = true;
 *   return c.text("thank you");
 * });
 */
export async function serialize(
  session: object,
  { wait = 10, lease = 30 }: SerializeOptions = {},
): Promise<() => Promise<void>> {
  if (!(wait >= 0 && wait <= LONGEST)) throw new TypeError("serialize's wait is a number of seconds, 0 to 86400");
  if (!(lease > 0 && lease <= LONGEST))
    throw new TypeError("serialize's lease is a number of seconds above 0, to 86400");
  const state = stateOf(session);
  await state.load();
  state.look();
  if (state.saved && state.lease === null) await take(state, wait * 1000, lease * 1000);
  return async () => endLease(state);
}

async function take(state: SessionState, wait: Milliseconds, lease: Milliseconds): Promise<void> {
  if (state.recorder?.collect() !== null) {
    throw new TypeError("serialize reads the session again, which drops changes: call it before the first change");
  }
  state.lease = await lockOf(state, wait, lease);
  try {
    await reload(state);
  } catch (error) {
    await endLease(state);
    throw error;
  }
}

async function lockOf(state: SessionState, wait: Milliseconds, lease: Milliseconds): Promise<Lease> {
  const begin = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    const held = await ask(state, lease);
    if (held !== null) return held;
    const left = wait - (performance.now() - begin);
    if (left <= 0) throw locked();
    // At random, so that those who wait do not ask in step.
    await pause(Math.min(left, Math.random() * Math.min(LONGEST_PAUSE, 10 * attempt)));
  }
}

async function ask({ config, key }: SessionState, lease: Milliseconds): Promise<Lease | null> {
  const { store } = config;
  let asked = null as Awaitable<Lease | null>;
  try {
    return await callStore(config, "lock", () => {
      if (store.lock === undefined || !store.capabilities.lock) throw unsupported();
      return (asked = store.lock(key as string, { now: config.now(), lease }));
    });
  } catch (error) {
    // A lock that is given too late is given back: nobody could have it until the lease ends.
    void Promise.resolve(asked)
      .then((late) => late?.release())
      .catch(() => undefined);
    throw error;
  }
}

function locked(): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_LOCKED",
    "another request had the session for all of the time that this one waited: try again later, or raise wait",
  );
}

function unsupported(): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_UNSUPPORTED",
    "this store has no lock: use MemoryStore, Redis, PostgreSQL or MySQL, or another with capabilities.lock",
  );
}
