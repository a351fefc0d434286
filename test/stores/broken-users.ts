import type { Fields, Key, NewSession } from "../../src/core/session-record.ts";
import type { Bind, Change, StoreNotice } from "../../src/core/session-store.ts";
import type { MemoryStore } from "../../src/stores/memory.ts";
import { Breakable, type CreateOptions, type Fault, type Page, type RenewAt, type Rotate } from "./breakable-store.ts";

/** Faults of rotations, users, revokes, the feed and locks. */
export const userFaults: readonly Fault[] = [
  {
    fault: "rotate that makes what is missing",
    create: () =>
      new (class extends Breakable {
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          const answer = super.rotate(oldKey, newKey, change, options);
          if (!answer.ok && answer.reason === "gone") this.revive(newKey, change.set ?? {}, change.now);
          return answer;
        }
      })(),
    breaks: "rotate finds gone what was never made, and makes no record",
  },
  {
    fault: "rotate that leaves the old key alive",
    create: () =>
      new (class extends Breakable {
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          const old = this.record(oldKey);
          const leave = { ...options.leave, expiresAt: change.now };
          const answer = super.rotate(oldKey, newKey, change, { ...options, leave });
          if (answer.ok && old !== null) super.create({ key: oldKey, ...old }, { operation: "copy", now: change.now });
          return answer;
        }
      })(),
    breaks: "a rotated key is dead at once and says that it was rotated",
  },
  {
    fault: "rotate that writes the data as the request had read it",
    create: () => {
      const read = new Map<Key, Fields>();
      return new (class extends Breakable {
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          if (found?.kind === "session" && !read.has(key)) read.set(key, found.fields);
          return found;
        }
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          const fields = read.get(oldKey);
          if (fields === undefined || change.clear === true) return super.rotate(oldKey, newKey, change, options);
          const stale = { ...change, clear: true, set: { ...fields, ...change.set } };
          return super.rotate(oldKey, newKey, stale, options);
        }
      })();
    },
    breaks: "rotate takes along what another request committed before",
  },
  {
    fault: "rotate onto a key that is taken",
    create: () =>
      new (class extends Breakable {
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          super.destroy(newKey, { now: change.now, tombstoneUntil: change.now });
          return super.rotate(oldKey, newKey, change, options);
        }
      })(),
    breaks: "rotate refuses a key that is taken, and moves nothing",
  },
  {
    fault: "rotate that keeps a later deadline in a new absolute period",
    create: () =>
      new (class extends Breakable {
        override rotate(...[oldKey, newKey, { createdAt, ...change }, options]: Rotate) {
          const answer = super.rotate(oldKey, newKey, change, options);
          if (createdAt !== undefined) this.#created.set(newKey, createdAt);
          return answer;
        }
        readonly #created = new Map<Key, number>();
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          return found?.kind === "session" ? { ...found, createdAt: this.#created.get(key) ?? found.createdAt } : found;
        }
      })(),
    breaks: "a rotation that starts a new absolute period takes its deadline as it is, also an earlier one",
  },
  {
    fault: "rotate that gives a new handle",
    create: () =>
      new (class extends Breakable {
        readonly #handles = new Map<Key, string>();
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          this.#handles.set(newKey, `handle of ${newKey}`);
          return super.rotate(oldKey, newKey, change, options);
        }
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          return found?.kind === "session" ? { ...found, handle: this.#handles.get(key) ?? found.handle } : found;
        }
      })(),
    breaks: "the handle stays through rotations",
  },
  {
    fault: "rotate that forgets the user",
    create: () =>
      new (class extends Breakable {
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          return super.rotate(oldKey, newKey, change, { bind: null, ...options });
        }
      })(),
    breaks: "a binding stays through a rotation that names none",
  },
  {
    fault: "rotate that leaves the record's age as it is",
    create: () =>
      new (class extends Breakable {
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          return found?.kind === "session" ? { ...found, rotatedAt: found.createdAt } : found;
        }
      })(),
    breaks: "load answers since when a record has its key",
  },
  {
    fault: "cap whose tombstones last a minute",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          const { bind, now } = options;
          const cap = bind?.cap && { ...bind.cap, tombstoneUntil: now + 60_000 };
          return super.create(session, bind === undefined ? options : { ...options, bind: { ...bind, cap } });
        }
      })(),
    breaks: "the tombstones of what a cap ends last as long as asked",
  },
  {
    fault: "alias that never dies",
    create: () =>
      new (class extends Breakable {
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          const leave = { ...options.leave, expiresAt: Infinity };
          return super.rotate(oldKey, newKey, change, options.leave.kind === "alias" ? { ...options, leave } : options);
        }
      })(),
    breaks: "an alias leads to the new key until it expires",
  },
  {
    fault: "commit that goes through an alias",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const answer = super.commit(key, change);
          return !answer.ok && answer.reason === "moved" ? super.commit(answer.to, change) : answer;
        }
      })(),
    breaks: "under an alias commit and rotate answer where the record went, and change nothing",
  },
  {
    fault: "renew that goes through an alias",
    create: () =>
      new (class extends Breakable {
        override renew(key: Key, at: RenewAt) {
          const found = super.load(key, at.now);
          return super.renew(found?.kind === "alias" ? found.to : key, at);
        }
      })(),
    breaks: "renew under an alias answers false and changes nothing",
  },
  {
    fault: "index that keeps what ended",
    create: () => {
      const listed = new Map<string, Map<string, object>>();
      return new (class extends Breakable {
        override listByUser(userId: string, page: Page) {
          const answer = super.listByUser(userId, page);
          const known = listed.get(userId) ?? new Map<string, object>();
          for (const one of answer.sessions) known.set(one.handle, one);
          listed.set(userId, known);
          return { ...answer, sessions: [...known.values()] as typeof answer.sessions };
        }
      })();
    },
    breaks: "what ended, expired or moved is not in the list",
  },
  {
    fault: "index that forgets rotated sessions",
    create: () =>
      new (class extends Breakable {
        readonly #rotated = new Set<string>();
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          const handle = this.record(oldKey)?.handle;
          if (handle !== undefined && options.bind === undefined) this.#rotated.add(handle);
          return super.rotate(oldKey, newKey, change, options);
        }
        override listByUser(userId: string, page: Page) {
          const answer = super.listByUser(userId, page);
          return { ...answer, sessions: answer.sessions.filter(({ handle }) => !this.#rotated.has(handle)) };
        }
      })(),
    breaks: "a binding stays through a rotation that names none",
  },
  {
    fault: "place of a list that is taken for a number as it came",
    create: () =>
      new (class extends Breakable {
        override listByUser(userId: string, page: Page) {
          const row = BigInt(page.after?.split("~")[1] ?? 0);
          return super.listByUser(userId, row < 0n ? { ...page, after: null } : page);
        }
      })(),
    breaks: "a list goes on from any place of the form that its pages answer",
  },
  {
    fault: "pages by offset",
    create: () =>
      new (class extends Breakable {
        override listByUser(userId: string, { now, after, limit }: Page) {
          const all = super.listByUser(userId, { now, limit: 1000 }).sessions;
          const start = Number(after?.slice(2) ?? 0);
          const end = start + limit;
          return { sessions: all.slice(start, end), after: end < all.length ? `0~${end}` : null };
        }
      })(),
    breaks: "pages go on where they were when sessions end or begin between them",
  },
  {
    fault: "users without regard to case",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, { bind, ...options }: CreateOptions) {
          return super.create(session, bind === undefined ? options : { ...options, bind: lowerCased(bind) });
        }
        override listByUser(userId: string, page: Page) {
          return super.listByUser(userId.toLowerCase(), page);
        }
      })(),
    breaks: "users differ in every character of their ids",
  },
  {
    fault: "cap that is off by one",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, { bind, ...options }: CreateOptions) {
          const cap = bind?.cap && { ...bind.cap, max: bind.cap.max + 1 };
          return super.create(session, bind === undefined ? options : { ...options, bind: { ...bind, cap } });
        }
      })(),
    breaks: "a cap holds when logins race",
  },
  {
    fault: "cap that is full one session early",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, { bind, ...options }: CreateOptions) {
          const cap = bind?.cap && { ...bind.cap, max: bind.cap.max - 1 };
          return super.create(session, bind === undefined ? options : { ...options, bind: { ...bind, cap } });
        }
      })(),
    breaks: "a login below the cap ends nobody",
  },
  {
    fault: "cap that counts what expired",
    create: () =>
      new (class extends Breakable {
        readonly #logins = new Map<string, number>();
        override create(session: NewSession, options: CreateOptions) {
          const { userId = "", cap } = options.bind ?? {};
          const logins = this.#logins.get(userId) ?? 0;
          const isFull = cap?.policy === "reject" && logins >= cap.max;
          if (isFull) return { ok: false, reason: "rejected", why: "cap" } as const;
          this.#logins.set(userId, logins + 1);
          return super.create(session, options);
        }
      })(),
    breaks: "expired sessions do not count against a cap",
  },
  {
    fault: "cap that evicts the oldest for the idle",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, { bind, ...options }: CreateOptions) {
          const cap = bind?.cap && { ...bind.cap, policy: "evict-oldest" as const };
          return super.create(session, bind === undefined ? options : { ...options, bind: { ...bind, cap } });
        }
      })(),
    breaks: "a cap that evicts the idle ends the session whose last use is the longest ago",
  },
  {
    fault: "cap that does not say who had to go",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          const answer = super.create(session, options);
          return answer.ok ? { ...answer, evicted: [] } : answer;
        }
      })(),
    breaks: "a cap that evicts the oldest ends the session whose login is the longest ago",
  },
  {
    fault: "generation that is not asked for",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, { bind, ...options }: CreateOptions) {
          const later = bind && { ...bind, since: undefined };
          return super.create(session, bind === undefined ? options : { ...options, bind: later });
        }
      })(),
    breaks: "a login that began before a revoke is refused, and changes nothing",
  },
  {
    fault: "revoke that ends the exception, too",
    create: () =>
      new (class extends Breakable {
        override revokeUser(userId: string, { except: _, ...at }: Parameters<MemoryStore["revokeUser"]>[1]) {
          return super.revokeUser(userId, at);
        }
      })(),
    breaks: "revokeUser spares the exception, which goes on under the new generation",
  },
  {
    fault: "revoke without a tombstone",
    create: () =>
      new (class extends Breakable {
        override revokeUser(userId: string, at: Parameters<MemoryStore["revokeUser"]>[1]) {
          return super.revokeUser(userId, { ...at, tombstoneUntil: at.now });
        }
      })(),
    breaks: "a revoked session says that it was revoked",
  },
  {
    fault: "feed that is silent about rotations",
    create: () =>
      new (class extends Breakable {
        override watch(listener: (notice: StoreNotice) => void) {
          return super.watch((notice) => notice.type === "revoked" && listener(notice));
        }
      })(),
    breaks: "watch hears of each key that was destroyed, revoked or rotated",
  },
  {
    fault: "feed that cannot be left",
    create: () =>
      new (class extends Breakable {
        override watch(listener: (notice: StoreNotice) => void) {
          super.watch(listener);
          return () => undefined;
        }
      })(),
    breaks: "who stopped watching hears nothing more",
  },
  {
    fault: "lock whose lease does not run out",
    create: () =>
      new (class extends Breakable {
        override lock(key: Key, options: Parameters<MemoryStore["lock"]>[1]) {
          return super.lock(key, { ...options, lease: Infinity });
        }
      })(),
    breaks: "a lock whose lease ran out is free, and its holder's change is refused",
  },
  {
    fault: "fence that nobody looks at",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          return super.commit(key, { ...change, fence: undefined });
        }
      })(),
    breaks: "a lock whose lease ran out is free, and its holder's change is refused",
  },
];

function lowerCased(bind: Bind): Bind {
  return { ...bind, userId: bind.userId.toLowerCase() };
}
