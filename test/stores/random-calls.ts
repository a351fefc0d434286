import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { Key, Leave, SessionPage } from "../../src/core/session-record.ts";
import type { Bind, Change, SessionStore } from "../../src/core/session-store.ts";
import type { Awaitable } from "../../src/core/units.ts";
import { MemoryRecords } from "../../src/stores/memory-records.ts";

/** Keys, fields and users are few, so that calls meet. Instants are in milliseconds from the call's own. */
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
const plainBind = fc.record({
  userId,
  metadata: fc.constant({ device: "phone" }),
  maxAge: fc.constantFrom(null, 60),
});
const indexedBind: fc.Arbitrary<Bind> = fc
  .tuple(
    plainBind,
    fc.record(
      {
        since: fc.integer({ min: 0, max: 9 }),
        cap: fc.record({
          max: fc.integer({ min: 1, max: 2 }),
          policy: fc.constantFrom("evict-oldest", "evict-idle", "reject"),
          tombstoneUntil: fc.constant(Date.UTC(2030, 0, 1) + 200),
        }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([plain, indexed]) => ({ ...plain, ...indexed }));
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
function callsOf(userIndex: boolean): fc.Arbitrary<Call> {
  const bind: fc.Arbitrary<Bind> = userIndex ? indexedBind : plainBind;
  const create = fc.record({ verb: fc.constant("create"), key, fields, life, bind: fc.option(bind, { freq: 2 }) });
  const rotate = fc.record({
    verb: fc.constant("rotate"),
    key,
    to: key,
    change,
    createdAt: fc.option(life),
    alias: fc.boolean(),
    bind: fc.option(bind, { freq: 3 }),
    unbind: fc.boolean(),
  });
  return fc.oneof(
    { weight: 9, arbitrary: create },
    { weight: 6, arbitrary: fc.record({ verb: fc.constant("commit"), key, change }) },
    { weight: 2, arbitrary: fc.record({ verb: fc.constant("renew"), key, used: life, life }) },
    { weight: 6, arbitrary: rotate },
    { weight: 2, arbitrary: fc.record({ verb: fc.constant("destroy"), key }) },
    { weight: 1, arbitrary: fc.record({ verb: fc.constant("sweep"), limit: fc.integer({ min: 0, max: 3 }) }) },
    ...(userIndex
      ? [
          { weight: 1, arbitrary: fc.record({ verb: fc.constant("revokeHandle"), key }) },
          { weight: 1, arbitrary: fc.record({ verb: fc.constant("revokeUser"), userId, except: fc.option(key) }) },
        ]
      : []),
  );
}

async function apply(store: SessionStore, call: Call, now: number, n: number): Promise<unknown> {
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
      const found = await store.load(call.key, now);
      // The memory store finds the handles of bound sessions only.
      const handle = found !== null && "binding" in found && found.binding !== null ? found.handle : "nobody";
      return store.revokeHandle?.(handle, at);
    }
    case "revokeUser": {
      const { userId, except } = call;
      const revoked = await store.revokeUser?.(userId, { ...at, ...(except === null ? {} : { except }) });
      return revoked && { ...revoked, keys: revoked.keys.toSorted() };
    }
    case "sweep":
      await store.sweep?.(now, call.limit);
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
async function visible(store: SessionStore, now: number, userIndex: boolean): Promise<unknown> {
  const seen: unknown[] = [];
  for (const key of KEYS) {
    const found = await store.load(key, now);
    seen.push(found === null || found.expiresAt <= now ? null : found);
  }
  for (const userId of userIndex ? USERS : []) {
    seen.push(await store.generation?.(userId));
    let page: SessionPage | undefined;
    do {
      page = await store.listByUser?.(userId, { now, after: page?.after ?? null, limit: 2 });
      seen.push(page?.sessions);
    } while (page !== undefined && page.after !== null);
  }
  return seen;
}

/** `expect` alone takes most of the time of these tests. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

/** The kind of an answer. */
function summary(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return typeof answer === "string" ? "string" : String(answer);
  if ("keys" in answer) return String((answer.keys as Key[]).length);
  if ("reason" in answer) return [answer.reason, "why" in answer ? answer.why : ""].join(" ").trim();
  return "evicted" in answer && (answer.evicted as Key[]).length > 0 ? "evicted" : "ok";
}

/**
 * Sends the same random calls to a store and to the memory store, which is an independent implementation of the
 * contract, and expects the same answers and the same records after each.
 *
 * @returns the kinds of answers that came: a test is worth something only if all did
 */
export async function expectSameAsMemory(
  createStore: () => Awaitable<SessionStore>,
  options: { readonly userIndex: boolean; readonly runs: number },
): Promise<string[]> {
  const seen = new Set<string>();
  const { userIndex, runs } = options;
  const steps = fc.tuple(callsOf(userIndex), fc.integer({ min: 1, max: 9 }));
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 60, maxLength: 60 }), async (steps) => {
      const store = await createStore();
      const memory = new MemoryRecords(1_000_000, Infinity);
      let now = Date.UTC(2030, 0, 1);
      for (const [n, [call, pause]] of steps.entries()) {
        now += pause;
        const answer = await apply(store, call, now, n);
        expectSame(answer, await apply(memory, call, now, n));
        expectSame(await visible(store, now, userIndex), await visible(memory, now, userIndex));
        seen.add(`${call.verb}: ${summary(answer)}`);
      }
      await store.close?.();
    }),
    { seed: 20261123, numRuns: runs },
  );
  return [...seen];
}
