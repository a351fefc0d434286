import type { Key } from "../core/session-record.ts";
import type { Gone, Moved, RotateChange } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import type { SimpleData, SimpleStore } from "./simple-contract.ts";
import {
  advanced,
  apply,
  asObject,
  type Live,
  type LiveState,
  type Mark,
  replace,
  stamped,
  stateOf,
} from "./simple-object.ts";
import { type Steps, wait } from "./simple-steps.ts";

const GONE: Gone = { ok: false, reason: "gone" };

/** What is to be changed, and when. */
type Timed = Partial<RotateChange> & Pick<RotateChange, "now">;

/** The sessions in a `SimpleStore`, one object each. The caller sees to it that nobody else is at the same id. */
export class SimpleSessions {
  readonly #store: SimpleStore;
  /** What was left under ids whose objects `deleteStore` removed. */
  readonly #marks = new Map<Key, Mark>();

  constructor(store: SimpleStore) {
    this.#store = store;
  }

  /** What stands under an id, whatever its deadline. */
  *find(key: Key, now: EpochMilliseconds): Steps<Live | Mark | null> {
    const mark = this.#marks.get(key);
    if (mark !== undefined && mark.expiresAt > now) return mark;
    const data = yield* wait(this.#store.getStore(key));
    if (data === null || data === undefined) return null;
    const state = stateOf(asObject(data), now);
    return state?.kind === "session" ? { data, state } : state;
  }

  *live(key: Key, now: EpochMilliseconds): Steps<Live | Gone | Moved> {
    const found = yield* this.find(key, now);
    if (found === null) return GONE;
    if ("data" in found) return found.state.expiresAt > now ? found : GONE;
    if (found.kind === "tombstone" || found.expiresAt <= now) return GONE;
    return { ok: false, reason: "moved", to: found.to, sealedId: found.sealedId };
  }

  /** Whether a session may be made under an id, and whether something past its deadline is still there. */
  *place(key: Key, now: EpochMilliseconds): Steps<"empty" | "expired" | "taken"> {
    const mark = this.#marks.get(key);
    if (mark !== undefined && mark.expiresAt > now) return "taken";
    if (!(yield* wait(this.#store.hasSessionId(key)))) return "empty";
    const found = yield* this.find(key, now);
    return found !== null && ("data" in found ? found.state : found).expiresAt <= now ? "expired" : "taken";
  }

  /** Makes a session in a free place, with that content and a change. Answers its version. */
  *make(key: Key, place: "empty" | "expired", content: SimpleData, state: LiveState, change: Timed): Steps<number> {
    if (place === "empty") yield* wait(this.#store.createStore(key));
    const data = asObject(yield* wait(this.#store.getStore(key)));
    return yield* this.change(key, data, state, change, content);
  }

  /** Changes an object, or that content in its place, and saves it. Answers the version. */
  *change(key: Key, data: SimpleData, state: LiveState, change: Timed, content: SimpleData = data): Steps<number> {
    const next = { ...content };
    const texts = apply(next, state, change);
    const after = advanced(state, change, texts);
    yield* this.#save(key, data, stamped(next, after), change.now);
    return after.version;
  }

  /** Ends a session, and leaves a mark. */
  *end(key: Key, data: SimpleData, mark: Mark, now: EpochMilliseconds): Steps<void> {
    let left: SimpleData | null | undefined = data;
    if (this.#store.deleteStore !== undefined) {
      yield* wait(this.#store.deleteStore(key));
      // An inherited `deleteStore` may know nothing of where a subclass keeps its sessions: a logout would end nothing.
      left = yield* wait(this.#store.getStore(key));
    }
    if (left === null || left === undefined) this.#marks.set(key, mark);
    else yield* this.#save(key, asObject(left), stamped({}, mark), now);
  }

  /** Ends a session that nobody has heard of yet. If that fails too, it lives until its deadline, its id unknown. */
  *takeBack(key: Key, now: EpochMilliseconds): Steps<void> {
    try {
      const data = yield* wait(this.#store.getStore(key));
      if (data) yield* this.end(key, data, { kind: "tombstone", reason: "revoked", expiresAt: now }, now);
    } catch {
      // The first failure is the one to tell.
    }
  }

  /** Replaces an object's content in place and saves it. When that fails, the object is as it was. */
  *#save(key: Key, data: SimpleData, content: SimpleData, now: EpochMilliseconds): Steps<void> {
    const before = { ...data };
    try {
      replace(data, content);
      yield* wait(this.#store.saveStore(key, data, now));
    } catch (error) {
      replace(data, before);
      throw error;
    }
  }

  *collect(now: EpochMilliseconds): Steps<void> {
    yield* wait(this.#store.gc(now));
  }

  /** Removes up to `limit` marks past their deadline. Answers how many. */
  dropMarks(now: EpochMilliseconds, limit: number): number {
    const over = [...this.#marks].filter(([, mark]) => mark.expiresAt <= now).slice(0, limit);
    for (const [key] of over) this.#marks.delete(key);
    return over.length;
  }
}
