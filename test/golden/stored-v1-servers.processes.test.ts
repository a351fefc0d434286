/** What version 1 of the layouts of servers looks like: as `stored-v1.test.ts`, against the servers themselves. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { startMariadb } from "../support/mariadb-server.ts";
import { RedisServer } from "../support/redis-server.ts";
import { type Backend, mysql, postgres, redis } from "./stored-backends.ts";
import { EXPECTED, EXPECTED_USERS, read, readUsers, write } from "./stored-scene.ts";

const fixtures = JSON.parse(readFileSync(new URL("stored-v1.json", import.meta.url), "utf8")) as Record<string, never>;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const backends: Readonly<Record<string, () => Promise<Backend>>> = {
  redis: async () => {
    const server = await RedisServer.start();
    closing.push(() => server.stop());
    return redis(server.url);
  },
  postgres,
  mysql: async () => {
    const server = await startMariadb();
    closing.push(() => server.stop());
    return mysql(server.url);
  },
};

describe.each(Object.entries(backends))("the layout of %s", (name, open) => {
  test("is written as version 1 wrote it, and what version 1 wrote is read", async () => {
    const { store, dump, restore, close } = await open();
    closing.push(close);
    await write(store);
    expect(await dump()).toEqual(fixtures[name]);
    await restore(fixtures[name] as never);
    expect(await read(store)).toMatchObject(EXPECTED);
    expect(await readUsers(store)).toEqual(EXPECTED_USERS);
  });
});
