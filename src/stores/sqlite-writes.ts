import type { Awaitable, Milliseconds } from "../core/units.ts";
import { resultCode, storeError } from "./sqlite-driver.ts";

const LONGEST_PAUSE: Milliseconds = 10;

interface Waiting {
  readonly step: () => unknown;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly until: number;
}

/**
 * Runs what writes: at once while the file's lock is free, else later and in order.
 *
 * SQLite waits for a lock by blocking the thread, and any number of callers would each block it again. So the first
 * that is refused makes all later ones queue behind it, and the lock is then tried without waiting, after pauses of
 * random length: SQLite's own queue is not fair, and processes in step would starve each other.
 */
export class Writes {
  readonly #deadline: Milliseconds;
  readonly #onWait: (waiting: boolean) => void;
  readonly #queue: Waiting[] = [];
  #pause: Milliseconds = 1;
  readonly #idle: (() => void)[] = [];

  /** @param onWait called when the first begins to wait, and when nobody waits any more */
  constructor(deadline: Milliseconds, onWait: (waiting: boolean) => void) {
    this.#deadline = deadline;
    this.#onWait = onWait;
  }

  run<T>(step: () => T): Awaitable<T> {
    if (this.#queue.length === 0) {
      try {
        return step();
      } catch (error) {
        if (resultCode(error) !== "BUSY") throw storeError(error);
      }
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ step, resolve, reject, until: performance.now() + this.#deadline });
      if (this.#queue.length === 1) this.#begin();
    });
  }

  /** Settles when nobody waits: at once, or with the last one's answer. */
  idle(): Awaitable<void> {
    if (this.#queue.length === 0) return undefined;
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #begin(): void {
    this.#pause = 1;
    this.#onWait(true);
    this.#schedule();
  }

  #schedule(): void {
    const head = this.#queue[0] as Waiting;
    const pause = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    setTimeout(() => this.#drain(), Math.min(pause, Math.max(0, head.until - performance.now())));
  }

  #drain(): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      let answer: unknown;
      try {
        answer = head.step();
      } catch (error) {
        if (resultCode(error) === "BUSY") return this.#refused(error);
        this.#queue.shift();
        head.reject(storeError(error));
        continue;
      }
      this.#queue.shift();
      head.resolve(answer as never);
    }
    this.#end();
  }

  #refused(error: unknown): void {
    const now = performance.now();
    for (let head = this.#queue[0]; head !== undefined && head.until <= now; head = this.#queue[0]) {
      this.#queue.shift();
      head.reject(storeError(error));
    }
    if (this.#queue.length > 0) this.#schedule();
    else this.#end();
  }

  #end(): void {
    this.#onWait(false);
    for (const settle of this.#idle.splice(0)) settle();
  }
}
