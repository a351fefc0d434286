/**
 * The original's custom store, five methods over plain objects, driven as a `SessionStore`.
 *
 * Keyed by the session's id. What the library has to know (deadline, version, user, or where the session went) stands
 * in the object itself, as plain JSON under the one key `__fastsession__`, which no handler sees. A store may answer a
 * live object or a copy, at once or by a promise; verbs on one id wait for each other, so in one process no write is
 * lost (and a promise that never settles keeps that one session waiting). Nothing is promised across processes, and
 * nothing if the process dies inside of `rotate`.
 *
 * | verb | calls |
 * | --- | --- |
 * | load | `getStore` |
 * | create | `hasSessionId`, `createStore`, `getStore`, `saveStore` |
 * | commit, renew | `getStore`, `saveStore` |
 * | rotate | `getStore` of the old id, a create of the new one, then the old one's end as in destroy |
 * | destroy | `getStore`, `deleteStore`, `getStore`; what is still there, `saveStore`, emptied and marked |
 * | sweep | `gc` |
 *
 * Not for several processes, and not where it matters that an end is in the same step as what ends it: write a
 * `SessionStore` there.
 */
import { MOST_HOPS } from "../core/alias-limit.ts";
import type { Key, NewSession, StoredSession } from "../core/session-record.ts";
import type {
  Change,
  Committed,
  Conflict,
  Created,
  Duplicate,
  Gone,
  Moved,
  RotateChange,
  Rotated,
  SessionStore,
  StoreCapabilities,
} from "../core/session-store.ts";
import type { Awaitable, EpochMilliseconds } from "../core/units.ts";
import type { SimpleStore } from "./simple-contract.ts";
import { conflictOf, type LiveState, type Mark, toBinding, toStored } from "./simple-object.ts";
import { SimpleSessions } from "./simple-sessions.ts";
import { Queues, type Steps, wait } from "./simple-steps.ts";

export {
  isSessionStore,
  isSimpleStore,
  missingSimpleStoreMethods,
  overridesSimpleMethods,
  type SimpleData,
  type SimpleStore,
} from "./simple-contract.ts";

const CAPABILITIES: StoreCapabilities = Object.freeze({
  local: false,
  keys: "id",
  userIndex: false,
  feed: null,
  durable: false,
  consistency: "process",
  lock: false,
});

const DUPLICATE: Duplicate = { ok: false, reason: "duplicate" };

/** How many operations are remembered: those of some seconds. */
const REMEMBERED = 1000;

type Creation = Parameters<SessionStore["create"]>[1];
type Use = Parameters<SessionStore["renew"]>[1];
type Rotation = Parameters<SessionStore["rotate"]>[3];
type End = Parameters<SessionStore["destroy"]>[1];

/** Drives a `SimpleStore` as a `SessionStore`; for wrappers, with other capabilities than its own. */
export function fromSimpleStore(store: SimpleStore, capabilities: StoreCapabilities = CAPABILITIES): SessionStore {
  return new SimpleStoreAdapter(store, capabilities);
}

class SimpleStoreAdapter implements SessionStore {
  readonly capabilities: StoreCapabilities;
  readonly #sessions: SimpleSessions;
  readonly #queues = new Queues();
  /** Answers to the operations applied last, which a caller that heard none may send again. */
  readonly #applied = new Map<string, { readonly ok: true }>();

  constructor(store: SimpleStore, capabilities: StoreCapabilities) {
    this.capabilities = capabilities;
    this.#sessions = new SimpleSessions(store);
  }

  load(key: Key, now: EpochMilliseconds): Awaitable<StoredSession | Mark | null> {
    return this.#alone([key], function* () {
      const found = yield* this.#sessions.find(key, now);
      if (found === null || "data" in found) return found && toStored(found.data, found.state);
      return found.expiresAt > now ? found : null;
    });
  }

  create({ key, fields, ...facts }: NewSession, { operation, now, bind }: Creation): Awaitable<Created | Duplicate> {
    return this.#once(operation, [key], function* (): Steps<Created | Duplicate> {
      const place = yield* this.#sessions.place(key, now);
      if (place === "taken") return DUPLICATE;
      const state: LiveState = { kind: "session", version: 0, ...facts, rotatedAt: now, binding: toBinding(bind, now) };
      yield* this.#sessions.make(key, place, {}, state, { set: fields, now });
      return { ok: true, evicted: [] };
    });
  }

  commit(key: Key, change: Change): Awaitable<Committed | Gone | Moved | Conflict> {
    return this.#once(change.operation, [key], function* (): Steps<Committed | Gone | Moved | Conflict> {
      const found = yield* this.#sessions.live(key, change.now);
      if ("ok" in found) return found;
      const conflict = conflictOf(found, change);
      if (conflict !== null) return conflict;
      return { ok: true, version: yield* this.#sessions.change(key, found.data, found.state, change) };
    });
  }

  renew(key: Key, { now, lastUsedAt, expiresAt }: Use): Awaitable<boolean> {
    return this.#alone([key], function* () {
      const found = yield* this.#sessions.live(key, now);
      if ("ok" in found) return false;
      yield* this.#sessions.change(key, found.data, found.state, { now, lastUsedAt, expiresAt });
      return true;
    });
  }

  rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    { leave, bind }: Rotation,
  ): Awaitable<Rotated | Gone | Moved | Conflict | Duplicate> {
    return this.#once(change.operation, [oldKey, newKey], function* (): Steps<
      Rotated | Gone | Moved | Conflict | Duplicate
    > {
      const found = yield* this.#sessions.live(oldKey, change.now);
      if ("ok" in found) return found;
      const place = yield* this.#sessions.place(newKey, change.now);
      if (place === "taken") return DUPLICATE;
      const conflict = conflictOf(found, change);
      if (conflict !== null) return conflict;
      const { data } = found;
      const kept = { ...found.state, rotatedAt: change.now };
      const state = bind === undefined ? kept : { ...kept, binding: toBinding(bind, change.now) };
      const version = yield* this.#sessions.make(newKey, place, data, state, change);
      try {
        yield* this.#sessions.end(oldKey, data, leave, change.now);
      } catch (error) {
        yield* this.#sessions.takeBack(newKey, change.now);
        throw error;
      }
      return { ok: true, version, evicted: [] };
    });
  }

  destroy(key: Key, { now, tombstoneUntil }: End): Awaitable<boolean> {
    return this.#alone([], function* () {
      for (let id = key, hops = 0; hops < MOST_HOPS; hops += 1) {
        const answer = yield* wait(this.#endAt(id, now, tombstoneUntil));
        if (answer === null || answer.reason === "gone") return answer === null;
        id = answer.to;
      }
      return false;
    });
  }

  /** Calls `gc`. Answers how many marks of ended sessions it removed itself: what `gc` removes, it does not say. */
  sweep(now: EpochMilliseconds, limit: number): Awaitable<number> {
    return this.#alone([], function* () {
      const removed = this.#sessions.dropMarks(now, limit);
      yield* this.#sessions.collect(now);
      return removed;
    });
  }

  /** Ends the session of an id. Answers `null`, or why not. */
  #endAt(key: Key, now: EpochMilliseconds, tombstoneUntil: EpochMilliseconds): Awaitable<Gone | Moved | null> {
    return this.#alone([key], function* () {
      const found = yield* this.#sessions.live(key, now);
      if ("ok" in found) return found;
      const mark = { kind: "tombstone", reason: "revoked", expiresAt: tombstoneUntil } as const;
      yield* this.#sessions.end(key, found.data, mark, now);
      return null;
    });
  }

  /** Takes the steps alone, unless that operation was applied before: then it is answered as it was. */
  #once<Answer extends { readonly ok: boolean }>(
    operation: string,
    ids: readonly Key[],
    steps: (this: SimpleStoreAdapter) => Steps<Answer>,
  ): Awaitable<Answer> {
    return this.#alone(ids, function* () {
      const before = this.#applied.get(operation);
      if (before !== undefined) return before as unknown as Answer;
      const answer = yield* steps.call(this);
      if (answer.ok) this.#remember(operation, answer as { readonly ok: true });
      return answer;
    });
  }

  #remember(operation: string, answer: { readonly ok: true }): void {
    this.#applied.set(operation, answer);
    if (this.#applied.size <= REMEMBERED) return;
    for (const [oldest] of this.#applied) {
      this.#applied.delete(oldest);
      break;
    }
  }

  #alone<T>(ids: readonly Key[], steps: (this: SimpleStoreAdapter) => Steps<T>): Awaitable<T> {
    return this.#queues.alone(ids, () => steps.call(this));
  }
}
