import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bind, Change, Key, Leave, SessionStore } from "../../src/core/session-store.ts";
import { MemoryRecords } from "../../src/stores/memory-records.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";

/**
 * The same random calls go to `SqliteStore` and to the memory store, an independent implementation of the contract.
 * Keys, fields and users are few, so that calls meet. Instants are in milliseconds from the call's own.
 */
const KEYS = ["k0", "k1", "k2", "k3", "k4", "k5"];
const USERS = ["ann", "bob \ud83d"];

type Data = Record<string, string>;
type Changed = Pick<Change, "expect" | "clear" | "remove" | "set" | "lastUsedAt" | "expiresAt">;
type Call =
  | { verb: "create"; key: Key; fields: Data; life: number; bind: Bind | null }
  | { verb: "commit"; key: Key; change: Changed }
  | { verb: "renew"; key: Key; used: number; life: number }
  | {
      verb: "rotate";
      key: Key;
      to: Key;
      change: Changed;
      createdAt: number | null;
      alias: boolean;
      bind: Bind | null;
      unbind: boolean;
    }
  | { verb: "destroy"; key: Key }
  | { verb: "revokeHandle"; key: Key }
  | { verb: "revokeUser"; userId: string; except: Key | null }
  | { verb: "sweep"; limit: number };

const key = fc.constantFrom(...KEYS);
const userId = fc.constantFrom(...USERS);
const name = fc.constantFrom("a", "b", "ünïcode", "with\0zero", "lone\ud800half");
const text = fc.constantFrom('"1"', "2", "not json", "", "a\x1fb", "\x1e", "\udc00", "🙂");
const fields = fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true });
const life = fc.integer({ min: -5, max: 400 });
const bind: fc.Arbitrary<Bind> = fc.record(
  {
    userId,
    metadata: fc.constant({ device: "phone" }),
    maxAge: fc.constantFrom(null, 60),
    since: fc.integer({ min: 0, max: 9 }),
    cap: fc.record({
      max: fc.integer({ min: 1, max: 2 }),
      policy: fc.constantFrom("evict-oldest", "evict-idle", "reject"),
    }),
  },
  { requiredKeys: ["userId", "metadata", "maxAge"] },
);
const change: fc.Arbitrary<Changed> = fc.record(
  {
    expect: fc.dictionary(name, fc.option(text), { maxKeys: 1, noNullPrototype: true }),
    clear: fc.boolean(),
    remove: fc.array(name, { maxLength: 2 }),
    set: fields,
    lastUsedAt: life,
    expiresAt: life,
  },
  { requiredKeys: [] },
);
const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ verb: fc.constant("create"), key, fields, life, bind: fc.option(bind, { freq: 2 }) }),
  },
  { weight: 6, arbitrary: fc.record({ verb: fc.constant("commit"), key, change }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("renew"), key, used: life, life }) },
  {
    weight: 6,
    arbitrary: fc.record({
      verb: fc.constant("rotate"),
      key,
      to: key,
      change,
      createdAt: fc.option(life),
      alias: fc.boolean(),
      bind: fc.option(bind, { freq: 3 }),
      unbind: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("destroy"), key }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("revokeHandle"), key }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("revokeUser"), userId, except: fc.option(key) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("sweep"), limit: fc.integer({ min: 0, max: 3 }) }) },
);

type Store = Required<Omit<SessionStore, "lock" | "watch" | "ping" | "close">>;

function apply(store: Store, call: Call, now: number, n: number): unknown {
  const operation = `o${n}`;
  const at = { now, tombstoneUntil: now + 30 };
  switch (call.verb) {
    case "create": {
      const { key, fields, life, bind } = call;
      const record = { key, fields, createdAt: now, lastUsedAt: now, expiresAt: now + life, handle: `h${n}` };
      return store.create(record, { operation, now, ...(bind === null ? {} : { bind }) });
    }
    case "commit":
      return store.commit(call.key, { operation, now, ...from(now, call.change) });
    case "renew":
      return store.renew(call.key, { now, lastUsedAt: now + call.used, expiresAt: now + call.life });
    case "rotate": {
      const { key, to, createdAt, bind, unbind } = call;
      const expiresAt = now + 40;
      const leave: Leave = call.alias
        ? { kind: "alias", to, sealedId: `sealed${n}`, expiresAt }
        : { kind: "tombstone", reason: "rotated", expiresAt };
      const change = { operation, now, ...from(now, { ...call.change, ...(createdAt === null ? {} : { createdAt }) }) };
      return store.rotate(key, to, change, { leave, ...(bind !== null || unbind ? { bind } : {}) });
    }
    case "destroy":
      return store.destroy(call.key, at);
    case "revokeHandle": {
      const found = store.load(call.key, now);
      // The memory store finds the handles of bound sessions only.
      const handle = found !== null && "binding" in found && found.binding !== null ? found.handle : "nobody";
      return store.revokeHandle(handle, at);
    }
    case "revokeUser": {
      const { userId, except } = call;
      const revoked = store.revokeUser(userId, { ...at, ...(except === null ? {} : { except }) });
      return "keys" in revoked ? { ...revoked, keys: revoked.keys.toSorted() } : revoked;
    }
    case "sweep":
      store.sweep(now, call.limit);
      return undefined;
  }
}

function from(now: number, change: Changed & { createdAt?: number }): Changed & { createdAt?: number } {
  const instants = (["createdAt", "lastUsedAt", "expiresAt"] as const).flatMap((instant) => {
    const distance = change[instant];
    return distance === undefined ? [] : [[instant, now + distance] as const];
  });
  return { ...change, ...Object.fromEntries(instants) };
}

/** Everything a caller can see. A record past its deadline may be there or swept. */
function visible(store: Store, now: number): unknown {
  const records = KEYS.map((key) => store.load(key, now)).map((found) => {
    return found === null || (found as { expiresAt: number }).expiresAt <= now ? null : found;
  });
  const users = USERS.map((userId) => {
    const handles: unknown[] = [];
    for (let after: string | null = null; ;) {
      const page = store.listByUser(userId, { now, after, limit: 2 }) as Awaited<ReturnType<Store["listByUser"]>>;
      handles.push(...page.sessions);
      if (page.after === null) return { generation: store.generation(userId), handles };
      ({ after } = page);
    }
  });
  return { records, users };
}

test("answers what the memory store answers, and keeps what it keeps, for random calls", () => {
  const seen = new Set<string>();
  const calls = fc.array(fc.tuple(call, fc.integer({ min: 1, max: 9 })), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(calls, (calls) => {
      const sqlite = new SqliteStore(":memory:");
      const memory = new MemoryRecords(1_000_000, Infinity);
      let now = Date.UTC(2030, 0, 1);
      for (const [n, [call, pause]] of calls.entries()) {
        now += pause;
        const answer = apply(sqlite, call, now, n);
        expect(answer).toEqual(apply(memory, call, now, n));
        expect(visible(sqlite, now)).toEqual(visible(memory, now));
        seen.add(`${call.verb}: ${summary(answer)}`);
      }
      void sqlite.close();
    }),
    { seed: 20261123, numRuns: 60 },
  );
  const refusals = ["gone", "moved", "conflict", "duplicate", "rejected cap", "rejected revoked"];
  expect([...seen]).toEqual(
    expect.arrayContaining([
      ...["ok", "evicted", "duplicate", "rejected cap", "rejected revoked"].map((answer) => `create: ${answer}`),
      ...["ok", "gone", "moved", "conflict"].map((answer) => `commit: ${answer}`),
      ...["ok", "evicted", ...refusals].map((answer) => `rotate: ${answer}`),
      ...["renew: true", "renew: false", "destroy: true", "destroy: false", "revokeHandle: string", "revokeUser: 2"],
    ]),
  );
});

/** The kind of an answer: the test is worth something only if all kinds came. */
function summary(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return typeof answer === "string" ? "string" : String(answer);
  if ("keys" in answer) return String((answer.keys as Key[]).length);
  if ("reason" in answer) return "why" in answer ? `${answer.reason} ${answer.why}` : String(answer.reason);
  return "evicted" in answer && (answer.evicted as Key[]).length > 0 ? "evicted" : "ok";
}
