import type { SessionConfig } from "./session-config.ts";
import { callStore } from "./store-call.ts";
import type { Milliseconds } from "./units.ts";

/** Records removed in one go; between two goes other work has its turn. */
const BATCH = 50;

/**
 * Removes expired records in the background: one timer for all sessions, started with the first record, so that
 * importing and constructing do nothing, and never keeping a process alive.
 */
export class Sweeper {
  readonly #config: SessionConfig;
  readonly #interval: Milliseconds;
  #timer: ReturnType<typeof setInterval> | undefined;
  #stopped = false;
  #running = false;

  constructor(config: SessionConfig, interval: Milliseconds) {
    this.#config = config;
    this.#interval = interval;
  }

  start(): void {
    if (this.#timer !== undefined || this.#stopped || this.#interval === 0) return;
    const { log, store } = this.#config;
    if (store.sweep === undefined) return;
    this.#timer = setInterval(() => {
      if (this.#running) return;
      this.sweep().catch(() => log.warn("sweeping expired sessions failed; it is tried again"));
    }, this.#interval);
    // Some runtimes' timers are numbers.
    (this.#timer as { unref?(): void }).unref?.();
  }

  async sweep(): Promise<number> {
    const { now, store } = this.#config;
    let removed = 0;
    this.#running = true;
    try {
      for (;;) {
        // A call that never answers would end all later sweeps.
        const batch = await callStore(this.#config, "sweep", () => store.sweep?.(now(), BATCH) ?? 0);
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
