import type { SessionStore, StoreNotice } from "../core/session-store.ts";
import type { Awaitable, EpochMilliseconds, Milliseconds } from "../core/units.ts";
import type { CachedRecords } from "./cached-records.ts";

type Listener = (notice: StoreNotice) => void;
type Stop = () => Awaitable<void>;

/** How long after a failed attempt to listen the next load tries again. */
const RETRY: Milliseconds = 1000;

/** The cache's ear: one watch of the store, begun with the first load, passed on to the cache's own listeners. */
export class CachedFeed {
  readonly #store: SessionStore;
  readonly #records: CachedRecords;
  readonly #listeners = new Set<Listener>();
  #watching: Promise<Stop> | null = null;
  #listening = false;
  #lost = false;
  #closed = false;
  #retryAt: EpochMilliseconds = 0;

  constructor(store: SessionStore, records: CachedRecords) {
    this.#store = store;
    this.#records = records;
  }

  /** Whether all that happens is heard now. Begins to listen if that was not tried lately. */
  listens(now: EpochMilliseconds): boolean {
    if (this.#listening) return !this.#lost;
    // Also where the clock was set back.
    if (this.#watching === null && !this.#closed && Math.abs(now - this.#retryAt) >= RETRY) {
      this.#retryAt = now;
      // The store's loads say that it fails.
      this.#begin().catch(() => undefined);
    }
    return false;
  }

  async add(listener: Listener): Promise<() => void> {
    // A function of its own, so that a listener given twice is two.
    const own: Listener = (notice) => listener(notice);
    this.#listeners.add(own);
    try {
      await this.#begin();
    } catch (error) {
      this.#listeners.delete(own);
      throw error;
    }
    return () => void this.#listeners.delete(own);
  }

  async stop(): Promise<void> {
    this.#closed = true;
    this.#records.clear();
    if (!this.#listening) return;
    this.#listening = false;
    await (
      await this.#watching
    )?.();
  }

  #begin(): Promise<Stop> {
    return (this.#watching ??= this.#watch());
  }

  async #watch(): Promise<Stop> {
    try {
      const stop = await (this.#store.watch as NonNullable<SessionStore["watch"]>)((notice) => this.#hear(notice));
      if (this.#closed) await stop();
      else this.#listening = true;
      return stop;
    } catch (error) {
      this.#watching = null;
      throw error;
    }
  }

  #hear(notice: StoreNotice): void {
    if ("keys" in notice) this.#records.drop(notice.keys);
    else {
      this.#lost = notice.type === "lost";
      this.#records.clear();
    }
    for (const listener of this.#listeners) {
      try {
        listener(notice);
      } catch {
        continue;
      }
    }
  }
}
