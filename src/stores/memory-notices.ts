import type { Key } from "../core/session-record.ts";
import type { KeyNotice, StoreNotice } from "../core/session-store.ts";

export type NoticeListener = (notice: StoreNotice) => void;

/** Who hears of keys that ended. */
export class Notices {
  readonly #listeners = new Set<NoticeListener>();

  listen(listener: NoticeListener): () => void {
    // A function of its own, so that a listener given twice is two.
    const own: NoticeListener = (notice) => listener(notice);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Calls everybody. What a listener throws is dropped: the verb's caller is not who the listener belongs to. */
  send(type: KeyNotice["type"], keys: readonly Key[]): void {
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
