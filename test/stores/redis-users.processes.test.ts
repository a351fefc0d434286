/** What belongs to a user, under names that look like something else. */
import { Redis } from "ioredis6";
import { afterAll, beforeAll, expect, test } from "vitest";
import { userTag } from "../../src/core/session-id.ts";
import type { Key } from "../../src/core/session-record.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { RedisServer } from "../support/redis-server.ts";
import { fieldsOf, HOUR, make, until } from "../support/redis-sessions.ts";

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(() => server.stop());

function open(options: { keyPrefix?: string } = {}): { client: Redis; store: RedisStore } {
  const client = new Redis(server.port, "127.0.0.1", options);
  return { client, store: new RedisStore(client) };
}

const at = { now: Date.now(), tombstoneUntil: Date.now() + HOUR };

test("who is revoked stays so when a user is revoked whose name is the same but for its end", async () => {
  const { client, store } = open();
  const [user, longer] = ["u34771", "u34771:"];
  expect(userTag(user), "they share a slot").toBe(userTag(longer));
  expect((await store.revokeUser(longer, at)).generation).toBe(1);
  await store.revokeUser(user, at);
  expect(await store.generation(longer)).toBe(1);
  client.disconnect();
});

test("a prefix of the client is kept, and one with braces is refused: no generation would be found", async () => {
  const { client, store } = open({ keyPrefix: "shop:" });
  const key = await make(store, "ann");
  await store.revokeUser("ann", at);
  expect(await fieldsOf(store, key)).toBeNull();
  client.disconnect();
  const other = new Redis({ keyPrefix: "{shop}:", lazyConnect: true });
  expect(() => new RedisStore(other)).toThrow(TypeError);
});

test("a page goes on behind a session that is over, also when memory is full", async () => {
  const { client, store } = open();
  for (let index = 0; index < 3; index += 1) await make(store, "bob");
  const { now } = at;
  const { sessions, after } = await store.listByUser("bob", { now, limit: 1 });
  await store.revokeHandle(sessions[0]?.handle ?? "", at);
  await server.command("CONFIG SET maxmemory 1");
  const rest = store.listByUser("bob", { now, after, limit: 9 });
  await rest.catch(() => undefined);
  await server.command("CONFIG SET maxmemory 0");
  expect((await rest).sessions).toHaveLength(2);
  client.disconnect();
});

test("all sessions of a user end, and are told of, also where the connection breaks before they are put away", async () => {
  const listening = open();
  const proxy = await CuttingProxy.before(server.port);
  const client = new Redis(proxy.port, "127.0.0.1", { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on("error", () => undefined);
  const store = new RedisStore(client);
  const heard: Key[] = [];
  await listening.store.watch((notice) => {
    if (notice.type === "revoked") heard.push(...notice.keys);
  });
  // The first is known by its script's text only.
  for (let round = 0; round < 2; round += 1) {
    const except = await make(store, "dan");
    proxy.resetCounts();
    await store.revokeUser("dan", { ...at, except });
  }
  heard.length = 0;
  const made: Key[] = [];
  for (let session = 0; session < 450; session += 1) made.push(await make(listening.store, "eve"));
  const spared = await make(listening.store, "eve", { a: "1" });
  const cut = proxy.cutAfter("toServer", proxy.counts.toServer);
  const { generation, keys } = await store.revokeUser("eve", { ...at, except: spared });
  await cut;
  await until(() => heard.length >= made.length);
  expect(heard.toSorted()).toEqual(made.toSorted());
  expect([generation, keys.toSorted()]).toEqual([1, made.toSorted()]);
  for (const key of [made[0], made[449]]) {
    expect(await listening.store.load(key as Key, at.now)).toMatchObject({ kind: "tombstone", reason: "revoked" });
  }
  expect(await fieldsOf(listening.store, spared)).toEqual({ a: "1" });
  expect((await listening.store.listByUser("eve", { now: at.now, limit: 1000 })).sessions).toHaveLength(1);
  await proxy.close();
  listening.store.close();
  for (const one of [client, listening.client]) one.disconnect();
});
