/** What belongs to a user, under names that look like something else. */
import { Redis } from "ioredis6";
import { afterAll, beforeAll, expect, test } from "vitest";
import { userTag } from "../../src/core/session-id.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { RedisServer } from "../support/redis-server.ts";
import { fieldsOf, HOUR, make } from "../support/redis-sessions.ts";

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
