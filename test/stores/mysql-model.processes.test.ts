import { createPool } from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { expectSameAsMemory } from "./random-calls.ts";

test("answers what the memory store answers, and keeps what it keeps, for random calls", async () => {
  const server = await startMariadb();
  onTestFinished(() => server.stop());
  const pool = createPool(server.url);
  onTestFinished(() => pool.end());
  const store = new MysqlStore(pool);
  await store.migrate();
  const createStore = async (): Promise<MysqlStore> => {
    await pool.query("delete from fastsession_sessions");
    await pool.query("delete from fastsession_users");
    return store;
  };
  const seen = await expectSameAsMemory(createStore, { userIndex: true, runs: 8 });
  const answers = [
    "create: evicted",
    "create: rejected revoked",
    "commit: conflict",
    "rotate: evicted",
    "rotate: moved",
  ];
  expect(seen).toEqual(expect.arrayContaining([...answers, "destroy: true", "revokeHandle: string", "revokeUser: 1"]));
});
