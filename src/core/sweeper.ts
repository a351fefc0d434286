import type { Log } from "./logger.ts";
import type { SessionStore } from "./session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "./units.ts";

/** Records removed in one go; between two goes other work has its turn. */
const BATCH = 1000;

/**
 * Removes expired records in the background: one timer for all sessions, started with the first record, so that
 * importing and constructing do nothing, and never keeping a process alive.
 */
export class Sweeper {
  readonly #store: SessionStore;
  readonly #now: () => EpochMilliseconds;
  readonly #interval: Milliseconds;
  readonly #log: Log;
  #timer: ReturnType<typeof setInterval> | undefined;
  #stopped = false;
  #running = false;

  constructor(store: SessionStore, now: () => EpochMilliseconds, interval: Milliseconds, log: Log) {
    this.#store = store;
    this.#now = now;
    this.#interval = interval;
    this.#log = log;
  }

  start(): void {
    if (this.#timer !== undefined || this.#stopped || this.#interval === 0 || this.#store.sweep === undefined) return;
    this.#timer = setInterval(() => {
      if (this.#running) return;
      this.sweep().catch(() => this.#log.warn("sweeping expired sessions failed; it is tried again"));
    }, this.#interval);
    // Some runtimes' timers are numbers.
    (this.#timer as { unref?(): void }).unref?.();
  }

  async sweep(): Promise<number> {
    let removed = 0;
    this.#running = true;
    try {
      for (;;) {
        const batch = (await this.#store.sweep?.(this.#now(), BATCH)) ?? 0;
        removed += batch;
        if (batch < BATCH || this.#stopped) return removed;
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
      }
    } finally {
      this.#running = false;
    }
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}
