import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { userTag } from "../../src/core/session-id.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { clusterClients } from "../support/redis-clients.ts";
import { RedisCluster } from "../support/redis-cluster.ts";
import { fieldsOf, HOUR, make, set } from "../support/redis-sessions.ts";
import type { RedisServer } from "../support/redis-server.ts";

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await RedisCluster.start();
});

afterAll(() => cluster.stop());

describe.each(["ioredis 6", "node-redis"])("a slot that is moved under load, with %s", (name) => {
  test("loses no write that was acknowledged, no login and no logout, and refuses nothing for good", async () => {
    const connected = await (clusterClients[name] as (typeof clusterClients)[string])(cluster.ports);
    const store = new RedisStore(connected.client, { prefix: `${name.replace(" ", "")}:` });
    const user = `user of ${name}`;
    const slot = Number((await cluster.servers[0]?.command(`CLUSTER KEYSLOT {${userTag(user)}}`))?.slice(1));
    const keys = await Promise.all(Array.from({ length: 8 }, () => make(store, user)));
    const ended = await make(store, user);
    const from = await cluster.owner(slot);
    const to = cluster.servers.find((server) => server !== from) as RedisServer;
    const acknowledged = keys.map(() => new Set<string>());
    const failures: unknown[] = [];
    const state = { stop: false };
    const writers = keys.map(async (key, index) => {
      for (let round = 0; !state.stop; round += 1) {
        try {
          const { ok } = await set(store, key, { [`f${round}`]: "1" });
          if (ok) acknowledged[index]?.add(`f${round}`);
          else failures.push("gone");
        } catch (error) {
          failures.push(error);
        }
      }
    });
    const at = { now: Date.now(), tombstoneUntil: Date.now() + HOUR };
    const during: Promise<unknown>[] = [];
    let moved = 0;
    await cluster.moveSlot(slot, to, async () => {
      moved += 1;
      if (moved === 3) during.push(store.destroy(ended, at), make(store, user, { new: "1" }));
      await new Promise((resolve) => setImmediate(resolve));
    });
    const [destroyed, login] = (await Promise.all(during)) as [boolean, string];
    state.stop = true;
    await Promise.all(writers);
    expect(moved).toBeGreaterThan(8);
    expect(failures).toEqual([]);
    for (const [index, key] of keys.entries()) {
      const names = Object.keys((await fieldsOf(store, key)) ?? {});
      expect(names).toEqual(expect.arrayContaining([...(acknowledged[index] ?? [])]));
    }
    expect(destroyed).toBe(true);
    expect(await fieldsOf(store, ended)).toBeNull();
    expect(await fieldsOf(store, login)).toEqual({ new: "1" });
    expect((await store.listByUser(user, { now: Date.now(), limit: 20 })).sessions).toHaveLength(9);
    const { keys: revoked } = await store.revokeUser(user, at);
    expect(revoked.toSorted()).toEqual([...keys, login].toSorted());
    connected.close();
  });
});

test.each(Object.entries(clusterClients))(
  "%s waits for the replicas of the server that has the slot",
  async (_name, connect) => {
    const connected = await connect(cluster.ports);
    const plain = new RedisStore(connected.client);
    const durable = new RedisStore(connected.client, { durability: { replicas: 1, milliseconds: 20 } });
    for (let round = 0; round < 4; round += 1) {
      const key = await make(plain);
      // There are none, so it is made and may be lost.
      const refusal = {
        code: "ERR_SESSION_STORE_UNKNOWN",
        message: expect.stringMatching(/^0 of 1 replicas/) as string,
      };
      await expect(set(durable, key, { a: "1" })).rejects.toMatchObject(refusal);
      expect(await fieldsOf(plain, key)).toEqual({ a: "1" });
    }
    connected.close();
  },
);
