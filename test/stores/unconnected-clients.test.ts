/** Clients that somebody forgot to connect: said at once and with the remedy, instead of waiting for a connection that nobody makes. */
import pg from "pg";
import { createClient, createCluster } from "redis";
import { expect, test } from "vitest";
import type { SessionStore } from "../../src/core/session-store.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore } from "../../src/stores/redis.ts";

const url = "redis://127.0.0.1:1";
const durability = { replicas: 1, milliseconds: 10 };

test.each<[string, () => SessionStore]>([
  ["a client of redis", () => new RedisStore(createClient({ url }))],
  ["a client of redis whose replicas are waited for", () => new RedisStore(createClient({ url }), { durability })],
  ["a cluster of redis", () => new RedisStore(createCluster({ rootNodes: [{ url }] }))],
  ["a Client of pg", () => new PostgresStore(new pg.Client("postgres://127.0.0.1:1/nowhere"))],
])("%s: nothing has happened, and what is missing is said", async (_, make) => {
  const store = make();
  const calls = [
    () => store.load("v1.abc.key", 1),
    () => store.commit("v1.abc.key", { operation: "o", now: 1, set: { a: "1" } }),
    () => store.destroy("v1.abc.key", { now: 1, tombstoneUntil: 2 }),
    () => store.ping?.(),
  ];
  const message = expect.stringContaining("await client.connect()");
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_STORE", message });
});
