/** Through a PgBouncer in transaction mode, which gives each statement whatever connection is free. */
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/fetch.ts";
import type { StoreNotice } from "../../src/core/session-store.ts";
import { createSessions } from "../../src/index.ts";
import { type PostgresClient, PostgresStore } from "../../src/stores/postgres.ts";
import { type Pooler, startPgbouncer } from "../support/pgbouncer.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import {
  bindTo,
  change,
  create,
  fieldsOf,
  HOUR,
  increment,
  newKey,
  NOW,
  openPool,
  storeFailure,
  until,
} from "./postgres-scene.ts";

let server: PostgresServer;
let pooler: Pooler;
let pool: pg.Pool;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startPostgres();
  pooler = await startPgbouncer(server.port);
  pool = openPool(pooler.url, { max: 20 });
  sql = postgres(pooler.url, { max: 20, prepare: false });
  await new PostgresStore(pool).migrate();
});
afterAll(async () => {
  await pool.end();
  await sql.end();
  await pooler.stop();
  await server.stop();
});

test.each([
  ["pg", () => pool],
  ["postgres.js with `prepare: false`", () => sql],
])("%s loses no write and keeps a cap", async (_, client: () => PostgresClient) => {
  const store = new PostgresStore(client());
  const { key } = await create(store);
  const writes = Array.from({ length: 200 }, (_, n) => store.commit(key, change({ set: { [`f${n}`]: "1" } })));
  const increments = Array.from({ length: 50 }, () => increment(store, key, "n"));
  await Promise.all([...writes, ...increments]);
  const { n, ...others } = await fieldsOf(store, key);
  expect([n, Object.keys(others).length]).toEqual(["50", 200]);

  const bind = bindTo(newKey(), { cap: { max: 3, policy: "evict-oldest", tombstoneUntil: NOW + HOUR } });
  await Promise.all(Array.from({ length: 40 }, () => create(store, {}, bind)));
  expect((await store.listByUser(bind.userId, { now: NOW, limit: 10 })).sessions).toHaveLength(3);
});

/** A page that counts visits and tells whose session it is, over a store of this client. */
function pageOver(client: PostgresClient) {
  const messages = new Set<string>();
  const sessions = createSessions<{ name?: string; visits?: number }>({
    secretKey: "k".repeat(32),
    store: new PostgresStore(client),
    storeTimeout: 0.5,
    logLevel: "silent",
  });
  sessions.on("store-error", ({ error }) => messages.add((error as Error).message));
  const page = fastSession(sessions)(async (request, session) => {
    const name = new URL(request.url).searchParams.get("login");
    if (name !== null) {
      session.name = name;
      await session.login(name);
    } else session.increment("visits");
    return Response.json([session.info.userId, session.name]);
  });
  const visit = async (cookie: string, query = ""): Promise<Response> =>
    page(new Request(`https://shop.example/${query}`, { headers: { cookie } }));
  return { visit, messages };
}

test.each([
  ["as it is by default: who is not served is told so", true],
  ["with `prepare: false`: everybody is served", false],
])("postgres.js gives nobody another's session, %s", async (_, prepare) => {
  const direct = postgres(server.url, { max: 4, prepare: false });
  const names = Array.from({ length: 40 }, (__, index) => `user${index}`);
  const logins = await Promise.all(names.map((name) => pageOver(direct).visit("", `?login=${name}`)));
  const cookies = logins.map((login) => login.headers.getSetCookie()[0]?.split(";")[0] as string);
  const seen = { own: 0, others: [] as unknown[], failures: 0 };
  const messages: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const client = postgres(pooler.url, { max: 10, prepare, fetch_types: false });
    const page = pageOver(client);
    for (let visit = 0; visit < 4; visit += 1) {
      const answers = await Promise.all(cookies.map((cookie) => page.visit(cookie)));
      for (const [index, answer] of answers.entries()) {
        const name = names[index];
        if (answer.status === 503) seen.failures += 1;
        else if ((await answer.text()) === JSON.stringify([name, name])) seen.own += 1;
        else seen.others.push([name, answer.status]);
      }
    }
    messages.push(...page.messages);
    await client.end({ timeout: 0 });
  }
  expect(seen.others).toEqual([]);
  if (prepare) expect(messages.join("\n")).toContain("`prepare: false`");
  else expect(seen).toEqual({ own: 480, others: [], failures: 0 });
  await direct.end();
});

test("says that nothing is heard through it, and hears on a direct connection", async () => {
  const deaf = new PostgresStore(pool, { listen: true });
  await expect(deaf.watch(() => undefined)).rejects.toEqual(storeFailure("a direct connection"));

  const direct = postgres(server.url, { max: 1 });
  for (const listen of [() => new pg.Client(server.url), direct]) {
    const store = new PostgresStore(pool, { listen });
    const heard: StoreNotice[] = [];
    await store.watch((notice) => heard.push(notice));
    const { key } = await create(store);
    await store.destroy(key, { now: NOW, tombstoneUntil: NOW });
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ type: "revoked", keys: [key] }]);
    await store.close();
  }
  await direct.end();
});
