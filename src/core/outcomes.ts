import type { Attempt } from "./conflict.ts";
import { FastSessionError } from "./errors.ts";
import { deadline, renewalDue } from "./lifetime.ts";
import type { Recorded } from "./recorded-field.ts";
import { shortHash } from "./session-id.ts";
import type { SessionState } from "./session-state.ts";
import type { Binding } from "./session-record.ts";
import type { Bind, Rejected } from "./session-store.ts";
import type { EpochMilliseconds } from "./units.ts";

/** What a step of the lifecycle works on. */
export interface Task {
  readonly state: SessionState;
  readonly recorded: Recorded | null;
  readonly now: EpochMilliseconds;
  /** A login's user; `undefined`: the binding stays as it is. */
  readonly bind: Bind | null | undefined;
  /** A use is recorded whatever the spacing. */
  readonly touch: boolean;
  /** Whether a rotation is that of `rotateEvery`. */
  readonly periodic: boolean;
  readonly attempt: Attempt;
  /** How often the record had moved before this call reached it. */
  readonly hops?: number;
}

const ID_ATTEMPTS = 5;

/** Whether another new id may be tried after one was taken. @throws FastSessionError `ERR_SESSION_ID` */
export function nextAttempt(attempt: Attempt): Attempt {
  if (attempt.count < ID_ATTEMPTS) return { count: attempt.count + 1, since: attempt.since };
  throw new FastSessionError(
    "ERR_SESSION_ID",
    `${ID_ATTEMPTS} new ids in a row were taken: idGenerator must be random`,
  );
}

/** The record ended under this request: what it recorded is dropped, and nothing brings the session back. */
export function gone(state: SessionState): never {
  const session = shortHash(state.id ?? "");
  state.becomeGone();
  state.config.events.emit("gone", { session });
  throw new FastSessionError(
    "ERR_SESSION_GONE",
    "the session ended while this request was under way: nothing was saved, and its cookie stays as the browser has it",
  );
}

export function rejection(answer: Rejected): FastSessionError {
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

/** Sessions that a cap ended to make room. */
export function evicted(state: SessionState, count: number): void {
  if (count > 0) state.config.events.emit("revoked", { count, remote: false });
}

/** What the record is bound to now, as far as this request can know. */
export function bindingOf(bind: Bind, now: EpochMilliseconds): Binding {
  const { userId, metadata, maxAge } = bind;
  // The generation is the store's own; nothing reads it before the next load.
  return { userId, boundAt: now, generation: bind.since ?? 0, metadata, maxAge };
}

/** The deadline that a use recorded with a change brings; `undefined`: none is due. */
export function extension({ state, now, touch }: Task): EpochMilliseconds | undefined {
  const { lifetime } = state.config;
  if (!touch && !renewalDue(lifetime, state, now)) return undefined;
  return deadline(lifetime, state.createdAt, now, state.binding?.maxAge ?? null);
}

/** A use was recorded. */
export function renewed(state: SessionState, now: EpochMilliseconds, expiresAt: EpochMilliseconds): void {
  state.lastUsedAt = Math.max(state.lastUsedAt, now);
  state.expiresAt = Math.max(state.expiresAt, expiresAt);
  const { events, lifetime } = state.config;
  if (lifetime.rolling && lifetime.maxAge > 0 && (state.binding?.maxAge ?? null) === null) state.cookie = "send";
  if (events.heard("renewed")) events.emit("renewed", { session: shortHash(state.id ?? "") });
}
