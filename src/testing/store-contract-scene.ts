import { hashedKey, newHandle, newId, newOperation, userTag } from "../core/session-id.ts";
import type { Fields, Key, Leave, NewSession, StoredSession } from "../core/session-record.ts";
import type {
  Bind,
  Cap,
  CapPolicy,
  Change,
  RotateChange,
  SessionStore,
  StoreCapabilities,
} from "../core/session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import { check, same } from "./store-contract-assert.ts";

/** When every case begins: not a whole second, so that a store that rounds shows it. */
export const START: EpochMilliseconds = 1_764_000_000_123;
export const MINUTE: Milliseconds = 60_000;
export const HOUR: Milliseconds = 60 * MINUTE;

/** What a case asks of a store beyond the verbs that every store has. */
export type Need = "userIndex" | "feed" | "changes" | "lock" | "sweep" | "replay";

/** One promise of the contract and how it is put to the test. */
export interface StoreCase {
  readonly promise: string;
  readonly needs?: Need;
  /** Whether it is also to be run with two instances over one backend. */
  readonly race?: boolean;
  readonly run: (scene: Scene) => Promise<void>;
}

/** The same traits for a list of cases. */
export function each(traits: Pick<StoreCase, "needs" | "race">, cases: readonly StoreCase[]): readonly StoreCase[] {
  return cases.map((one) => ({ ...traits, ...one }));
}

export function supports(store: SessionStore, need: Need | undefined): boolean {
  const { capabilities } = store;
  switch (need) {
    case undefined:
      return true;
    case "userIndex":
      return capabilities.userIndex;
    case "feed":
      return capabilities.feed !== null;
    case "changes":
      return capabilities.announcesChanges === true;
    case "lock":
      return capabilities.lock;
    case "sweep":
      return store.sweep !== undefined;
    case "replay":
      return !capabilities.local;
  }
}

/** Verbs of a store with a user index, without the question marks. */
export type IndexedStore = SessionStore &
  Required<Pick<SessionStore, "listByUser" | "revokeHandle" | "revokeUser" | "generation">>;

/** The stores of a case and shorthands for what cases do all the time. */
export class Scene {
  readonly store: SessionStore;
  /** A second instance over the same backend, or the same one again. */
  readonly other: SessionStore;
  readonly #capabilities: StoreCapabilities;
  /** Keys of one session share a routing tag, and so do keys of sessions that rotate into each other. */
  readonly #tag: string = newId().slice(1, 4);
  #users = 0;

  constructor(store: SessionStore, other: SessionStore) {
    this.store = store;
    this.other = other;
    this.#capabilities = store.capabilities;
  }

  get indexed(): IndexedStore {
    return this.store as IndexedStore;
  }

  /** A new key of the shape this store is given, with the user's routing tag. */
  key(userId?: string): Key {
    const id = newId(userId === undefined ? this.#tag : userTag(userId));
    return this.#capabilities.keys === "id" ? id : hashedKey("sid", id);
  }

  user(): string {
    return `user-${(this.#users += 1)}-${newHandle()}`;
  }

  session(given: Partial<NewSession> = {}): NewSession {
    const { key = this.key(), fields = { a: "1" }, createdAt = START } = given;
    const { lastUsedAt = createdAt, expiresAt = createdAt + HOUR, handle = newHandle() } = given;
    return { key, fields, createdAt, lastUsedAt, expiresAt, handle };
  }

  /** Creates a session that must be admitted. @returns what it was created with */
  async create(given: Partial<NewSession> = {}, bind?: Bind): Promise<NewSession> {
    const session = this.session({ ...(bind !== undefined && { key: this.key(bind.userId) }), ...given });
    const options = { operation: newOperation(), now: session.createdAt };
    const answer = await this.store.create(session, bind === undefined ? options : { ...options, bind });
    check(answer.ok, "create makes a record under a free key");
    return session;
  }

  /** A change with the two things that every change has. */
  change(given: Partial<RotateChange> = {}): Change {
    return { operation: newOperation(), now: START, ...given };
  }

  /** Commits a change that must be accepted. @returns the version */
  async commit(key: Key, given: Partial<Change>): Promise<number> {
    const answer = await this.store.commit(key, this.change(given));
    check(answer.ok, "commit changes a live record");
    return answer.version;
  }

  /** Rotates a session that must be accepted, leaving a tombstone unless told otherwise. @returns the new key */
  async rotate(oldKey: Key, given: Partial<RotateChange> = {}, bind?: Bind | null, leave?: Leave): Promise<Key> {
    const newKey = this.key(bind?.userId);
    const options = { leave: leave ?? this.tombstone() };
    const answer = await this.store.rotate(
      oldKey,
      newKey,
      this.change(given),
      bind === undefined ? options : { ...options, bind },
    );
    check(answer.ok, "rotate moves a live record to a free key");
    return newKey;
  }

  /** What a login leaves. */
  tombstone(expiresAt: EpochMilliseconds = START + MINUTE): Leave {
    return { kind: "tombstone", reason: "rotated", expiresAt };
  }

  /** What `rotateEvery` leaves. */
  alias(to: Key, expiresAt: EpochMilliseconds = START + MINUTE): Leave {
    return { kind: "alias", to, sealedId: `sealed-${to.slice(-8)}`, expiresAt };
  }

  /** Rotates and leaves an alias. @returns the new key and the alias */
  async moveOn(oldKey: Key): Promise<{ readonly newKey: Key; readonly alias: Leave }> {
    const newKey = this.key();
    const alias = this.alias(newKey);
    const answer = await this.store.rotate(oldKey, newKey, this.change(), { leave: alias });
    check(answer.ok, "rotate moves a live record to a free key");
    return { newKey, alias };
  }

  bind(userId: string, given: Partial<Bind> = {}): Bind {
    return { userId, metadata: {}, maxAge: null, ...given };
  }

  /** A limit on a user's sessions. */
  cap(max: number, policy: CapPolicy, tombstoneUntil: EpochMilliseconds = START + MINUTE): Cap {
    return { max, policy, tombstoneUntil };
  }

  async destroy(key: Key, now: EpochMilliseconds = START): Promise<boolean> {
    return this.store.destroy(key, { now, tombstoneUntil: now + MINUTE });
  }

  /** The record under a key, which must be one. */
  async stored(key: Key, now: EpochMilliseconds = START): Promise<StoredSession> {
    const found = await this.store.load(key, now);
    check(found?.kind === "session", `load answers the record (got ${found?.kind ?? "null"})`);
    return found;
  }

  async fieldsOf(key: Key, now: EpochMilliseconds = START): Promise<Fields> {
    return { ...(await this.stored(key, now)).fields };
  }

  /** Whether anybody could use what stands under the key. */
  async isAlive(key: Key, now: EpochMilliseconds = START): Promise<boolean> {
    const found = await this.store.load(key, now);
    return found?.kind === "session" && found.expiresAt > now;
  }

  /** Checks that a key leads to nothing: neither to data nor to a verb that works. */
  async isGone(key: Key, now: EpochMilliseconds = START): Promise<void> {
    check(!(await this.isAlive(key, now)), "load answers no live record");
    const change = this.change({ now, set: { revived: "1" }, expiresAt: now + HOUR });
    same(await this.store.commit(key, change), { ok: false, reason: "gone" }, "commit");
    same(await this.store.renew(key, { now, lastUsedAt: now, expiresAt: now + HOUR }), false, "renew");
    const newKey = this.key();
    const rotated = await this.store.rotate(key, newKey, this.change({ now }), { leave: this.tombstone(now + MINUTE) });
    same(rotated, { ok: false, reason: "gone" }, "rotate");
    same(await this.store.load(newKey, now), null, "the key that rotate would have moved it to");
    check(!(await this.isAlive(key, now)), "nothing brought the record back");
  }

  /** Handles of a user's live sessions, in the store's order. */
  async handles(userId: string, now: EpochMilliseconds = START): Promise<string[]> {
    const page = await this.indexed.listByUser(userId, { now, limit: 1000 });
    return page.sessions.map(({ handle }) => handle);
  }

  /** Sessions of a new user, whose logins are a millisecond apart. */
  async loggedIn(count: number): Promise<{ readonly user: string; readonly sessions: readonly NewSession[] }> {
    const user = this.user();
    const sessions: NewSession[] = [];
    for (let index = 0; index < count; index += 1) {
      const createdAt = START - count + index;
      sessions.push(await this.create({ createdAt, expiresAt: START + HOUR }, this.bind(user)));
    }
    return { user, sessions };
  }

  /** Starts calls at once, by turns on both instances. */
  parallel<Answer>(count: number, call: (index: number, store: SessionStore) => unknown): Promise<Answer[]> {
    const start = async (index: number): Promise<Answer> =>
      (await call(index, index % 2 === 0 ? this.store : this.other)) as Answer;
    return Promise.all(Array.from({ length: count }, (_, index) => start(index)));
  }
}
