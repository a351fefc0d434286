/** Who waits for his turn, one after the other in an order that a number decides: the same number, the same order. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #random: number;

  constructor(seed: number) {
    this.#random = seed >>> 0;
  }

  /** Settles when the order says so. */
  readonly next = (): Promise<void> => new Promise((resolve) => this.#waiting.push(resolve));

  /** Lets everybody have his turns until all of these are done. */
  async play(all: readonly Promise<unknown>[]): Promise<void> {
    const game = { over: false };
    const done = Promise.all(all).finally(() => (game.over = true));
    while (!game.over) {
      // Whoever had a turn goes on to his next one first.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const [resolve] = this.#waiting.splice(this.#choose(this.#waiting.length), 1);
      resolve?.();
    }
    await done;
  }

  /** Numerical Recipes' generator: its upper bits are random enough to shuffle. */
  #choose(count: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * count);
  }
}
