import type { SessionCause } from "./cause.ts";
import type { Log } from "./logger.ts";

/** What happened to sessions. `session` is a short hash of the id, good for matching log lines and nothing else. */
export interface SessionEvents {
  created: { session: string };
  renewed: { session: string };
  rotated: { session: string; previous: string; userId: string | null };
  /**
   * A request brought an id that `rotateEvery` retired longer than `rotationGrace` ago: the browser missed the newer
   * cookie, or somebody has a copy. `handle` and `userId` are of the session that lives on, for `sessions.revoke(handle)`.
   */
  reuse: { session: string; handle: string | null; userId: string | null };
  destroyed: { session: string };
  /**
   * Ended from outside: revoked by its handle, with its user, or evicted by a cap. `remote`: by another process, in which
   * case sign-outs and other ends there count, too; those are heard where the store's feed is the fleet's.
   */
  revoked: { count: number; remote: boolean };
  /** A plain assignment replaced what another request wrote meanwhile. */
  overwritten: { session: string; fields: readonly string[] };
  /** An operation was applied again on another request's value. */
  conflict: { session: string; fields: readonly string[] };
  /** An automatic save came too late: the session had ended. What was recorded is dropped. */
  gone: { session: string };
  /** A stored record, or a field of it, could not be read. */
  corrupt: { session: string; field: string | null };
  /** A stored field that a newer version wrote. Whoever asked for it was told by an error; the record is as it was. */
  newer: { session: string; field: string };
  /** A stored field that its schema refuses. It reads as absent. */
  invalid: { session: string; field: string; issues: readonly string[] };
  /** A cookie that names no session, and why. */
  refused: { cause: SessionCause };
  /** The option `csrf` refused a request, and why. */
  csrf: { reason: "cross-site" | "same-site" | "origin" };
  /** A store call failed: an error of this library, or a copy of what was thrown. Neither holds an id, a key or a value. */
  "store-error": { verb: string; error: unknown };
}

export type SessionEventName = keyof SessionEvents;
export type SessionListener<E extends SessionEventName> = (event: SessionEvents[E]) => void;

/** Tells listeners. One that throws is logged and breaks nothing. */
export class Events {
  readonly #listeners = new Map<SessionEventName, Set<(event: never) => void>>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  on<E extends SessionEventName>(name: E, listener: SessionListener<E>): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Whether it is worth building the event. */
  heard(name: SessionEventName): boolean {
    const listeners = this.#listeners.get(name);
    return listeners !== undefined && listeners.size > 0;
  }

  emit<E extends SessionEventName>(name: E, event: SessionEvents[E]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as SessionListener<E>)(event);
      } catch (error) {
        this.#log.error(`a listener of "${name}" threw ${error instanceof Error ? error.name : typeof error}`);
      }
    }
  }
}
