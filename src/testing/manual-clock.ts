import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";

/**
 * A clock that stands until it is moved: tests of lifetimes need no sleep.
 *
 * @example
 * const clock = new ManualClock();
 * const sessions = createSessions({ secretKey, maxAge: 60, now: clock.now });
 * clock.advance(60_000);
 */
export class ManualClock {
  #now: EpochMilliseconds;

  /** @param start the first instant, in milliseconds since 1970: 2023-11-14T22:13:20Z unless given */
  constructor(start: EpochMilliseconds = 1_700_000_000_000) {
    this.#now = start;
  }

  /** The present instant. Needs no `this`, so that it can be passed as an option. */
  readonly now = (): EpochMilliseconds => this.#now;

  /** Moves the clock on by so many milliseconds, or back when negative. */
  advance(duration: Milliseconds): void {
    this.#now += duration;
  }

  /** Moves the clock to an instant, also an earlier one. */
  set(instant: EpochMilliseconds): void {
    this.#now = instant;
  }
}
