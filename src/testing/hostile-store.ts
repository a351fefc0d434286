import { chain } from "../core/awaitable.ts";
import type { SessionStore, StoreCapabilities } from "../core/session-store.ts";
import type { Awaitable } from "../core/units.ts";

/** The methods of a store. */
export type StoreVerb = Exclude<keyof SessionStore, "capabilities">;

const VERBS: readonly StoreVerb[] = [
  "load",
  "create",
  "commit",
  "renew",
  "rotate",
  "destroy",
  "listByUser",
  "revokeHandle",
  "revokeUser",
  "generation",
  "lock",
  "sweep",
  "watch",
  "ping",
  "close",
];

/** A call that is held back. */
export interface HeldCall {
  /** The library has made the call. */
  readonly arrived: Promise<void>;
  /** Lets it, and all later ones, through to the store. */
  release(): void;
}

type Trouble = (proceed: () => Awaitable<unknown>) => Awaitable<unknown>;

/**
 * Another store, with its calls counted, and with whatever trouble a test wants: verbs that fail, that never answer, or
 * that answer when the test says so.
 *
 * @example
 * const store = new HostileStore(new MemoryStore(), { local: false });
 * const sessions = createSessions({ secretKey, store, storeTimeout: 0.05 });
 * store.hang("load");
 */
export class HostileStore implements SessionStore {
  readonly capabilities: StoreCapabilities;
  /** The verbs called since the last `takeCalls()`, in order. */
  calls: StoreVerb[] = [];
  readonly #troubles = new Map<StoreVerb, Trouble>();
  readonly #local: boolean;
  readonly #turn: (() => Promise<void>) | undefined;

  declare readonly load: SessionStore["load"];
  declare readonly create: SessionStore["create"];
  declare readonly commit: SessionStore["commit"];
  declare readonly renew: SessionStore["renew"];
  declare readonly rotate: SessionStore["rotate"];
  declare readonly destroy: SessionStore["destroy"];

  /**
   * @param options `local: false` makes every answer a promise that takes a turn of the event loop, as a server's does.
   *   `turn` says instead how long a call is on its way, and its answer again: for a test that decides the order.
   */
  constructor(inner: SessionStore, options: { readonly local?: boolean; readonly turn?: () => Promise<void> } = {}) {
    this.#local = options.local ?? (options.turn === undefined && inner.capabilities.local);
    this.#turn = options.turn;
    this.capabilities = { ...inner.capabilities, local: this.#local };
    for (const verb of VERBS) {
      const method = inner[verb] as ((...args: unknown[]) => Awaitable<unknown>) | undefined;
      // A verb that the store does not have stays away: the library asks whether it is there.
      if (method === undefined) continue;
      const value = (...args: unknown[]): Awaitable<unknown> => this.#call(verb, () => method.apply(inner, args));
      Object.defineProperty(this, verb, { value });
    }
  }

  /** The verbs called since the last time. */
  takeCalls(): StoreVerb[] {
    const calls = this.calls;
    this.calls = [];
    return calls;
  }

  /** From now on the verb fails: local stores throw, others reject. */
  fail(verb: StoreVerb, error: unknown = new Error("connection refused")): void {
    this.#troubles.set(verb, () => {
      throw error;
    });
  }

  /** From now on the verb never answers. */
  hang(verb: StoreVerb): void {
    this.#troubles.set(verb, () => new Promise(() => undefined));
  }

  /** From now on the verb does its work and answers something else. */
  alter(verb: StoreVerb, change: (answer: never) => unknown): void {
    this.#troubles.set(verb, (proceed) => chain(proceed(), change as (answer: unknown) => unknown));
  }

  /** From now on the verb waits, before it does anything, until it is released. */
  hold(verb: StoreVerb): HeldCall {
    let arrive = (): void => undefined;
    let release = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    this.#troubles.set(verb, (proceed) => {
      arrive();
      return released.then(proceed);
    });
    return {
      arrived,
      release: () => {
        this.#troubles.delete(verb);
        release();
      },
    };
  }

  /** Ends all trouble. Calls that hang go on hanging. */
  heal(): void {
    this.#troubles.clear();
  }

  #call(verb: StoreVerb, proceed: () => Awaitable<unknown>): Awaitable<unknown> {
    this.calls.push(verb);
    const run = (): Awaitable<unknown> => {
      const trouble = this.#troubles.get(verb);
      return trouble === undefined ? proceed() : trouble(proceed);
    };
    if (this.#local) return run();
    return this.#turn === undefined ? nextTurn().then(run) : delivered(this.#turn, run);
  }
}

/** Calls after a turn, and answers after another. */
async function delivered(turn: () => Promise<void>, run: () => Awaitable<unknown>): Promise<unknown> {
  await turn();
  try {
    return await run();
  } finally {
    await turn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
