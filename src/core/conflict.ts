/** Where a conflict is resolved. */
import { FastSessionError } from "./errors.ts";
import type { Recorded } from "./recorded-field.ts";
import { shortHash } from "./session-id.ts";
import type { SessionState } from "./session-state.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

/** Attempts that follow each other at once; later ones wait a little, so that somebody gets through. */
const QUICK_ATTEMPTS = 8;
const LONGEST_PAUSE = 50;
/** For clocks that stand still. */
const MOST_ATTEMPTS = 1000;

/** How far a repeated call has got. */
export interface Attempt {
  readonly count: number;
  /** When the first was made: repeats end with `storeTimeout`. */
  readonly since: EpochMilliseconds;
}

/** The next attempt, with what is recorded now. */
export interface Next {
  readonly recorded: Recorded | null;
  readonly now: EpochMilliseconds;
  readonly attempt: Attempt;
}

/** Another request was first on some of the fields: takes its values over and tries again, for `storeTimeout` at most. */
export function resolveConflict(
  state: SessionState,
  recorded: Recorded | null,
  current: Readonly<Record<string, string | null>>,
  attempt: Attempt,
  retry: (next: Next) => Awaitable<void>,
): Awaitable<void> {
  const { config } = state;
  const now = config.now();
  const fields = Object.keys(current);
  const assigned = fields.filter((field) => !Object.hasOwn(recorded?.computed ?? {}, field));
  if (config.onConflict === "reject" && assigned.length > 0) {
    throw conflict(assigned);
  }
  const session = shortHash(state.id ?? "");
  const { overwritten, recomputed } = state.data.rebase(current);
  if (overwritten.length > 0) config.events.emit("overwritten", { session, fields: overwritten });
  if (recomputed.length > 0) config.events.emit("conflict", { session, fields: recomputed });
  const { count, since } = attempt;
  const again = (instant: EpochMilliseconds): Awaitable<void> =>
    retry({ recorded: state.data.collect(), now: instant, attempt: { count: count + 1, since } });
  if (count < QUICK_ATTEMPTS) return again(now);
  if (now - since >= config.storeTimeout || count >= MOST_ATTEMPTS) throw conflict(fields);
  const pause = Math.random() * Math.min(LONGEST_PAUSE, count);
  return new Promise<void>((resolve) => setTimeout(resolve, pause)).then(() => again(config.now()));
}

function conflict(fields: readonly string[]): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_CONFLICT",
    `another request changed ${fields.map((field) => JSON.stringify(field)).join(", ")} first: reload and try again, or use update()`,
  );
}
