import type { Key } from "../core/session-record.ts";
import type { KeyNotice, StoreNotice } from "../core/session-store.ts";

type Listener = (notice: StoreNotice) => void;

/** Tells this process's listeners what this process's store did. Nobody hears of other processes: a file tells nothing. */
export class SqliteFeed {
  readonly #listeners = new Set<Listener>();

  watch(listener: Listener): () => void {
    // A function of its own, so that a listener given twice is two.
    const own: Listener = (notice) => listener(notice);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** What a listener throws is dropped: the verb's caller is not who the listener belongs to. */
  tell(type: KeyNotice["type"], keys: readonly Key[]): void {
    if (keys.length === 0) return;
    for (const listener of this.#listeners) {
      try {
        listener({ type, keys });
      } catch {
        continue;
      }
    }
  }
}
