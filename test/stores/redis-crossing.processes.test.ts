import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hashedKey, newId, newOperation, userTag } from "../../src/core/session-id.ts";
import type { Key, Leave } from "../../src/core/session-record.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { type IoredisClient, RedisStore } from "../../src/stores/redis.ts";
import { clusterClients, type Connected } from "../support/redis-clients.ts";
import { RedisCluster } from "../support/redis-cluster.ts";
import { codeOf, fieldsOf, HOUR, make, newSession, set } from "../support/redis-sessions.ts";

/** Calls to Redis of one login across slots, in their order. */
type Step = "take" | "copy" | "retire";
const STEPS: readonly Step[] = ["take", "copy", "retire"];

let cluster: RedisCluster;
let connected: Connected;
let store: RedisStore;
/** What happens before a step of the next login, each once. */
let before: Partial<Record<Step, () => unknown>>;
let calls: number;
/** Like `store`, but what `before` has happens in between. */
let disturbed: RedisStore;

beforeAll(async () => {
  cluster = await RedisCluster.start();
  const connect = clusterClients["ioredis 6"] as (typeof clusterClients)[string];
  connected = await connect(cluster.ports);
  store = new RedisStore(connected.client);
  disturbed = new RedisStore(interrupted(connected.client as IoredisClient));
});

beforeEach(() => {
  before = {};
  calls = 0;
});

afterEach(() => {
  expect(Object.keys(before), "what did not happen").toEqual([]);
});

afterAll(async () => {
  connected.close();
  await cluster.stop();
});

/** The client, with something done before each of its calls. */
function interrupted(client: IoredisClient): IoredisClient {
  const evalsha: IoredisClient["evalsha"] = async (...given) => {
    const act = before[STEPS[calls] as Step];
    delete before[STEPS[calls] as Step];
    calls += 1;
    await act?.();
    return client.evalsha(...given);
  };
  const rest = { eval: client.eval.bind(client), isCluster: true, duplicate: client.duplicate.bind(client) };
  return { ...rest, evalsha };
}

function keyOf(user: string): Key {
  return hashedKey("sid", newId(userTag(user)));
}

let users = 0;

/** A visitor who logs in. */
async function login(
  by: SessionStore,
  key: Key,
  leave: Leave = { kind: "tombstone", reason: "rotated", expiresAt: Date.now() + HOUR },
): Promise<{ user: string; fresh: Key; again: () => ReturnType<SessionStore["rotate"]>; answer: unknown }> {
  const user = `user ${(users += 1)}`;
  const fresh = keyOf(user);
  const now = Date.now();
  const change = { operation: newOperation(), now, createdAt: now, expiresAt: now + HOUR, set: { login: "1" } };
  const bind = { userId: user, metadata: {}, maxAge: null, since: 0 };
  const again = (): ReturnType<SessionStore["rotate"]> => by.rotate(key, fresh, change, { leave, bind });
  return { user, fresh, again, answer: await again() };
}

async function handles(user: string): Promise<number> {
  return (await store.listByUser(user, { now: Date.now(), limit: 10 })).sessions.length;
}

describe("a login whose record moves to another slot", () => {
  test("takes along what was written while it was under way, and writes it once", async () => {
    const key = await make(store, undefined, { a: "1" });
    before.retire = () => set(store, key, { late: "1" });
    const { fresh, answer, user, again } = await login(disturbed, key);
    expect(answer).toEqual({ ok: true, version: 3, evicted: [] });
    expect(await fieldsOf(store, fresh)).toEqual({ a: "1", late: "1", login: "1" });
    expect((await store.load(key, Date.now()))?.kind).toBe("tombstone");
    expect(await handles(user)).toBe(1);
    expect(await again()).toEqual(answer);
    expect(await fieldsOf(store, fresh)).toEqual({ a: "1", late: "1", login: "1" });
  });

  test.each(["copy", "retire"] as const)("ends with the session that is logged out before its %s", async (step) => {
    const key = await make(store);
    before[step] = () => store.destroy(key, { now: Date.now(), tombstoneUntil: Date.now() + HOUR });
    const { fresh, answer, user } = await login(disturbed, key);
    expect(answer).toEqual({ ok: false, reason: "gone" });
    expect([await fieldsOf(store, fresh), await handles(user)]).toEqual([null, 0]);
  });

  test("is refused when the user is revoked meanwhile, and the visitor stays one", async () => {
    const key = await make(store, undefined, { a: "1" });
    const next = `user ${users + 1}`;
    before.retire = async () => {
      await set(store, key, { late: "1" });
      await store.revokeUser(next, { now: Date.now(), tombstoneUntil: Date.now() + HOUR });
    };
    const { fresh, answer, user } = await login(disturbed, key);
    expect(user).toBe(next);
    expect(answer).toEqual({ ok: false, reason: "rejected", why: "revoked" });
    expect([await fieldsOf(store, fresh), await handles(user)]).toEqual([null, 0]);
    expect(await fieldsOf(store, key)).toEqual({ a: "1", late: "1" });
  });

  test("is over when the user is revoked after its copy was made", async () => {
    const key = await make(store);
    const next = `user ${users + 1}`;
    before.retire = () => store.revokeUser(next, { now: Date.now(), tombstoneUntil: Date.now() + HOUR });
    const { fresh } = await login(disturbed, key);
    expect([await fieldsOf(store, fresh), await fieldsOf(store, key), await handles(next)]).toEqual([null, null, 0]);
  });

  test.each(STEPS)(
    "leaves the visitor's session alive when its process dies before its %s, and can be repeated",
    async (step) => {
      const key = await make(store, undefined, { a: "1" });
      before[step] = () => {
        throw new Error("the connection broke");
      };
      const user = `user ${(users += 1)}`;
      const [fresh, now] = [keyOf(user), Date.now()];
      const change = { operation: newOperation(), now, createdAt: now, expiresAt: now + HOUR, set: { login: "1" } };
      const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + HOUR } as const;
      const options = { leave, bind: { userId: user, metadata: {}, maxAge: null } };
      expect(await codeOf(disturbed.rotate(key, fresh, change, options))).toMatch(/^ERR_SESSION_STORE/);
      expect((await set(store, key, { b: "1" })).ok).toBe(true);
      expect(await store.rotate(key, fresh, change, options)).toMatchObject({ ok: true });
      expect(await fieldsOf(store, fresh)).toEqual({ a: "1", b: "1", login: "1" });
      expect(await handles(user)).toBe(1);
    },
  );

  test("comes through while others write without pause, and loses no write that was acknowledged", async () => {
    const key = await make(store);
    const state = { stop: false };
    const acknowledged: string[] = [];
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let round = 0; !state.stop; round += 1) {
        const { ok } = await set(store, key, { [`f${writer} ${round}`]: "1" });
        if (!ok) return;
        acknowledged.push(`f${writer} ${round}`);
      }
    });
    const { fresh, answer } = await login(store, key);
    state.stop = true;
    await Promise.all(writers);
    expect(answer).toMatchObject({ ok: true });
    expect(Object.keys((await fieldsOf(store, fresh)) ?? {})).toEqual(expect.arrayContaining(acknowledged));
    expect((await store.load(key, Date.now()))?.kind).toBe("tombstone");
  });

  test("withholds a record that is written to all the time, and gives it to the same call again", async () => {
    const key = await make(store);
    const [user, now] = [`user ${(users += 1)}`, Date.now()];
    const fresh = keyOf(user);
    const client = connected.client as IoredisClient;
    const evalsha: IoredisClient["evalsha"] = async (...given) => {
      calls += 1;
      // Calls are: take, then copy and retire by turns; each retire comes just after another write.
      if (calls % 2 === 1 && calls > 1 && calls < 10) await set(store, key, { [`late ${calls}`]: "1" });
      if (calls === 10) throw new Error("the connection broke");
      return client.evalsha(...given);
    };
    const rest = { eval: client.eval.bind(client), isCluster: true, duplicate: client.duplicate.bind(client) };
    const breaking = new RedisStore({ ...rest, evalsha });
    const change = { operation: newOperation(), now, createdAt: now, expiresAt: now + HOUR, set: { login: "1" } };
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + HOUR } as const;
    const options = { leave, bind: { userId: user, metadata: {}, maxAge: null } };
    expect(await codeOf(breaking.rotate(key, fresh, change, options))).toMatch(/^ERR_SESSION_STORE/);
    // The rotation is past its instant: nobody writes there any more.
    expect(await set(store, key, { tooLate: "1" })).toEqual({ ok: false, reason: "gone" });
    expect(await store.rotate(key, fresh, change, options)).toMatchObject({ ok: true });
    const late = { "late 3": "1", "late 5": "1", "late 7": "1", "late 9": "1" };
    expect(await fieldsOf(store, fresh)).toEqual({ ...late, login: "1" });
    expect(await store.rotate(key, fresh, change, options)).toMatchObject({ ok: true });
  });

  test.each(STEPS)("is one login also when its %s arrives twice, as clients send again after a break", async (step) => {
    const user = `user ${(users += 1)}`;
    const earlier = await make(store, user);
    const key = await make(store, undefined, { a: "1" });
    const [fresh, now] = [keyOf(user), Date.now()];
    const change = { operation: newOperation(), now, createdAt: now, expiresAt: now + HOUR, set: { login: "1" } };
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + HOUR } as const;
    const cap = { max: 1, policy: "evict-oldest", tombstoneUntil: now + HOUR } as const;
    const client = connected.client as IoredisClient;
    const evalsha: IoredisClient["evalsha"] = async (...given) => {
      if (STEPS[(calls += 1) - 1] === step) await client.evalsha(...given);
      return client.evalsha(...given);
    };
    const rest = { eval: client.eval.bind(client), isCluster: true, duplicate: client.duplicate.bind(client) };
    const twice = new RedisStore({ ...rest, evalsha });
    const answer = await twice.rotate(key, fresh, change, {
      leave,
      bind: { userId: user, metadata: {}, maxAge: null, cap },
    });
    expect(answer).toEqual({ ok: true, version: 2, evicted: [earlier] });
    expect(await fieldsOf(store, fresh)).toEqual({ a: "1", login: "1" });
    expect(await handles(user)).toBe(1);
  });

  test("acknowledges no write that a withheld record's copy would lose", async () => {
    const key = await make(store);
    const [user, now] = [`user ${(users += 1)}`, Date.now()];
    const fresh = keyOf(user);
    const leave = { kind: "alias", to: fresh, sealedId: "sealed", expiresAt: now + HOUR } as const;
    const client = connected.client as IoredisClient;
    const acknowledged: string[] = [];
    const evalsha: IoredisClient["evalsha"] = async (...given) => {
      calls += 1;
      // As above: the tenth call is the copy of what the fourth retire withheld.
      if ((calls % 2 === 1 && calls > 1 && calls < 10) || calls === 10) {
        const answer = await set(store, key, { [`late ${calls}`]: "1" });
        const followed =
          !answer.ok && answer.reason === "moved" ? await set(store, answer.to, { [`late ${calls}`]: "1" }) : answer;
        if (followed.ok) acknowledged.push(`late ${calls}`);
      }
      // The client sends the fourth retire again, whose answer was lost.
      if (calls === 9) await client.evalsha(...given);
      return client.evalsha(...given);
    };
    const rest = { eval: client.eval.bind(client), isCluster: true, duplicate: client.duplicate.bind(client) };
    const busy = new RedisStore({ ...rest, evalsha });
    const change = { operation: newOperation(), now, createdAt: now, expiresAt: now + HOUR };
    const answer = await busy.rotate(key, fresh, change, { leave, bind: { userId: user, metadata: {}, maxAge: null } });
    expect(answer).toMatchObject({ ok: true });
    expect(Object.keys((await fieldsOf(store, fresh)) ?? {})).toEqual(expect.arrayContaining(acknowledged));
    expect(await store.load(key, Date.now())).toMatchObject(leave);
  });

  test("moves a user's session to another user's slot and list", async () => {
    const key = await make(store, "first", { a: "1" });
    const { fresh, user } = await login(store, key);
    expect(await fieldsOf(store, fresh)).toEqual({ a: "1", login: "1" });
    expect([await handles("first"), await handles(user)]).toEqual([0, 1]);
  });
});

describe("a sign-in whose public name cannot be written", () => {
  /** The client, whose calls fail as told: by their order. */
  function failing(...failures: (string | undefined)[]): RedisStore {
    const client = connected.client as IoredisClient;
    const evalsha: IoredisClient["evalsha"] = async (...given) => {
      const failure = failures[(calls += 1) - 1];
      if (failure !== undefined) throw new Error(failure);
      return client.evalsha(...given);
    };
    const rest = { eval: client.eval.bind(client), isCluster: true, duplicate: client.duplicate.bind(client) };
    return new RedisStore({ ...rest, evalsha });
  }

  test("is of unknown outcome, since the session is there, and can be repeated", async () => {
    const session = newSession("bob");
    const now = Date.now();
    const options = { operation: newOperation(), now, bind: { userId: "bob", metadata: {}, maxAge: null } };
    const store = failing(undefined, "OOM command not allowed when used memory > 'maxmemory'.");
    expect(await codeOf(store.create(session, options))).toBe("ERR_SESSION_STORE_UNKNOWN");
    expect(await store.create(session, options)).toEqual({ ok: true, evicted: [] });
    expect(await store.revokeHandle(session.handle, { now, tombstoneUntil: now + HOUR })).toBe(session.key);
  });

  test("fails once, where nothing can be written", async () => {
    const session = newSession("bob");
    const options = { operation: newOperation(), now: Date.now(), bind: { userId: "bob", metadata: {}, maxAge: null } };
    const down = "CLUSTERDOWN The cluster is down";
    expect(await codeOf(failing(down, down).create(session, options))).toBe("ERR_SESSION_STORE");
  });
});

test("an id without its user's routing tag is refused before anything happens", async () => {
  const session = newSession();
  const bind = { userId: "ann", metadata: {}, maxAge: null };
  const options = { operation: newOperation(), now: Date.now(), bind };
  // Before there is a call there need not be a promise.
  const refused = async (): Promise<unknown> => store.create(session, options);
  expect(await codeOf(refused())).toBe("ERR_SESSION_UNSUPPORTED");
  const key = await make(store, "ann");
  const leave = { kind: "tombstone", reason: "rotated", expiresAt: Date.now() } as const;
  const change = { operation: newOperation(), now: Date.now() };
  expect(await codeOf(store.rotate(key, newSession().key, change, { leave }))).toBe("ERR_SESSION_UNSUPPORTED");
  expect(await fieldsOf(store, key)).toEqual({});
});
