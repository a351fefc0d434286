import type { SessionCause } from "./cause.ts";
import { shortHash } from "./session-id.ts";
import type { SessionState } from "./session-state.ts";
import type { Metadata } from "./session-record.ts";
import type { EpochMilliseconds, Seconds } from "./units.ts";

/** Everything about a session that is not its data. Reading it reads the session. */
export class SessionInfo {
  readonly #state: SessionState;

  constructor(state: SessionState) {
    this.#state = state;
  }

  /** Why the session is what it is. */
  get cause(): SessionCause {
    return this.#looked.cause;
  }
  /** Not found in the store: it began with this request, or has not begun. */
  get isNew(): boolean {
    return this.#looked.cause !== "resumed";
  }
  /** Whether the store has it. */
  get isSaved(): boolean {
    return this.#looked.saved;
  }
  get isDestroyed(): boolean {
    return this.#state.phase === "destroyed";
  }
  /** When it began, or its last login. `null` while unsaved, as the next ones. */
  get createdAt(): EpochMilliseconds | null {
    return this.#instant((state) => state.createdAt);
  }
  /** The last *recorded* use. */
  get lastUsedAt(): EpochMilliseconds | null {
    return this.#instant((state) => state.lastUsedAt);
  }
  /** When it ends without another use. */
  get expiresAt(): EpochMilliseconds | null {
    return this.#instant((state) => state.expiresAt);
  }
  /** Seconds since it began. */
  get age(): Seconds | null {
    return this.#instant((state) => Math.max(0, Math.floor((state.config.now() - state.createdAt) / 1000)));
  }
  /** Seconds until it ends without another use. */
  get timeLeft(): Seconds | null {
    return this.#instant((state) => Math.max(0, Math.floor((state.expiresAt - state.config.now()) / 1000)));
  }
  /** Whom `login` bound it to. */
  get userId(): string | null {
    return this.#looked.binding?.userId ?? null;
  }
  /** When that was. */
  get authenticatedAt(): EpochMilliseconds | null {
    return this.#looked.binding?.boundAt ?? null;
  }
  get metadata(): Metadata {
    return this.#looked.binding?.metadata ?? {};
  }
  /** Its public name in lists of sessions: not its id, and it stays when the id changes. */
  get handle(): string | null {
    const state = this.#looked;
    return state.saved ? state.handle : null;
  }
  /** A few characters to match log lines by. */
  get idHash(): string | null {
    const { id, saved } = this.#looked;
    return saved && id !== null ? shortHash(id) : null;
  }

  /** Whether the login is at most that many seconds old: for steps that want a recent password (NIST 800-63B, 5.2). */
  isFresh(seconds: Seconds): boolean {
    const at = this.authenticatedAt;
    return at !== null && this.#state.config.now() - at <= seconds * 1000;
  }

  get #looked(): SessionState {
    if (this.#state.phase !== "destroyed") this.#state.look();
    return this.#state;
  }

  #instant(read: (state: SessionState) => number): number | null {
    const state = this.#looked;
    return state.saved ? read(state) : null;
  }
}
