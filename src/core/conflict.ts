/** Where a conflict is resolved. */
import { FastSessionError } from "./errors.ts";
import { isOutlived, outlived } from "./lease.ts";
import type { Recorded } from "./recorded-field.ts";
import { shortHash } from "./session-id.ts";
import type { SessionState } from "./session-state.ts";
import type { Awaitable, EpochMilliseconds, Milliseconds } from "./units.ts";

/** Attempts that follow each other at once; later ones wait a little, so that somebody gets through. */
const QUICK_ATTEMPTS = 8;
const LONGEST_PAUSE: Milliseconds = 50;

/** How far a repeated call has got. */
export interface Attempt {
  readonly count: number;
  /** When the first was made, by `performance.now()`: repeats end with `storeTimeout`. */
  readonly since: Milliseconds;
}

/** The next attempt, with what is recorded now. */
export interface Next {
  readonly recorded: Recorded | null;
  readonly now: EpochMilliseconds;
  readonly attempt: Attempt;
}

type Texts = Readonly<Record<string, string | null>>;

/** Another request was first on some of the fields: takes its values over and tries again, for `storeTimeout` at most. */
export function resolveConflict(
  state: SessionState,
  recorded: Recorded | null,
  current: Texts,
  attempt: Attempt,
  retry: (next: Next) => Awaitable<void>,
): Awaitable<void> {
  const { config } = state;
  if (isOutlived(state, current)) throw outlived();
  const next = rebase(state, recorded, current);
  const { count, since } = attempt;
  if (isOver(state, since)) throw conflictOn(Object.keys(current));
  const again = (fresh: Recorded | null): Awaitable<void> =>
    retry({ recorded: fresh, now: config.now(), attempt: { count: count + 1, since } });
  const pause = pauseAfter(count);
  if (pause === null) return again(next);
  // What was recorded during the pause goes along.
  return wait(pause).then(() => again(state.recorder?.collect() ?? null));
}

/**
 * Takes over the texts of fields where another request was first, and answers what is recorded on top of them.
 *
 * @throws FastSessionError `ERR_SESSION_CONFLICT` where `onConflict` refuses a plain assignment
 */
export function rebase(state: SessionState, recorded: Recorded | null, current: Texts): Recorded | null {
  const { config } = state;
  const assigned = Object.keys(current).filter((field) => !Object.hasOwn(recorded?.computed ?? {}, field));
  if (config.onConflict === "reject" && assigned.length > 0) throw conflictOn(assigned);
  const session = shortHash(state.id ?? "");
  const { overwritten, recomputed } = state.data.rebase(current);
  if (overwritten.length > 0) config.events.emit("overwritten", { session, fields: overwritten });
  if (recomputed.length > 0) config.events.emit("conflict", { session, fields: recomputed });
  return state.data.collect();
}

/** Whether a step has had its time. */
export function isOver(state: SessionState, since: Milliseconds): boolean {
  return performance.now() - since >= state.config.storeTimeout;
}

/** How long to wait after that many attempts; `null`: not at all. */
export function pauseAfter(attempts: number): Milliseconds | null {
  return attempts < QUICK_ATTEMPTS ? null : Math.random() * Math.min(LONGEST_PAUSE, attempts);
}

export function wait(pause: Milliseconds): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pause));
}

export function conflictOn(fields: readonly string[]): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_CONFLICT",
    `another request changed ${fields.map((field) => JSON.stringify(field)).join(", ")} first: reload and try again, or use update()`,
  );
}
