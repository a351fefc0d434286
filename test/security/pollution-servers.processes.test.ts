import { PGlite } from "@electric-sql/pglite";
import { Redis } from "ioredis";
import { createPool } from "mysql2/promise";
import { afterEach, expect, it } from "vitest";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { unpolluted } from "../fuzz/target.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { RedisServer } from "../support/redis-server.ts";
import { expectOwnFields, expectOwnUsers } from "./polluted-store.ts";

afterEach(() => {
  unpolluted();
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

it("names of members of objects are names like others in Redis", async () => {
  const server = await RedisServer.start();
  const client = new Redis(server.port);
  try {
    await expectOwnFields(new RedisStore(client));
    await expectOwnUsers(new RedisStore(client));
  } finally {
    client.disconnect();
    await server.stop();
  }
});

it("names of members of objects are names like others in PostgreSQL", async () => {
  const database = new PGlite();
  try {
    await new PostgresStore(database).migrate();
    await expectOwnFields(new PostgresStore(database));
    await expectOwnUsers(new PostgresStore(database));
  } finally {
    await database.close();
  }
});

it("names of members of objects are names like others in MariaDB", async () => {
  const server = await startMariadb();
  const pool = createPool(server.url);
  try {
    await new MysqlStore(pool).migrate();
    await expectOwnFields(new MysqlStore(pool));
    await expectOwnUsers(new MysqlStore(pool));
  } finally {
    await pool.end();
    await server.stop();
  }
});
