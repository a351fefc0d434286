import type { Key, NewSession } from "../../src/core/session-record.ts";
import type { Change } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import {
  Breakable,
  type CreateOptions,
  type DestroyAt,
  type Fault,
  HOUR,
  mapped,
  normalised,
  type RenewAt,
  type Rotate,
} from "./breakable-store.ts";

/** Faults in keeping and ending records. */
export const recordFaults: readonly Fault[] = [
  {
    fault: "load that takes what it does not know for something that ended",
    create: () =>
      new (class extends Breakable {
        override load(key: Key, now: number) {
          const unknown = { kind: "tombstone", reason: "revoked", expiresAt: now + 1 } as const;
          return super.load(key, now) ?? unknown;
        }
      })(),
    breaks: "load answers null for a key that was never made",
  },
  {
    fault: "lock that is declared and is not there",
    create: () => Object.assign(new MemoryStore(), { lock: undefined }),
    breaks: "a store has the methods of what it declares",
  },
  {
    fault: "local store that answers with a promise",
    create: () => {
      const store = new MemoryStore();
      const destroy = async (key: Key, at: DestroyAt): Promise<boolean> =>
        MemoryStore.prototype.destroy.call(store, key, at);
      return Object.assign(store, { destroy });
    },
    breaks: "a local store answers without promises",
  },
  {
    fault: "commit that makes what is missing",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const answer = super.commit(key, change);
          if (!answer.ok && answer.reason === "gone") this.revive(key, change.set ?? {}, change.now);
          return answer;
        }
      })(),
    breaks: "commit makes no record",
  },
  {
    fault: "commit that brings back what was destroyed",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const ended = super.load(key, change.now)?.kind === "tombstone";
          if (ended) this.revive(key, change.set ?? {}, change.now);
          return super.commit(key, change);
        }
      })(),
    breaks: "commit never brings a destroyed record back",
  },
  {
    fault: "commit that does not look at the deadline",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          return super.commit(key, { ...change, now: 0 });
        }
      })(),
    breaks: "commit never brings an expired record back",
  },
  {
    fault: "commit that lets a record live through its deadline",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          return super.commit(key, { ...change, now: change.now - 1 });
        }
      })(),
    breaks: "a record lives until the millisecond before its deadline",
  },
  {
    fault: "expiry that is left to the backend's own clock",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          return super.commit(key, { ...change, now: 0 });
        }
        override renew(key: Key, at: RenewAt) {
          return super.renew(key, { ...at, now: 0 });
        }
        override rotate(...[oldKey, newKey, change, options]: Rotate) {
          return super.rotate(oldKey, newKey, { ...change, now: 0 }, options);
        }
      })(),
    breaks: "every verb finds an expired record gone",
  },
  {
    fault: "life in whole seconds, of which none means for ever",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          const seconds = Math.round((session.expiresAt - options.now) / 1000);
          return super.create(seconds === 0 ? { ...session, expiresAt: Infinity } : session, options);
        }
      })(),
    breaks: "what has less than a second left ends like anything else",
  },
  {
    fault: "commit that takes an earlier deadline",
    create: () => {
      const deadlines = new Map<Key, number>();
      return new (class extends Breakable {
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          return found?.kind === "session" ? { ...found, expiresAt: deadlines.get(key) ?? found.expiresAt } : found;
        }
        override commit(key: Key, change: Change) {
          if (change.expiresAt !== undefined) deadlines.set(key, change.expiresAt);
          return super.commit(key, change);
        }
      })();
    },
    breaks: "commit moves last use and deadline only ever later, each by itself",
  },
  {
    fault: "commit that writes although an expectation failed",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const answer = super.commit(key, change);
          const { now, operation, set } = change;
          if (!answer.ok && answer.reason === "conflict") super.commit(key, { now, operation, set });
          return answer;
        }
      })(),
    breaks: "a change whose expectation fails changes nothing at all",
  },
  {
    fault: "conflict that answers every expected field",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const answer = super.commit(key, change);
          if (answer.ok || answer.reason !== "conflict") return answer;
          const names = Object.keys(change.expect ?? {});
          const fields = this.record(key)?.fields ?? {};
          return { ...answer, current: Object.fromEntries(names.map((name) => [name, fields[name] ?? null])) };
        }
      })(),
    breaks: "a conflict tells exactly the expected fields that differ, and what they are now",
  },
  {
    fault: "expectation that is compared as a value",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const fields = this.record(key)?.fields ?? {};
          const expect = Object.fromEntries(
            Object.entries(change.expect ?? {}).map(([name, text]) => {
              const is = fields[name];
              const alike = text !== null && is !== undefined && normalised(text) === normalised(is);
              return [name, alike ? is : text];
            }),
          );
          return super.commit(key, { ...change, expect });
        }
      })(),
    breaks: "expectations are compared as texts, not as values",
  },
  {
    fault: "expectation that is checked after the clearing",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const { now, operation } = change;
          if (change.clear === true) super.commit(key, { now, operation, clear: true });
          return super.commit(key, change);
        }
      })(),
    breaks: "expectations are checked before fields are cleared, removed or set",
  },
  {
    fault: "clear that comes last",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          return super.commit(key, change.clear === true ? { ...change, set: {} } : change);
        }
      })(),
    breaks: "clear comes first, then remove, then set",
  },
  {
    fault: "clear that removes what the request had read",
    create: () => {
      const known = new Map<Key, string[]>();
      return new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          known.set(session.key, Object.keys(session.fields));
          return super.create(session, options);
        }
        override commit(key: Key, change: Change) {
          return super.commit(
            key,
            change.clear === true ? { ...change, clear: false, remove: known.get(key) } : change,
          );
        }
      })();
    },
    breaks: "clear removes every field there is now, also one that another request added",
  },
  {
    fault: "version that stands still",
    create: () =>
      new (class extends Breakable {
        override commit(key: Key, change: Change) {
          const answer = super.commit(key, change);
          return answer.ok ? { ...answer, version: 1 } : answer;
        }
      })(),
    breaks: "the version rises by one with each change of data, and load answers the same",
  },
  {
    fault: "texts that go through a JSON column",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          return super.create({ ...session, fields: mapped(session.fields, normalised) }, options);
        }
      })(),
    breaks: "a text comes back as it went in, character for character",
  },
  {
    fault: "names that are looked up on the prototype",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          const fields = Object.fromEntries(Object.entries(session.fields).filter(([name]) => !(name in {})));
          return super.create({ ...session, fields }, options);
        }
      })(),
    breaks: "a field may have any name, and names differ in every character",
  },
  {
    fault: "keys without regard to case",
    create: () =>
      new (class extends Breakable {
        override load(key: Key, now: number) {
          return super.load(key.toLowerCase(), now);
        }
        override create(session: NewSession, options: CreateOptions) {
          return super.create({ ...session, key: session.key.toLowerCase() }, options);
        }
      })(),
    breaks: "keys differ in every character, and in its case",
  },
  {
    fault: "instants in whole seconds",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          return super.create({ ...session, expiresAt: Math.floor(session.expiresAt / 1000) * 1000 }, options);
        }
      })(),
    breaks: "create makes a record that load answers exactly",
  },
  {
    fault: "create that overwrites",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          const answer = super.create(session, options);
          if (answer.ok) return answer;
          this.force(session, options.now);
          return { ok: true, evicted: [] } as const;
        }
      })(),
    breaks: "create refuses a key that holds a record, and leaves that as it is",
  },
  {
    fault: "create that takes a tombstone for a free key",
    create: () =>
      new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          if (super.load(session.key, options.now)?.kind === "tombstone") super.sweep(Infinity, Infinity);
          return super.create(session, options);
        }
      })(),
    breaks: "create refuses a key under which a tombstone or an alias stands",
  },
  {
    fault: "load that hands out the live object",
    create: () => {
      const live = new Map<Key, Record<string, string>>();
      return new (class extends Breakable {
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          if (found?.kind !== "session") return found;
          const fields = live.get(key) ?? { ...found.fields };
          live.set(key, fields);
          return { ...found, fields };
        }
        override commit(key: Key, change: Change) {
          const answer = super.commit(key, change);
          const fields = live.get(key);
          if (fields !== undefined) {
            for (const name of Object.keys(fields)) delete fields[name];
            Object.assign(fields, this.record(key)?.fields);
          }
          return answer;
        }
      })();
    },
    breaks: "what load handed out does not change afterwards",
  },
  {
    fault: "renew that makes a record",
    create: () =>
      new (class extends Breakable {
        override renew(key: Key, at: RenewAt) {
          if (super.load(key, at.now) === null) this.revive(key, {}, at.now);
          return super.renew(key, at);
        }
      })(),
    breaks: "renew makes no record",
  },
  {
    fault: "renew that brings back what was destroyed",
    create: () =>
      new (class extends Breakable {
        override renew(key: Key, at: RenewAt) {
          if (super.load(key, at.now)?.kind === "tombstone") this.revive(key, {}, at.now);
          return super.renew(key, at);
        }
      })(),
    breaks: "renew never brings a destroyed or expired record back",
  },
  {
    fault: "renew that writes the data it knows",
    create: () =>
      new (class extends Breakable {
        override renew(key: Key, at: RenewAt) {
          return super.commit(key, { operation: "renew", ...at, set: this.record(key)?.fields }).ok;
        }
      })(),
    breaks: "renew moves last use and deadline and nothing else",
  },
  {
    fault: "renew that shortens",
    create: () => {
      const deadlines = new Map<Key, number>();
      return new (class extends Breakable {
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          return found?.kind === "session" ? { ...found, expiresAt: deadlines.get(key) ?? found.expiresAt } : found;
        }
        override renew(key: Key, at: RenewAt) {
          deadlines.set(key, at.expiresAt);
          return super.renew(key, at);
        }
      })();
    },
    breaks: "renew never moves last use or deadline back",
  },
  {
    fault: "destroy without a tombstone",
    create: () =>
      new (class extends Breakable {
        override destroy(key: Key, at: DestroyAt) {
          return super.destroy(key, { ...at, tombstoneUntil: at.now });
        }
      })(),
    breaks: "destroy ends a record and leaves a tombstone for as long as it was told",
  },
  {
    fault: "destroy that always says yes",
    create: () =>
      new (class extends Breakable {
        override destroy(key: Key, at: DestroyAt) {
          super.destroy(key, at);
          return true;
        }
      })(),
    breaks: "destroy answers false where nothing is alive",
  },
  {
    fault: "destroy that ends at an alias",
    create: () =>
      new (class extends Breakable {
        override destroy(key: Key, at: DestroyAt) {
          return super.load(key, at.now)?.kind === "alias" ? false : super.destroy(key, at);
        }
      })(),
    breaks: "destroy through an alias ends the record behind it, also behind a second one",
  },
  {
    fault: "sweep that removes what is alive",
    create: () =>
      new (class extends Breakable {
        override sweep(now: number, limit: number) {
          return super.sweep(now + HOUR, limit);
        }
      })(),
    breaks: "sweep never removes what is alive",
  },
  {
    fault: "sweep that knows the deadline of the creation alone",
    create: () => {
      const deadlines = new Map<Key, number>();
      return new (class extends Breakable {
        override create(session: NewSession, options: CreateOptions) {
          deadlines.set(session.key, session.expiresAt);
          return super.create(session, options);
        }
        override sweep(now: number, limit: number) {
          for (const [key, deadline] of deadlines) {
            if (deadline <= now) super.destroy(key, { now, tombstoneUntil: now });
          }
          return super.sweep(now, limit);
        }
      })();
    },
    breaks: "sweep never removes what is alive",
  },
  {
    fault: "sweep without a limit",
    create: () =>
      new (class extends Breakable {
        override sweep(now: number, _limit: number) {
          return super.sweep(now, Infinity);
        }
      })(),
    breaks: "sweep removes as many as it is told at most, and the rest the next time",
  },
  {
    fault: "sweep that forgets tombstones",
    create: () =>
      new (class extends Breakable {
        readonly #ended = new Map<Key, number>();
        override destroy(key: Key, at: DestroyAt) {
          this.#ended.set(key, at.tombstoneUntil);
          return super.destroy(key, { ...at, tombstoneUntil: Infinity });
        }
        override load(key: Key, now: number) {
          const found = super.load(key, now);
          return found?.kind === "tombstone" && (this.#ended.get(key) ?? now) <= now ? null : found;
        }
      })(),
    breaks: "sweep removes records, tombstones and aliases past their deadline, and answers how many",
  },
];
