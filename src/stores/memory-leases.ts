import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import type { SessionRecord } from "./memory-record.ts";

interface Lease {
  readonly fence: number;
  until: EpochMilliseconds;
}

/**
 * Who holds which record. By the record and not by its key: a lock follows its session through a rotation, and is
 * forgotten with it.
 */
export class Leases {
  readonly #leases = new WeakMap<SessionRecord, Lease>();
  #fence = 0;

  /** A fence that is higher than all before, or `null` while somebody else holds the record. */
  take(record: SessionRecord, now: EpochMilliseconds, lease: Milliseconds): number | null {
    const holder = this.#leases.get(record);
    if (holder !== undefined && holder.until > now) return null;
    this.#fence += 1;
    this.#leases.set(record, { fence: this.#fence, until: now + lease });
    return this.#fence;
  }

  release(record: SessionRecord, fence: number): void {
    const holder = this.#leases.get(record);
    if (holder?.fence === fence) holder.until = -Infinity;
  }

  /** Whether a holder's lease ran out and another took the record since. */
  isOutlived(record: SessionRecord, fence: number): boolean {
    const holder = this.#leases.get(record);
    return holder !== undefined && holder.fence > fence;
  }
}
