import type { Awaitable } from "../core/units.ts";

/**
 * An `async` function whose answer is a promise only if it met one: a custom store may answer at once, and then the
 * verbs do. A generator instead of callbacks keeps `try` and loops readable.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** `yield* wait(value)` is here what `await value` is in an `async` function. */
export function* wait<T>(value: Awaitable<T>): Steps<T> {
  return isPromise(value) ? ((yield value) as T) : value;
}

export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as Partial<Promise<T>> | null | undefined)?.then === "function";
}

function run<T>(steps: Steps<T>): Awaitable<T> {
  const turn = steps.next();
  return turn.done === true ? turn.value : resume(steps, turn.value);
}

async function resume<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let turn: IteratorResult<Promise<unknown>, T> = { done: false, value: first };
  while (turn.done !== true) {
    let value: unknown;
    try {
      value = await turn.value;
    } catch (error) {
      turn = steps.throw(error);
      continue;
    }
    turn = steps.next(value);
  }
  return turn.value;
}

/** Runs steps on one id one after the other. */
export class Queues {
  /** What the next one on an id has to wait for. */
  readonly #last = new Map<string, Promise<void>>();

  /** Runs steps alone on all of these ids. They are waited for together, so that two never wait for each other. */
  alone<T>(ids: readonly string[], steps: () => Steps<T>): Awaitable<T> {
    const before = ids.flatMap((id) => this.#last.get(id) ?? []);
    const answer = before.length === 0 ? run(steps()) : Promise.all(before).then(() => run(steps()));
    if (!isPromise(answer)) return answer;
    const nothing = (): void => undefined;
    const done = answer.then(nothing, nothing).then(() => {
      for (const id of ids) if (this.#last.get(id) === done) this.#last.delete(id);
    });
    for (const id of ids) this.#last.set(id, done);
    return answer;
  }
}
