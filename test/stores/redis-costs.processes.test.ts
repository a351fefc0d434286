import { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { newOperation } from "../../src/core/session-id.ts";
import type { Key } from "../../src/core/session-record.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type Connected, singleClients } from "../support/redis-clients.ts";
import { RedisServer } from "../support/redis-server.ts";
import { fieldsOf, HOUR, make, newSession, set } from "../support/redis-sessions.ts";

let server: RedisServer;
let proxy: CuttingProxy;

beforeAll(async () => {
  server = await RedisServer.start();
  proxy = await CuttingProxy.before(server.port);
});

afterAll(async () => {
  await proxy.close();
  await server.stop();
});

describe.each(Object.entries(singleClients))("with %s", (_name, connect) => {
  let connected: Connected;
  let store: RedisStore;

  beforeAll(async () => {
    connected = await connect(proxy.port);
    store = new RedisStore(connected.client);
    // The first call of each script teaches it to the server.
    await everyVerb((_verb, call) => call());
    await endByName();
  });

  afterAll(() => connected.close());

  /** Calls each verb once with what makes it work. */
  async function everyVerb(measure: (verb: string, call: () => Promise<unknown>) => Promise<unknown>): Promise<void> {
    const now = Date.now();
    const at = { now, tombstoneUntil: now + HOUR };
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + HOUR } as const;
    const bind = { userId: "ann", metadata: {}, maxAge: null };
    const capped = { ...bind, cap: { max: 2, policy: "evict-oldest", tombstoneUntil: now + HOUR } } as const;
    const visitor = newSession();
    const session = newSession("ann");
    const change = (): { operation: string; now: number } => ({ operation: newOperation(), now });
    await measure("create", async () => store.create(visitor, change()));
    await measure("create, bound and capped", async () => store.create(session, { ...change(), bind: capped }));
    await measure("load", async () => store.load(session.key, now));
    await measure("commit", async () =>
      store.commit(session.key, { ...change(), set: { a: "1" }, expiresAt: now + 2 * HOUR }),
    );
    await measure("a conflict", async () => store.commit(session.key, { ...change(), expect: { a: "2" } }));
    await measure("renew", async () =>
      store.renew(session.key, { now, lastUsedAt: now + 1, expiresAt: now + 9 * HOUR }),
    );
    const fresh = newSession("ann").key;
    await measure("rotate, a login", async () => store.rotate(visitor.key, fresh, change(), { leave, bind: capped }));
    await measure("listByUser", async () => store.listByUser("ann", { now, limit: 10 }));
    await measure("generation", async () => store.generation("ann"));
    await measure("revokeHandle of nobody", async () => store.revokeHandle("nobody", at));
    await measure("lock", async () => store.lock(fresh, { now, lease: 1000 }));
    await measure("destroy", async () => store.destroy(fresh, at));
    await measure("revokeUser", async () => store.revokeUser("ann", at));
  }

  async function endByName(): Promise<void> {
    const session = newSession("ann");
    const bind = { userId: "ann", metadata: {}, maxAge: null };
    await store.create(session, { operation: newOperation(), now: Date.now(), bind });
    const at = { now: Date.now(), tombstoneUntil: Date.now() + HOUR };
    proxy.resetCounts();
    expect(await store.revokeHandle(session.handle, at)).toBe(session.key);
  }

  test("every verb is one round trip, and ending a session by its public name is two", async () => {
    const trips: Record<string, number> = {};
    await everyVerb(async (verb, call) => {
      proxy.resetCounts();
      await call();
      trips[verb] = proxy.counts.roundTrips;
    });
    expect(Object.entries(trips).filter(([, count]) => count !== 1)).toEqual([]);
    expect(Object.keys(trips)).toHaveLength(13);
    await endByName();
    expect(proxy.counts.roundTrips).toBe(2);
  });

  test("calls of parallel requests share one connection and do not wait for each other", async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, () => make(store, undefined, { a: "1" })));
    proxy.resetCounts();
    proxy.delay(20);
    const found = await Promise.all(keys.map((key) => fieldsOf(store, key)));
    proxy.delay(0);
    expect(found.every((fields) => fields?.["a"] === "1")).toBe(true);
    expect(proxy.counts.connections).toBe(0);
    expect(proxy.counts.roundTrips).toBeLessThan(10);
  });

  test("calls of one turn leave in one packet", async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, () => make(store, undefined, { a: "1" })));
    const writes = [vi.spyOn(Socket.prototype, "_write"), vi.spyOn(Socket.prototype, "_writev" as "_write")];
    await Promise.all(keys.map((key) => fieldsOf(store, key)));
    const sent = writes
      .flatMap((spy) => spy.mock.contexts)
      .filter((socket) => (socket as Socket).remotePort === proxy.port);
    for (const spy of writes) spy.mockRestore();
    expect(sent).toHaveLength(1);
  });
});

describe("a user of ten thousand sessions", () => {
  test("is listed in pages and revoked while others are served", async () => {
    const connected = await (singleClients["ioredis 6"] as (typeof singleClients)[string])(server.port);
    const store = new RedisStore(connected.client);
    const made: Key[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      made.push(...(await Promise.all(Array.from({ length: 500 }, () => make(store, "many")))));
    }
    const handles = new Set<string>();
    for (let after: string | null = null, pages = 0; pages === 0 || after !== null; pages += 1) {
      const page: Awaited<ReturnType<typeof store.listByUser>> = await store.listByUser("many", {
        now: Date.now(),
        after,
        limit: 1000,
      });
      for (const { handle } of page.sessions) handles.add(handle);
      after = page.after;
    }
    expect(handles.size).toBe(10_000);
    const other = await make(store, undefined, { n: "0" });
    const at = { now: Date.now(), tombstoneUntil: Date.now() + HOUR };
    const state = { done: false };
    const revoking = store.revokeUser("many", at).finally(() => (state.done = true));
    let served = 0;
    for (; !state.done; served += 1) await set(store, other, { n: String(served) });
    const { keys } = await revoking;
    expect(keys.toSorted()).toEqual(made.toSorted());
    // It takes fifty calls, and each lets others in between.
    expect(served).toBeGreaterThanOrEqual(10);
    connected.close();
  });

  test("is revoked also where the index has lost a session, or all", async () => {
    const connected = await (singleClients["ioredis 6"] as (typeof singleClients)[string])(server.port);
    const store = new RedisStore(connected.client, { prefix: "lost:" });
    const key = await make(store, "ann", { a: "1" });
    const indexes = await server.command("KEYS lost:*:u:ann");
    await server.command(`DEL ${indexes.split("\r\n")[2]}`);
    const at = { now: Date.now(), tombstoneUntil: Date.now() + HOUR };
    expect((await store.revokeUser("ann", at)).keys).toEqual([]);
    expect(await store.load(key, Date.now())).toMatchObject({ kind: "tombstone", reason: "revoked" });
    expect(await set(store, key, { a: "2" })).toEqual({ ok: false, reason: "gone" });
    expect(await store.renew(key, { now: at.now, lastUsedAt: at.now, expiresAt: at.now + HOUR })).toBe(false);
    expect(await store.destroy(key, at)).toBe(false);
    connected.close();
  });

  test("leaves nothing behind that never expires but the user's generation", async () => {
    const connected = await (singleClients["ioredis 6"] as (typeof singleClients)[string])(server.port);
    const store = new RedisStore(connected.client, { prefix: "kept:" });
    const key = await make(store, "ann");
    await make(store, "ann");
    const now = Date.now();
    await store.destroy(key, { now, tombstoneUntil: now + HOUR });
    await store.revokeUser("ann", { now, tombstoneUntil: now + HOUR });
    const listed = (await server.command("KEYS kept:*")).split("\r\n").filter((line) => line.startsWith("kept:"));
    const forever: string[] = [];
    for (const name of listed) if ((await server.command(`PTTL ${name}`)).startsWith(":-1")) forever.push(name);
    expect(listed.length).toBeGreaterThan(3);
    expect(forever).toEqual([expect.stringMatching(/^kept:\{...\}:g:ann$/)]);
    connected.close();
  });
});
