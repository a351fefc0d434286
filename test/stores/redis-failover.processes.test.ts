import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Key } from "../../src/core/session-record.ts";
import { RedisStore, type RedisStoreOptions } from "../../src/stores/redis.ts";
import { scanRedis } from "../support/fleet-backends.ts";
import { type Connected, sentinelClients } from "../support/redis-clients.ts";
import { MASTER_NAME, RedisSentinels } from "../support/redis-sentinel.ts";
import { codeOf, fieldsOf, HOUR, make, set, until } from "../support/redis-sessions.ts";

const DURABLE: RedisStoreOptions = { durability: { replicas: 1, milliseconds: 200 } };

let servers: RedisSentinels;
let connected: Connected;

beforeEach(async () => {
  servers = await RedisSentinels.start();
});

afterEach(async () => {
  await connected.close();
  await servers.stop();
});

describe.each(Object.entries(sentinelClients))("a failover, with %s", (_name, connect) => {
  beforeEach(async () => {
    connected = await connect(servers.ports, MASTER_NAME);
  });

  test("loses nothing that was acknowledged, where replicas are waited for", async () => {
    const store = new RedisStore(connected.client, DURABLE);
    const keys: Key[] = [];
    for (let index = 0; index < 4; index += 1) keys.push(await make(store, "ann"));
    const ended = await make(store);
    const acknowledged = keys.map(() => new Set<string>());
    const state = { stop: false };
    const writers = keys.map(async (key, index) => {
      for (let round = 0; !state.stop; round += 1) {
        const answer = await set(store, key, { [`f${round}`]: "1" }).catch(() => null);
        if (answer?.ok) acknowledged[index]?.add(`f${round}`);
        if (answer === null) break;
      }
    });
    await until(() => acknowledged.every((names) => names.size > 20));
    const now = Date.now();
    expect(await store.destroy(ended, { now, tombstoneUntil: now + HOUR })).toBe(true);
    await servers.failOver();
    state.stop = true;
    await Promise.all(writers);
    const plain = new RedisStore(connected.client);
    for (const [index, key] of keys.entries()) {
      const names = Object.keys((await fieldsOf(plain, key)) ?? {});
      expect(names).toEqual(expect.arrayContaining([...(acknowledged[index] ?? [])]));
    }
    expect(await fieldsOf(plain, ended)).toBeNull();
    expect((await plain.listByUser("ann", { now: Date.now(), limit: 10 })).sessions).toHaveLength(4);
    expect((await set(plain, keys[0] as Key, { after: "1" })).ok).toBe(true);
    // Nobody is left to wait for.
    expect(await codeOf(set(store, keys[0] as Key, { after: "2" }))).toBe("ERR_SESSION_STORE_UNKNOWN");
  });
});

test("keeps what the replica had, and says unknown of what it had not, where that is waited for", async () => {
  connected = await (sentinelClients["ioredis 6"] as (typeof sentinelClients)[string])(servers.ports, MASTER_NAME);
  const store = new RedisStore(connected.client);
  const durable = new RedisStore(connected.client, { durability: { replicas: 1, milliseconds: 100 } });
  const key = await make(durable);
  expect((await set(durable, key, { before: "1" })).ok).toBe(true);
  servers.replica.freeze();
  expect((await set(store, key, { perhaps: "1" })).ok).toBe(true);
  expect(await codeOf(set(durable, key, { unknown: "1" }))).toBe("ERR_SESSION_STORE_UNKNOWN");
  await servers.master.kill();
  servers.replica.thaw();
  await servers.failOver();
  await until(async () => (await set(store, key, { after: "1" }).catch(() => ({ ok: false }))).ok);
  const fields = await fieldsOf(store, key);
  expect(fields).toMatchObject({ before: "1", after: "1" });
});

describe.each(Object.entries(sentinelClients))(
  "a failover where no replica is waited for, with %s",
  (_name, connect) => {
    const END = { now: Date.now(), tombstoneUntil: Date.now() + HOUR };
    let store: RedisStore;

    beforeEach(async () => {
      connected = await connect(servers.ports, MASTER_NAME);
      store = new RedisStore(connected.client);
    });

    /** What the master has written, and what of it the replica says it has. */
    async function offsets(): Promise<{ readonly written: number; readonly replicated: number }> {
      const info = await servers.master.command("INFO replication");
      const [, written = 0] = /master_repl_offset:(\d+)/.exec(info) ?? [];
      const [, replicated = 0] = /slave0:.*offset=(\d+)/.exec(info) ?? [];
      return { written: Number(written), replicated: Number(replicated) };
    }

    /** All that stands in the server without asking the store: whose sessions live under which public names. */
    async function scanned(user: string): Promise<string[]> {
      const { records, torn } = await scanRedis(servers.replica.url);
      expect(torn).toEqual([]);
      return records.filter(({ userId }) => userId === user).map(({ handle }) => handle);
    }

    async function listed(user: string): Promise<string[]> {
      const { sessions } = await store.listByUser(user, { now: Date.now(), limit: 100 });
      return sessions.map(({ handle }) => handle);
    }

    test("loses what the replica did not have, logouts and revocations among it, and nothing that it had", async () => {
      const users = ["ann", "bob", "cid"];
      const keys = new Map<string, string>();
      for (const user of users) keys.set(user, await make(store, user, { owner: user }));
      const early = { ended: await make(store, "dan"), revoked: await make(store, "eve") };
      const late = { ended: await make(store, "fay"), revoked: await make(store, "gus") };
      const write = async (name: string): Promise<void> => {
        for (const key of keys.values()) expect((await set(store, key, { [name]: "1" })).ok).toBe(true);
      };
      await write("early");
      expect(await store.destroy(early.ended, END)).toBe(true);
      expect((await store.revokeUser("eve", END)).keys).toEqual([early.revoked]);
      const { written } = await offsets();
      await until(async () => (await offsets()).replicated >= written);

      // From here on the replica hears nothing, and everything is acknowledged all the same.
      servers.replica.freeze();
      await servers.master.command("CLIENT KILL TYPE replica");
      await write("late");
      expect(await store.destroy(late.ended, END)).toBe(true);
      expect((await store.revokeUser("gus", END)).keys).toEqual([late.revoked]);
      const login = await make(store, "ann");
      await servers.master.kill();
      servers.replica.thaw();
      await servers.failOver();
      await until(async () => (await codeOf(store.load(login, Date.now()))) === "none");

      for (const [user, key] of keys) {
        const found = await store.load(key, Date.now());
        expect(found).toMatchObject({ fields: { owner: user, early: "1" }, binding: { userId: user } });
        expect(found).not.toHaveProperty("fields.late");
      }
      for (const key of [early.ended, early.revoked]) expect(await fieldsOf(store, key)).toBeNull();
      // As the documentation says: who was logged out meanwhile is not any more, and who logged in has to do it again.
      for (const key of [late.ended, late.revoked]) expect(await fieldsOf(store, key)).toEqual({});
      expect(await store.load(login, Date.now())).toBeNull();
      for (const user of [...users, "dan", "eve", "fay", "gus"]) {
        expect((await listed(user)).toSorted()).toEqual((await scanned(user)).toSorted());
      }
      // Whoever ends them again is heard.
      expect((await store.revokeUser("gus", END)).keys).toEqual([late.revoked]);
      expect(await fieldsOf(store, late.revoked)).toBeNull();
    });

    test("under load loses the end of what was acknowledged, which the replica did not have yet, and nothing before it", async () => {
      const writers = 4;
      const acknowledged = Array.from({ length: writers }, () => 0);
      let known = [...acknowledged];
      const state = { killed: false };
      const keys = await Promise.all(acknowledged.map((_, index) => make(store, `user ${index}`)));
      const writing = keys.map(async (key, index) => {
        for (let round = 0; !state.killed; round += 1) {
          const answer = await set(store, key, { [`f${round}`]: "1" }).catch(() => null);
          // What was under way when the server died may have been sent again to the next one.
          if (answer?.ok === true && !state.killed) acknowledged[index] = round + 1;
        }
      });
      while (Math.min(...known) < 200) {
        const before = [...acknowledged];
        const { written } = await offsets();
        if ((await offsets()).replicated >= written) known = before;
      }
      const killing = servers.master.kill();
      state.killed = true;
      await killing;
      await servers.failOver();
      await Promise.all(writing);
      await until(async () => (await codeOf(store.load(keys[0] as Key, Date.now()))) === "none");

      for (const [index, key] of keys.entries()) {
        const fields = (await fieldsOf(store, key)) ?? {};
        const count = acknowledged[index] as number;
        const kept = Array.from({ length: count }, (_, round) => `f${round}` in fields);
        const lost = kept.includes(false) ? kept.indexOf(false) : count;
        expect(lost).toBeGreaterThanOrEqual(known[index] as number);
        expect(kept.slice(lost).includes(true)).toBe(false);
        expect(await listed(`user ${index}`)).toEqual(await scanned(`user ${index}`));
      }
    });
  },
);
