import { readFileSync } from "node:fs";
import { Redis } from "ioredis6";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newOperation } from "../../src/core/session-id.ts";
import type { Key } from "../../src/core/session-record.ts";
import type { StoreNotice } from "../../src/core/session-store.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { type Connected, singleClients } from "../support/redis-clients.ts";
import { RedisServer, type RedisSettings } from "../support/redis-server.ts";
import { codeOf, fieldsOf, HOUR, make, newSession, set, until } from "../support/redis-sessions.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function serve(settings: RedisSettings = {}): Promise<RedisServer> {
  const server = await RedisServer.start(settings);
  closing.push(() => server.stop());
  return server;
}

async function connect(name: string, port: number): Promise<Connected> {
  const connected = await (singleClients[name] as (typeof singleClients)[string])(port);
  closing.push(() => connected.close());
  return connected;
}

describe.each(["ioredis 6", "node-redis"])("with %s", (name) => {
  test("a server that is killed under load has all it acknowledged when it is back, and so have sessions", async () => {
    const server = await serve({ appendonly: "yes", appendfsync: "always" });
    const { client } = await connect(name, server.port);
    const store = new RedisStore(client);
    const keys = await Promise.all(Array.from({ length: 5 }, () => make(store, "ann")));
    const ended = await make(store, "ann");
    const acknowledged = keys.map(() => new Map<string, string>());
    const state = { stop: false };
    const writers = keys.map(async (key, index) => {
      for (let round = 0; !state.stop; round += 1) {
        const text = `"${round}"`;
        const answer = await set(store, key, { [`f${round % 7}`]: text }).catch(() => null);
        if (answer?.ok) acknowledged[index]?.set(`f${round % 7}`, text);
        else break;
      }
    });
    await until(() => acknowledged.every((fields) => fields.size === 7));
    await store.destroy(ended, { now: Date.now(), tombstoneUntil: Date.now() + HOUR });
    await server.kill();
    state.stop = true;
    await server.start();
    await Promise.all(writers);
    for (const [index, key] of keys.entries()) {
      const fields = await fieldsOf(store, key);
      // A write that was under way may have happened; the one before it did.
      for (const [field, text] of acknowledged[index] ?? []) {
        expect(Number(JSON.parse(fields?.[field] ?? "null"))).toBeGreaterThanOrEqual(Number(JSON.parse(text)));
      }
    }
    expect(await fieldsOf(store, ended)).toBeNull();
    expect((await store.listByUser("ann", { now: Date.now(), limit: 10 })).sessions).toHaveLength(5);
    expect((await set(store, keys[0] as Key, { back: "1" })).ok).toBe(true);
  });

  test("a server that forgets its scripts is taught them again", async () => {
    const server = await serve();
    const { client } = await connect(name, server.port);
    const store = new RedisStore(client);
    const key = await make(store, "ann", { a: "1" });
    await server.command("SCRIPT FLUSH");
    expect(await fieldsOf(store, key)).toEqual({ a: "1" });
    await server.command("SCRIPT FLUSH");
    const answers = await Promise.all([set(store, key, { b: "1" }), set(store, key, { c: "1" })]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, true]);
    expect(await fieldsOf(store, key)).toEqual({ a: "1", b: "1", c: "1" });
  });

  test("a full server refuses writes as such, and goes on reading, logging out and revoking", async () => {
    const server = await serve();
    const { client } = await connect(name, server.port);
    const store = new RedisStore(client);
    const [first, second, third] = [await make(store, "ann", { a: "1" }), await make(store, "ann"), await make(store)];
    await server.command("CONFIG SET maxmemory 1");
    const refused = set(store, first, { a: "2" });
    await expect(refused).rejects.toMatchObject({
      code: "ERR_SESSION_STORE",
      message: expect.stringMatching(/out of memory/) as string,
    });
    expect(await codeOf(make(store, "ann"))).toBe("ERR_SESSION_STORE");
    expect(await fieldsOf(store, first)).toEqual({ a: "1" });
    const at = { now: Date.now(), tombstoneUntil: Date.now() + HOUR };
    expect(await store.destroy(third, at)).toBe(true);
    expect((await store.load(third, Date.now()))?.kind).toBe("tombstone");
    expect((await store.revokeUser("ann", at)).keys.toSorted()).toEqual([first, second].toSorted());
    expect(await fieldsOf(store, first)).toBeNull();
    await server.command("CONFIG SET maxmemory 0");
    expect(await fieldsOf(store, await make(store, "ann", { a: "1" }))).toEqual({ a: "1" });
  });

  test("a replica reads and refuses to write as such", async () => {
    const server = await serve({ "repl-diskless-sync-delay": "0" });
    const replica = await serve({ replicaof: `127.0.0.1 ${server.port}` });
    const store = new RedisStore((await connect(name, server.port)).client);
    const key = await make(store, "ann", { a: "1" });
    const reader = new RedisStore((await connect(name, replica.port)).client);
    await until(() => fieldsOf(reader, key));
    expect(await fieldsOf(reader, key)).toEqual({ a: "1" });
    await expect(set(reader, key, { a: "2" })).rejects.toMatchObject({
      code: "ERR_SESSION_STORE",
      message: expect.stringMatching(/replica/) as string,
    });
  });

  test("a master that has lost its replicas refuses changes as such, where it is told to", async () => {
    const server = await serve();
    const { client } = await connect(name, server.port);
    const store = new RedisStore(client);
    const key = await make(store, "ann", { a: "1" });
    await server.command("CONFIG SET min-replicas-to-write 1");
    const refused = { code: "ERR_SESSION_STORE", message: expect.stringMatching(/min-replicas-to-write/) as string };
    await expect(set(store, key, { a: "2" })).rejects.toMatchObject(refused);
    await expect(store.destroy(key, { now: Date.now(), tombstoneUntil: Date.now() + HOUR })).rejects.toMatchObject(
      refused,
    );
    expect(await fieldsOf(store, key)).toEqual({ a: "1" });
    await server.command("CONFIG SET min-replicas-to-write 0");
    expect((await set(store, key, { a: "2" })).ok).toBe(true);
  });

  test("a change sent again over another connection is not acknowledged before a replica has it", async () => {
    const server = await serve({ "repl-diskless-sync-delay": "0" });
    const replica = await serve({ replicaof: `127.0.0.1 ${server.port}` });
    await until(async () => (await server.command("INFO replication")).includes("state=online"));
    const durability = { replicas: 1, milliseconds: 50 };
    const [first, second] = [await connect(name, server.port), await connect(name, server.port)];
    const [store, other] = [first, second].map(({ client }) => new RedisStore(client, { durability })) as [
      RedisStore,
      RedisStore,
    ];
    const key = await make(new RedisStore(first.client));
    const [now, fresh] = [Date.now(), newSession().key];
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + HOUR } as const;
    const session = newSession();
    const creation = { operation: newOperation(), now };
    const change = { operation: newOperation(), now, set: { a: "1" } };
    const calls = [
      (by: RedisStore) => by.create(session, creation),
      (by: RedisStore) => by.commit(key, change),
      (by: RedisStore) => by.rotate(key, fresh, { ...change, operation: `again ${change.operation}` }, { leave }),
    ];
    for (const call of calls) {
      replica.freeze();
      expect(await codeOf(call(store))).toBe("ERR_SESSION_STORE_UNKNOWN");
      expect(await codeOf(call(other))).toBe("ERR_SESSION_STORE_UNKNOWN");
      // What changes nothing needs nobody.
      expect(await store.commit(newSession().key, change)).toEqual({ ok: false, reason: "gone" });
      replica.thaw();
      await until(async () => (await codeOf(call(other))) === "none");
      expect(await call(other)).toMatchObject({ ok: true });
    }
  });

  test("a server that evicts keys is refused at start", async () => {
    const server = await serve({ maxmemory: "100mb", "maxmemory-policy": "allkeys-lru" });
    const store = new RedisStore((await connect(name, server.port)).client);
    await expect(store.ping()).rejects.toMatchObject({
      code: "ERR_SESSION_STORE",
      message: expect.stringMatching(/noeviction/) as string,
    });
    await server.command("CONFIG SET maxmemory-policy noeviction");
    await store.ping();
  });

  test("a call without an answer is told from one that was refused", async () => {
    const server = await serve();
    const proxy = await CuttingProxy.before(server.port);
    closing.push(() => proxy.close());
    const connected = await connect(name, proxy.port);
    const store = new RedisStore(connected.client);
    const key = await make(store);
    proxy.hang();
    const [write, read] = [set(store, key, { a: "1" }), store.load(key, Date.now())];
    const codes = Promise.all([codeOf(write), codeOf(read)]);
    connected.close();
    expect(await codes).toEqual(["ERR_SESSION_STORE_UNKNOWN", "ERR_SESSION_STORE"]);
  });

  test("the feed says when it was lost, and hears again when it is back", async () => {
    const server = await serve();
    const proxy = await CuttingProxy.before(server.port);
    closing.push(() => proxy.close());
    const store = new RedisStore((await connect(name, server.port)).client);
    const listener = new RedisStore((await connect(name, proxy.port)).client);
    const heard: StoreNotice[] = [];
    const stop = await listener.watch((notice) => heard.push(notice));
    proxy.refuse();
    await until(() => heard.length === 1);
    const missed = await make(store);
    await store.destroy(missed, { now: Date.now(), tombstoneUntil: Date.now() });
    proxy.pass();
    await until(() => heard.length === 2);
    const key = await make(store);
    await store.destroy(key, { now: Date.now(), tombstoneUntil: Date.now() });
    await until(() => heard.length === 3);
    expect(heard).toEqual([{ type: "lost" }, { type: "restored" }, { type: "revoked", keys: [key] }]);
    await stop();
  });
});

describe.each(["ioredis 5", "ioredis 6", "node-redis"])("the feed of %s", (name) => {
  test("asks a quiet connection whether it still is one, and opens another when it is not", async () => {
    const server = await serve();
    const proxy = await CuttingProxy.before(server.port);
    closing.push(() => proxy.close());
    const store = new RedisStore((await connect(name, proxy.port)).client);
    closing.push(() => store.close());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    closing.push(() => vi.useRealTimers());
    const heard: string[] = [];
    await store.watch(({ type }) => heard.push(type));
    const untilHeard = async (type: string, step: number): Promise<void> => {
      while (!heard.includes(type)) {
        await vi.advanceTimersByTimeAsync(step);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    proxy.resetCounts();
    await vi.advanceTimersByTimeAsync(30_000);
    while (proxy.counts.toClient === 0) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(heard, "it answers").toEqual([]);
    proxy.hang();
    await untilHeard("lost", 1000);
    proxy.pass();
    await untilHeard("restored", 100);
    expect(heard).toEqual(["lost", "restored"]);
  });

  test("that is closed while it opens leaves those who listen later alone", async () => {
    const server = await serve();
    const store = new RedisStore((await connect(name, server.port)).client);
    closing.push(() => store.close());
    const early = store.watch(() => undefined);
    store.close();
    await early.then(
      (stop) => stop(),
      () => undefined,
    );
    const heard: StoreNotice[] = [];
    const stop = await store.watch(() => undefined);
    await store.watch((notice) => heard.push(notice));
    await stop();
    const key = await make(store);
    await store.destroy(key, { now: Date.now(), tombstoneUntil: Date.now() + HOUR });
    await until(() => heard.length > 0);
  });
});

test("a user with the rights that the documentation names can do everything", async () => {
  const server = await serve();
  const text = readFileSync(new URL("../../docs/redis.md", import.meta.url), "utf8");
  const commands = /these commands: `([^`]+)`/.exec(text)?.[1]?.split(/\s+/) ?? [];
  const rights = commands.map((command) => `+${command}`).join(" ");
  expect(await server.command(`ACL SETUSER app on >secret ~fs:* &fs:notices +@connection ${rights}`)).toBe("+OK\r\n");
  const client = new Redis(server.port, "127.0.0.1", { username: "app", password: "secret" });
  closing.push(() => client.disconnect());
  const store = new RedisStore(client);
  const heard: StoreNotice[] = [];
  closing.push(await store.watch((notice) => heard.push(notice)));
  await store.ping();
  const [now, at] = [Date.now(), { now: Date.now(), tombstoneUntil: Date.now() + HOUR }];
  const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + HOUR } as const;
  const cap = { max: 2, policy: "evict-idle", tombstoneUntil: now + HOUR } as const;
  const bind = { userId: "ann", metadata: {}, maxAge: null, cap };
  const visitor = await make(store, undefined, { a: "1" });
  const session = newSession("ann");
  for (let index = 0; index < 3; index += 1) await make(store, "ann");
  const login = {
    operation: newOperation(),
    now,
    expect: { a: "1" },
    clear: true,
    remove: ["b"],
    expiresAt: now + 2 * HOUR,
  };
  expect(await store.rotate(visitor, session.key, login, { leave, bind })).toMatchObject({ ok: true });
  expect(await store.renew(session.key, { now, lastUsedAt: now, expiresAt: now + 9 * HOUR })).toBe(true);
  const lock = await store.lock(session.key, { now, lease: 1000 });
  await lock?.release();
  const page = await store.listByUser("ann", { now, limit: 1 });
  await store.revokeHandle(page.sessions[0]?.handle ?? "", at);
  expect((await store.listByUser("ann", { now, limit: 1, after: page.after })).sessions).toHaveLength(1);
  expect((await store.revokeUser("ann", at)).keys).toHaveLength(1);
  expect(await store.generation("ann")).toBe(1);
  await until(() => heard.length === 4);
});

test("clocks that differ by five seconds end no session early, in Redis or in its index", async () => {
  const server = await serve();
  const store = new RedisStore((await connect("ioredis 6", server.port)).client);
  const behind = Date.now() - 5000;
  const session = { ...newSession("ann"), createdAt: behind, lastUsedAt: behind, expiresAt: behind + 8000 };
  const bind = { userId: "ann", metadata: {}, maxAge: null };
  await store.create(session, { operation: newOperation(), now: behind, bind });
  // Past its deadline for a process whose clock is ahead: gone for that one, and nothing is removed.
  const ahead = Date.now() + 5000;
  expect((await store.listByUser("ann", { now: ahead, limit: 9 })).sessions).toEqual([]);
  expect(await store.renew(session.key, { now: ahead, lastUsedAt: ahead, expiresAt: ahead + HOUR })).toBe(false);
  expect((await store.listByUser("ann", { now: behind, limit: 9 })).sessions).toHaveLength(1);
  expect(await store.renew(session.key, { now: behind, lastUsedAt: behind, expiresAt: behind + HOUR })).toBe(true);
  expect((await store.listByUser("ann", { now: ahead, limit: 9 })).sessions).toHaveLength(1);
});
