import { chain, isPromise } from "./awaitable.ts";
import type { Key } from "./session-record.ts";
import type { SessionStore } from "./session-store.ts";
import type { Awaitable } from "./units.ts";

/** Keys are forgotten when their notice came. Of those whose notice was lost, this many are kept. */
const MOST_KEYS = 10_000;

/** Tells the notices that this process's own calls brought about from those of others. */
export class OwnEndings {
  /** Off until somebody wants to know. */
  active = false;
  readonly #keys = new Set<Key>();
  readonly #underWay = new Set<Promise<unknown>>();

  /** The same store, whose calls that end sessions are noted. */
  noting(store: SessionStore): SessionStore {
    const noted: { -readonly [Verb in keyof SessionStore]: SessionStore[Verb] } = {
      capabilities: store.capabilities,
      load: store.load.bind(store),
      commit: store.commit.bind(store),
      renew: store.renew.bind(store),
      create: (record, options) =>
        this.#note(store.create(record, options), (answer) => (answer.ok ? answer.evicted : [])),
      rotate: (...args) => this.#note(store.rotate(...args), (answer) => (answer.ok ? answer.evicted : [])),
      destroy: (key, at) => {
        // Known before the answer is.
        if (this.active) this.#add([key]);
        return chain(store.destroy(key, at), (ended) => {
          if (!ended) this.#keys.delete(key);
          return ended;
        });
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

  /** How many of a notice's keys others ended. A notice can overtake the answer of the call that it tells of. */
  async countOthers(keys: readonly Key[]): Promise<number> {
    await Promise.allSettled(this.#underWay);
    return keys.filter((key) => !this.#keys.delete(key)).length;
  }

  #note<T>(answer: Awaitable<T>, keysOf: (answer: T) => Key | readonly Key[]): Awaitable<T> {
    if (!this.active) return answer;
    const noted = chain(answer, (value) => {
      this.#add([keysOf(value)].flat());
      return value;
    });
    if (isPromise(noted)) {
      this.#underWay.add(noted);
      const over = (): void => void this.#underWay.delete(noted);
      noted.then(over, over);
    }
    return noted;
  }

  #add(keys: readonly Key[]): void {
    for (const key of keys) this.#keys.add(key);
    for (const key of this.#keys) {
      if (this.#keys.size <= MOST_KEYS) break;
      this.#keys.delete(key);
    }
  }
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
