import { FastSessionError } from "../../src/core/errors.ts";
import type { Key, Leave, NewSession } from "../../src/core/session-record.ts";
import type {
  Change,
  RotateChange,
  SessionStore,
  StoreCapabilities,
  StoreNotice,
} from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";

type Answer<Verb extends "load" | "create" | "commit" | "rotate" | "listByUser" | "revokeUser"> = Awaited<
  ReturnType<Required<SessionStore>[Verb]>
>;
type CreateOptions = Parameters<SessionStore["create"]>[1];
type RotateOptions = Parameters<SessionStore["rotate"]>[3];
type RenewAt = Parameters<SessionStore["renew"]>[1];
type At = Parameters<SessionStore["destroy"]>[1];
type RevokeAt = Parameters<NonNullable<SessionStore["revokeUser"]>>[1];
type Page = Parameters<NonNullable<SessionStore["listByUser"]>>[1];

/** The way to the backend or back: other calls run meanwhile. */
type Travel = () => Promise<unknown>;

/** A way that breaks: whoever is on it does not arrive, be it with a call or with its answer. */
export class Network {
  readonly #onTheWay = new Set<(error: Error) => void>();
  #travels = 0;

  async travel(): Promise<void> {
    // Of different lengths, so that whoever left together is not always at the same point when it breaks.
    for (let left = 1 + ((this.#travels += 1) % 3); left > 0; left -= 1) await this.#hop();
  }

  break(): void {
    for (const fail of this.#onTheWay) fail(new Error("the connection broke"));
  }

  #hop(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onTheWay.add(reject);
      setImmediate(() => {
        this.#onTheWay.delete(reject);
        resolve();
      });
    });
  }
}

/** What several instances share. */
export class Backend {
  readonly memory: MemoryStore = new MemoryStore();
  readonly answers: Map<string, unknown> = new Map();
  /** Who hears of commits: the memory store tells of none. */
  readonly watchers: Set<(notice: StoreNotice) => void> = new Set();
  readonly travel: Travel;

  constructor(travel: Travel = () => new Promise((resolve) => setImmediate(resolve))) {
    this.travel = travel;
  }
}

/** A store on a server, without the server: atomic there, asynchronous here. It keeps the contract. */
export class RemoteStore implements SessionStore {
  readonly capabilities: StoreCapabilities = {
    local: false,
    keys: "hash",
    userIndex: true,
    feed: "fleet",
    announcesChanges: true,
    durable: false,
    consistency: "strong",
    lock: false,
  };
  readonly backend: Backend;

  constructor(backend: Backend = new Backend()) {
    this.backend = backend;
  }

  get memory(): MemoryStore {
    return this.backend.memory;
  }

  async #call<Result>(step: () => Result): Promise<Result> {
    await this.backend.travel();
    const answer = step();
    await this.backend.travel();
    return answer;
  }

  /** Remembers what was answered to an operation, as the backend's record does. */
  once<Result extends { readonly ok: boolean }>(operation: string, step: () => Result): Result {
    const known = this.backend.answers.get(operation) as Result | undefined;
    if (known !== undefined) return known;
    const answer = step();
    if (answer.ok) this.backend.answers.set(operation, answer);
    return answer;
  }

  async load(key: Key, now: number): Promise<Answer<"load">> {
    return this.#call(() => this.memory.load(key, now));
  }

  async create(session: NewSession, options: CreateOptions): Promise<Answer<"create">> {
    return this.#call(() => this.once(options.operation, () => this.memory.create(session, options)));
  }

  async commit(key: Key, change: Change): Promise<Answer<"commit">> {
    return this.#call(() =>
      this.once(change.operation, () => {
        const answer = this.memory.commit(key, change);
        if (answer.ok) this.announce({ type: "changed", keys: [key] });
        return answer;
      }),
    );
  }

  async renew(key: Key, at: RenewAt): Promise<boolean> {
    return this.#call(() => this.memory.renew(key, at));
  }

  async rotate(oldKey: Key, newKey: Key, change: RotateChange, options: RotateOptions): Promise<Answer<"rotate">> {
    return this.#call(() => this.once(change.operation, () => this.memory.rotate(oldKey, newKey, change, options)));
  }

  async destroy(key: Key, at: At): Promise<boolean> {
    return this.#call(() => this.memory.destroy(key, at));
  }

  async listByUser(userId: string, page: Page): Promise<Answer<"listByUser">> {
    return this.#call(() => this.memory.listByUser(userId, page));
  }

  async revokeHandle(handle: string, at: At): Promise<Key | null> {
    return this.#call(() => this.memory.revokeHandle(handle, at));
  }

  async revokeUser(userId: string, at: RevokeAt): Promise<Answer<"revokeUser">> {
    return this.#call(() => this.memory.revokeUser(userId, at));
  }

  async generation(userId: string): Promise<number> {
    return this.#call(() => this.memory.generation(userId));
  }

  async sweep(now: number, limit: number): Promise<number> {
    return this.#call(() => this.memory.sweep(now, limit));
  }

  async watch(listener: (notice: StoreNotice) => void): Promise<() => void> {
    // News of a fleet come late.
    const late = (notice: StoreNotice): void =>
      void this.backend
        .travel()
        .then(() => listener(notice))
        .catch(() => undefined);
    return this.#call(() => {
      const stop = this.memory.watch(late);
      this.backend.watchers.add(late);
      return () => {
        stop();
        this.backend.watchers.delete(late);
      };
    });
  }

  announce(notice: StoreNotice): void {
    for (const listener of this.backend.watchers) listener(notice);
  }
}

export interface RemoteFault {
  readonly fault: string;
  readonly create: (backend: Backend) => RemoteStore;
  readonly breaks: string;
}

export const remoteFaults: readonly RemoteFault[] = [
  {
    fault: "feed that is silent about changes",
    create: (backend) =>
      new (class extends RemoteStore {
        override announce() {}
      })(backend),
    breaks: "watch hears of each commit where the store announces changes",
  },
  {
    fault: "store that calls a change refused whose answer did not arrive",
    create: (backend) =>
      new (class extends RemoteStore {
        override async commit(key: Key, change: Change) {
          return super.commit(key, change).catch((error: unknown) => {
            throw new FastSessionError("ERR_SESSION_STORE", "no answer", { cause: error });
          });
        }
      })(backend),
    breaks:
      "while connections break: a change that is sent again counts once, and one that was refused has not happened",
  },
  {
    fault: "store that applies what arrives twice, twice",
    create: (backend) =>
      new (class extends RemoteStore {
        override once<Result>(_operation: string, step: () => Result): Result {
          return step();
        }
      })(backend),
    breaks: "a commit that arrives twice is applied once and answered alike",
  },
  {
    fault: "store that remembers the last operation only",
    create: (backend) =>
      new (class extends RemoteStore {
        override once<Result extends { readonly ok: boolean }>(operation: string, step: () => Result): Result {
          if (!this.backend.answers.has(operation)) this.backend.answers.clear();
          return super.once(operation, step);
        }
      })(backend),
    breaks: "a commit that arrives again after 7 others is applied once",
  },
  {
    fault: "store that remembers refusals, too",
    create: (backend) =>
      new (class extends RemoteStore {
        override once<Result extends { readonly ok: boolean }>(operation: string, step: () => Result): Result {
          const answer = super.once(operation, step);
          this.backend.answers.set(operation, answer);
          return answer;
        }
      })(backend),
    breaks: "a commit that was refused is judged anew when it arrives again",
  },
  {
    fault: "create that makes its record again when it arrives again",
    create: (backend) =>
      new (class extends RemoteStore {
        override async create(session: NewSession, options: CreateOptions) {
          const again = this.backend.answers.has(options.operation);
          if (again && this.memory.load(session.key, options.now)?.kind === "tombstone") {
            this.memory.sweep(Infinity, Infinity);
            return this.memory.create(session, options);
          }
          return super.create(session, options);
        }
      })(backend),
    breaks: "a call that arrives again after the session's end brings nothing back",
  },
  {
    fault: "commit that reads, changes and writes the whole record",
    create: (backend) =>
      new (class extends RemoteStore {
        override async commit(key: Key, change: Change) {
          const found = await super.load(key, change.now);
          if (found?.kind !== "session" || change.clear === true) return super.commit(key, change);
          return super.commit(key, { ...change, clear: true, set: { ...found.fields, ...change.set } });
        }
      })(backend),
    breaks: "requests that set different fields all keep their changes",
  },
  {
    fault: "expectation that is checked before the step that writes",
    create: (backend) =>
      new (class extends RemoteStore {
        override async commit(key: Key, change: Change) {
          const checked = this.memory.commit(key, { operation: "check", now: change.now, expect: change.expect });
          return checked.ok ? super.commit(key, { ...change, expect: undefined }) : checked;
        }
      })(backend),
    breaks: "increments that expect what they read all count",
  },
  {
    fault: "create that looks whether the key is free, then writes",
    create: (backend) =>
      new (class extends RemoteStore {
        override async create(session: NewSession, options: CreateOptions) {
          const { now } = options;
          if ((await super.load(session.key, now)) !== null) return super.create(session, options);
          this.memory.destroy(session.key, { now, tombstoneUntil: now });
          return this.memory.create(session, options);
        }
      })(backend),
    breaks: "of creates with one key one makes the record",
  },
  {
    fault: "commit that looks whether the session lives, then writes",
    create: (backend) =>
      new (class extends RemoteStore {
        override async commit(key: Key, change: Change) {
          const found = await super.load(key, change.now);
          if (found?.kind !== "session" || found.expiresAt <= change.now) return super.commit(key, change);
          if (this.memory.load(key, change.now)?.kind === "tombstone") {
            this.memory.sweep(Infinity, Infinity);
            this.memory.create({ key, ...found }, { operation: "upsert", now: change.now });
          }
          return super.commit(key, change);
        }
      })(backend),
    breaks: "no write that begins after a logout is accepted, and none brings the session back",
  },
  {
    fault: "cap that is counted before the step that creates",
    create: (backend) =>
      new (class extends RemoteStore {
        override async create(session: NewSession, options: CreateOptions) {
          const { bind, now } = options;
          if (bind?.cap === undefined) return super.create(session, options);
          const { sessions } = await super.listByUser(bind.userId, { now, limit: 1000 });
          if (sessions.length >= bind.cap.max) return super.create(session, options);
          return super.create(session, { ...options, bind: { ...bind, cap: undefined } });
        }
      })(backend),
    breaks: "a cap holds when logins race",
  },
  {
    fault: "revoke of what was listed, one by one",
    create: (backend) =>
      new (class extends RemoteStore {
        override async revokeUser(userId: string, { except, ...at }: RevokeAt) {
          const { sessions } = await super.listByUser(userId, { now: at.now, limit: 1000 });
          const spared = except === undefined ? null : this.memory.load(except, at.now);
          const keys: Key[] = [];
          for (const { handle } of sessions) {
            if (spared?.kind === "session" && spared.handle === handle) continue;
            const key = await super.revokeHandle(handle, at);
            if (key !== null) keys.push(key);
          }
          return { generation: 0, keys };
        }
      })(backend),
    breaks: "no login that began before a revoke survives one that races with it",
  },
  {
    fault: "rotation in two steps, create and destroy",
    create: (backend) =>
      new (class extends RemoteStore {
        override async rotate(oldKey: Key, newKey: Key, change: RotateChange, options: { readonly leave: Leave }) {
          const found = await super.load(oldKey, change.now);
          if (found?.kind !== "session") return super.rotate(oldKey, newKey, change, options);
          const copy = { key: newKey, ...found, fields: { ...found.fields, ...change.set } };
          await super.create(copy, { operation: `copy ${change.operation}`, now: change.now });
          await super.destroy(oldKey, { now: change.now, tombstoneUntil: options.leave.expiresAt });
          return { ok: true, version: found.version + 1, evicted: [] } as const;
        }
      })(backend),
    breaks: "every accepted change is in the record that a rotation moved",
  },
  {
    fault: "rotation that throws where its session ends under way",
    create: (backend) =>
      new (class extends RemoteStore {
        override async rotate(oldKey: Key, newKey: Key, change: RotateChange, options: RotateOptions) {
          const found = await super.load(oldKey, change.now);
          const answer = await super.rotate(oldKey, newKey, change, options);
          if (found?.kind === "session" && !answer.ok && answer.reason === "gone") throw new Error("no such key");
          return answer;
        }
      })(backend),
    breaks: "a rotation whose session is destroyed at the same time moved it before, or answers gone and makes nothing",
  },
  {
    fault: "sweep that removes what it had found expired a moment ago",
    create: (backend) =>
      new (class extends RemoteStore {
        readonly #keys: Key[] = [];
        override async create(session: NewSession, options: CreateOptions) {
          this.#keys.push(session.key);
          return super.create(session, options);
        }
        override async sweep(now: number, limit: number) {
          const expired = this.#keys.filter((key) => (this.memory.load(key, now)?.expiresAt ?? Infinity) <= now);
          await this.backend.travel();
          for (const key of expired) this.memory.destroy(key, { now: 0, tombstoneUntil: 0 });
          return super.sweep(now, limit);
        }
      })(backend),
    breaks: "sweep removes no session whose renewal was accepted at the same time",
  },
  {
    fault: "cache that does not hear of other instances",
    create: (backend) =>
      new (class extends RemoteStore {
        readonly #cache = new Map<Key, Awaited<ReturnType<SessionStore["load"]>>>();
        override async load(key: Key, now: number) {
          const found = this.#cache.get(key) ?? (await super.load(key, now));
          this.#cache.set(key, found);
          return found;
        }
        override async commit(key: Key, change: Change) {
          this.#cache.delete(key);
          return super.commit(key, change);
        }
      })(backend),
    breaks: "across two instances: what one request wrote, the next one reads, wherever it is served",
  },
];
