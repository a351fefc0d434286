import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";

/** A clock that stands still until the test moves it. Give its `now` to `createSessions` or to a store's test. */
export class ManualClock {
  #instant: EpochMilliseconds;

  constructor(start: EpochMilliseconds = 1_700_000_000_000) {
    this.#instant = start;
  }

  /** Bound: it can be passed as an option. */
  readonly now = (): EpochMilliseconds => this.#instant;

  /** Moves the clock, backwards with a negative duration. */
  advance(duration: Milliseconds): void {
    this.#instant += duration;
  }

  set(instant: EpochMilliseconds): void {
    this.#instant = instant;
  }
}
