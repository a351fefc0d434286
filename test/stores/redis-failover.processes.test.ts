import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Key } from "../../src/core/session-record.ts";
import { RedisStore, type RedisStoreOptions } from "../../src/stores/redis.ts";
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
