import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import expressSession from "express-session";
import pg from "pg";
import { createClient } from "redis";
import { createStorage, prefixStorage, type Storage } from "unstorage";
import redisDriver from "unstorage/drivers/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { fromExpressStore } from "../../src/stores/express-store.ts";
import { fromUnstorage } from "../../src/stores/unstorage.ts";
import { type RegisterTest, storeContract } from "../../src/testing/store-contract.ts";
import { Browser } from "../support/browser.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { RedisServer } from "../support/redis-server.ts";

/** What is swept, the store does by itself, and does not say how much. */
const registered: RegisterTest = (name, run) => name.startsWith("sweep ") || test(name, run);

let count = 0;
const prefix = (): string => `stores:${(count += 1)}:`;

describe("on Redis", () => {
  let server: RedisServer;
  let client: ReturnType<typeof createClient>;
  let storage: Storage;

  beforeAll(async () => {
    server = await RedisServer.start();
    client = createClient({ url: server.url });
    await client.connect();
    storage = createStorage({ driver: redisDriver({ url: server.url }) });
  });
  afterAll(async () => {
    client.destroy();
    await storage.dispose();
    await server.stop();
  });

  describe("connect-redis", () => {
    storeContract({
      test: registered,
      createStore: () => fromExpressStore(new RedisStore({ client, prefix: prefix() })),
    });
  });

  describe("unstorage", () => {
    storeContract({ test: registered, createStore: () => fromUnstorage(prefixStorage(storage, prefix())) });
  });

  test.for([
    ["connect-redis", (name: string) => fromExpressStore(new RedisStore({ client, prefix: name }))],
    ["unstorage", (name: string) => fromUnstorage(prefixStorage(storage, name))],
  ] as const)(
    "%s keeps a session for its lifetime and a minute, and a mark of its end for the grace",
    async ([, make]) => {
      const name = prefix();
      const sessions = createSessions({
        secretKey: "a secret of more than thirty-two bytes",
        logLevel: "silent",
        store: make(name),
        idleTimeout: 1000,
        rotationGrace: 100,
      });
      const browser = new Browser(sessions);
      const lives = async (): Promise<number> => {
        const keys = await client.keys(`${name}*`);
        expect(keys).toHaveLength(1);
        return client.ttl(keys[0] as string);
      };
      await browser.visit((session) => void (session["a"] = 1));
      const alive = await lives();
      await browser.visit((session) => session.destroy());
      const ended = await lives();
      expect([alive > 1000 && alive <= 1061, ended > 100 && ended <= 161]).toEqual([true, true]);
    },
  );
});

describe("on PostgreSQL", () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let store: ReturnType<typeof fromExpressStore>;

  beforeAll(async () => {
    server = await startPostgres();
    pool = new pg.Pool({ connectionString: server.url, max: 8 });
    const PgStore = connectPgSimple(expressSession);
    store = fromExpressStore(new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false }));
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  describe("connect-pg-simple", () => {
    storeContract({ test: registered, createStore: () => store });
  });
});
