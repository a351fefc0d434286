import type { Key, StoredSession } from "../core/session-record.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";

/** A load under way. `void` once something happened to its key: what it brings may be older than that. */
export interface Reading {
  readonly key: Key;
  readonly begunAt: EpochMilliseconds;
  void: boolean;
}

interface Entry {
  readonly found: StoredSession;
  readonly readAt: EpochMilliseconds;
}

/** Records that were read, the one used longest ago first, and the loads that may add to them. */
export class CachedRecords {
  readonly #maxEntries: number;
  readonly #maxStale: Milliseconds;
  readonly #entries = new Map<Key, Entry>();
  readonly #readings = new Map<Key, Set<Reading>>();

  constructor(maxEntries: number, maxStale: Milliseconds) {
    this.#maxEntries = maxEntries;
    this.#maxStale = maxStale;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A record that may be served. One past its deadline may not: another process can have renewed it, untold. */
  find(key: Key, now: EpochMilliseconds): StoredSession | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    const age = now - entry.readAt;
    // A clock that was set back says nothing about the age.
    if (age < 0 || age >= this.#maxStale || entry.found.expiresAt <= now) return null;
    this.#entries.set(key, entry);
    return entry.found;
  }

  begin(key: Key, now: EpochMilliseconds): Reading {
    const reading = { key, begunAt: now, void: false };
    const readings = this.#readings.get(key);
    if (readings === undefined) this.#readings.set(key, new Set([reading]));
    else readings.add(reading);
    return reading;
  }

  /** A load is over. Its record is kept unless something happened to the key since the load began. */
  end(reading: Reading, found: StoredSession | null): void {
    const { key, begunAt } = reading;
    const readings = this.#readings.get(key);
    readings?.delete(reading);
    if (readings?.size === 0) this.#readings.delete(key);
    if (reading.void || found === null) return;
    const known = this.#entries.get(key);
    // Of two loads at once the later began no earlier than what it knows.
    if (known !== undefined && known.found.version > found.version) return;
    this.#entries.delete(key);
    this.#entries.set(key, { found, readAt: begunAt });
    if (this.#entries.size > this.#maxEntries) this.#entries.delete(this.#entries.keys().next().value as Key);
  }

  /** Something happened to these keys. */
  drop(keys: readonly Key[]): void {
    for (const key of keys) {
      this.#entries.delete(key);
      for (const reading of this.#readings.get(key) ?? []) reading.void = true;
    }
  }

  /** Anything may have happened. */
  clear(): void {
    this.#entries.clear();
    for (const readings of this.#readings.values()) for (const reading of readings) reading.void = true;
  }
}
