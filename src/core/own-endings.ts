import { MOST_HOPS } from "./alias-limit.ts";
import { chain, isPromise } from "./awaitable.ts";
import type { Key } from "./session-record.ts";
import type { SessionStore } from "./session-store.ts";
import type { Awaitable, EpochMilliseconds, Milliseconds } from "./units.ts";

/** Keys are forgotten when their notice came. Of those whose notice was lost, this many are kept. */
const MOST_KEYS = 10_000;

/** Tells the notices that this process's own calls brought about from those of others. */
export class OwnEndings {
  /** Off until somebody wants to know. */
  active = false;
  readonly #keys = new Set<Key>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** Ids change in use, so that a session may be ended through an alias. */
  readonly #moves: boolean;

  constructor(moves: boolean) {
    this.#moves = moves;
  }

  /** The same store, whose calls that end sessions are noted. */
  noting(store: SessionStore): SessionStore {
    const noted: { -readonly [Verb in keyof SessionStore]: SessionStore[Verb] } = {
      capabilities: store.capabilities,
      load: store.load.bind(store),
      commit: store.commit.bind(store),
      renew: store.renew.bind(store),
      create: (record, options) => {
        const answer = store.create(record, options);
        return options.bind?.cap ? this.#note(answer, evictedBy) : answer;
      },
      rotate: (oldKey, newKey, change, options) => {
        const answer = store.rotate(oldKey, newKey, change, options);
        return options.bind?.cap ? this.#note(answer, evictedBy) : answer;
      },
      destroy: (key, at) => {
        // Known before the answer is.
        if (this.active) this.#add([key]);
        const ending = chain(store.destroy(key, at), (ended) => {
          if (!ended) this.#keys.delete(key);
          return ended;
        });
        if (this.active && this.#moves) {
          this.#await(chain(ending, (ended) => (ended ? this.#follow(store, key, at.now) : undefined)));
        }
        return ending;
      },
    };
    const { revokeHandle, revokeUser } = bound(store, "revokeHandle", "revokeUser");
    if (revokeHandle) noted.revokeHandle = (...args) => this.#note(revokeHandle(...args), (key) => key ?? []);
    if (revokeUser) noted.revokeUser = (...args) => this.#note(revokeUser(...args), ({ keys }) => keys);
    return Object.assign(
      noted,
      bound(
        store,
        "listByUser",
        "generation",
        "lock",
        "sweep",
        "watch",
        "ping",
        "close",
      ) satisfies Partial<SessionStore>,
    );
  }

  /**
   * How many of a notice's keys others ended. A notice can overtake the answer of the call that it tells of; one whose
   * call is not answered in time counts as another's.
   */
  async countOthers(keys: readonly Key[], patience: Milliseconds): Promise<number> {
    if (this.#underWay.size > 0) await settledWithin(this.#underWay, patience);
    return keys.filter((key) => !this.#keys.delete(key)).length;
  }

  #note<T>(answer: Awaitable<T>, keysOf: (answer: T) => Key | readonly Key[]): Awaitable<T> {
    if (!this.active) return answer;
    const noted = chain(answer, (value) => {
      this.#add([keysOf(value)].flat());
      return value;
    });
    this.#await(noted);
    return noted;
  }

  #await(answer: Awaitable<unknown>): void {
    if (!isPromise(answer)) return;
    this.#underWay.add(answer);
    const over = (): void => void this.#underWay.delete(answer);
    answer.then(over, over);
  }

  /** The notice of an end through an alias names the key behind it. */
  async #follow(store: SessionStore, key: Key, now: EpochMilliseconds): Promise<void> {
    let last = key;
    for (let hops = 0; hops < MOST_HOPS; hops += 1) {
      const found = await store.load(last, now);
      if (found?.kind !== "alias") break;
      last = found.to;
    }
    if (last !== key && this.#keys.delete(key)) this.#add([last]);
  }

  #add(keys: readonly Key[]): void {
    for (const key of keys) this.#keys.add(key);
    for (const key of this.#keys) {
      if (this.#keys.size <= MOST_KEYS) break;
      this.#keys.delete(key);
    }
  }
}

function evictedBy(answer: { readonly ok: boolean; readonly evicted?: readonly Key[] }): readonly Key[] {
  return answer.evicted ?? [];
}

function settledWithin(calls: Iterable<Promise<unknown>>, patience: Milliseconds): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience);
    // Some runtimes' timers are numbers.
    (timer as { unref?(): void }).unref?.();
    void Promise.allSettled(calls).then(() => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

type Optional = Exclude<
  keyof SessionStore,
  "capabilities" | "load" | "create" | "commit" | "renew" | "rotate" | "destroy"
>;

/** Those methods that a store has. */
function bound<V extends Optional>(store: SessionStore, ...verbs: readonly V[]): Pick<SessionStore, V> {
  const present = verbs.filter((verb) => store[verb] !== undefined);
  return Object.fromEntries(
    present.map((verb) => [verb, (store[verb] as (...args: unknown[]) => unknown).bind(store)]),
  ) as Pick<SessionStore, V>;
}
