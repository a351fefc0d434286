import { FastSessionError } from "./errors.ts";
import { SessionInfo } from "./session-info.ts";
import { sessionEnded } from "./session-signals.ts";
import type { SessionState } from "./session-state.ts";

/** What `session.info` is where the store has a feed: it also says when the session ends. */
export class LiveInfo extends SessionInfo {
  readonly #state: SessionState;

  constructor(state: SessionState) {
    super(state);
    this.#state = state;
  }

  /**
   * Aborted when the session ends: by a sign-out, a revocation, a cap or its deadline, in whichever process. For what
   * lives longer than a request: WebSockets, event streams, work for the user.
   *
   * Its `reason` is a `FastSessionError` `ERR_SESSION_GONE` whose `cause` is what `info.cause` would be: `revoked`,
   * `expired-idle`, `expired-absolute`, `unknown`, or `rotated` after a login or `regenerate`, which end whatever was
   * opened under the old id. That of a session that had ended before is aborted already; that of an unsaved one never is.
   *
   * @throws FastSessionError `ERR_SESSION_UNSUPPORTED` where the store has no feed
   * @example
   * const session = await sessions.open(request);
   * session.info.signal.addEventListener("abort", () => socket.close(4401));
   * @see docs/live-revocation.md
   */
  get signal(): AbortSignal {
    const state = this.#state;
    const { signalOf } = state.config;
    if (signalOf === null) {
      throw new FastSessionError(
        "ERR_SESSION_UNSUPPORTED",
        "this store has no feed (info.signal): use MemoryStore, RedisStore, PostgresStore, or another with capabilities.feed",
      );
    }
    if (state.phase === "destroyed") return AbortSignal.abort(sessionEnded("revoked"));
    state.look();
    if (state.saved) return signalOf(state, state.carrier.onClose?.bind(state.carrier) ?? null);
    const { cause } = state;
    // Nothing to revoke: a visitor, or somebody who signed out and goes on.
    if (state.readOnly === null && (cause === "none" || cause === "new")) return new AbortController().signal;
    return AbortSignal.abort(sessionEnded(cause === "resumed" ? "revoked" : cause));
  }
}
