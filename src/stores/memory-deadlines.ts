import type { EpochMilliseconds } from "../core/units.ts";
import { Link } from "./memory-link.ts";

/** Entries whose deadlines fall into the same 16 s share a ring. */
const WIDTH = 16_000;

export interface Perishable extends Link {
  readonly expiresAt: EpochMilliseconds;
}

function ringNumber(instant: EpochMilliseconds): number {
  return Math.floor(instant / WIDTH);
}

/**
 * Entries by deadline, without a timer and without looking at all of them.
 *
 * An entry stands in the ring of the deadline it had when it was filed. A later deadline moves nothing: when that ring
 * is due, the entry is filed again. A renewal is therefore free, and pays for at most one move later.
 */
export class DeadlineQueue<Entry extends Perishable> {
  size = 0;
  readonly #rings = new Map<number, Link>();
  /** The numbers of all rings, ascending. */
  readonly #order: number[] = [];

  file(entry: Entry): void {
    this.size += 1;
    this.#place(entry);
  }

  remove(entry: Entry): void {
    this.size -= 1;
    entry.leaveRing();
  }

  /**
   * Gives up to `limit` entries past their deadline to `end`, which must remove them; looks at no more than `looks`.
   *
   * @returns how many it gave
   */
  endDue(now: EpochMilliseconds, limit: number, looks: number, end: (entry: Entry) => void): number {
    const current = ringNumber(now);
    let ended = 0;
    let looked = 0;
    for (let ring = this.#first(); ring !== undefined; ring = this.#first()) {
      const number = this.#order[0] as number;
      if (number > current) break;
      for (let link = ring.next, next = link.next; link !== ring; link = next, next = link.next) {
        if (ended === limit || looked === looks) return ended;
        looked += 1;
        const entry = link as Entry;
        if (entry.expiresAt <= now) {
          end(entry);
          ended += 1;
        } else if (ringNumber(entry.expiresAt) !== number) this.#refile(entry);
      }
      // What is left has some seconds to go.
      if (!ring.alone) break;
    }
    return ended;
  }

  /**
   * Of the entries nearest to the deadline they were filed under, the one with the least `rank`, but not `spared`.
   * Looks at no more than `looks`; those whose deadline has moved are filed again on the way.
   */
  least(rank: (entry: Entry) => number, looks: number, spared?: Entry): Entry | undefined {
    let least: Entry | undefined;
    this.#first();
    for (
      let at = 0, looked = 0;
      at < this.#order.length && looked < looks && least === undefined;
      at += 1, looked += 1
    ) {
      const number = this.#order[at] as number;
      const ring = this.#rings.get(number) as Link;
      for (let link = ring.next, next = link.next; link !== ring && looked < looks; link = next, next = link.next) {
        looked += 1;
        const entry = link as Entry;
        if (ringNumber(entry.expiresAt) !== number) this.#refile(entry);
        if (entry !== spared && (least === undefined || rank(entry) < rank(least))) least = entry;
      }
    }
    return least;
  }

  /** The earliest ring that is not empty. Empty ones before it are dropped. */
  #first(): Link | undefined {
    for (;;) {
      const number = this.#order[0];
      if (number === undefined) return undefined;
      const ring = this.#rings.get(number) as Link;
      if (!ring.alone) return ring;
      this.#rings.delete(number);
      this.#order.shift();
    }
  }

  #refile(entry: Entry): void {
    entry.leaveRing();
    this.#place(entry);
  }

  #place(entry: Entry): void {
    const number = ringNumber(entry.expiresAt);
    let ring = this.#rings.get(number);
    if (ring === undefined) {
      ring = new Link();
      this.#rings.set(number, ring);
      // Deadlines come nearly in order, so the place is nearly always the last.
      let at = this.#order.length;
      while (at > 0 && (this.#order[at - 1] as number) > number) at -= 1;
      this.#order.splice(at, 0, number);
    }
    entry.joinRing(ring);
  }
}
