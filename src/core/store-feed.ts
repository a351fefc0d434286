import { chain } from "./awaitable.ts";
import { loggable } from "./errors.ts";
import type { SessionConfig } from "./session-config.ts";
import type { StoreNotice } from "./session-store.ts";
import type { Awaitable, Milliseconds } from "./units.ts";

/** A feed that cannot be had is tried again after this long, then twice as long, up to the longest. */
const FIRST_PAUSE: Milliseconds = 1000;
const LONGEST_PAUSE: Milliseconds = 30_000;

/**
 * One watch of the store for all that wants to know. It begins when somebody does: a connection of its own is what most
 * stores need for it. Whenever it begins to listen, also for the first time, it tells `restored`.
 */
export class StoreFeed {
  readonly #config: SessionConfig;
  readonly #tell: (notice: StoreNotice) => void;
  #state: "idle" | "begun" | "stopped" = "idle";
  #stop: (() => Awaitable<void>) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(config: SessionConfig, tell: (notice: StoreNotice) => void) {
    this.#config = config;
    this.#tell = tell;
  }

  /** Whether notices come in, or have been lost since and will be restored. */
  get isOn(): boolean {
    return this.#stop !== null;
  }

  begin(): void {
    if (this.#state !== "idle") return;
    this.#state = "begun";
    this.#watch(FIRST_PAUSE);
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    clearTimeout(this.#timer);
    const stop = this.#stop;
    this.#stop = null;
    await stop?.();
  }

  #watch(pause: Milliseconds): void {
    const { store, log, events } = this.#config;
    const begun = (stop: () => Awaitable<void>): Awaitable<void> => {
      if (this.#state === "stopped") return stop();
      this.#stop = stop;
      this.#tell({ type: "restored" });
    };
    const failed = (error: unknown): void => {
      if (this.#state === "stopped") return;
      log.error("the store's feed cannot be listened to: revocations are not heard; it is tried again");
      events.emit("store-error", { verb: "watch", error: loggable(error) });
      this.#timer = setTimeout(() => this.#watch(Math.min(2 * pause, LONGEST_PAUSE)), pause);
      // Some runtimes' timers are numbers.
      (this.#timer as { unref?(): void }).unref?.();
    };
    try {
      const watching = chain(store.watch?.(this.#tell) ?? (() => undefined), begun);
      if (watching instanceof Promise) watching.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
