import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { Browser } from "../support/browser.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { create, EMPTY, fieldsOf, HOUR, NOW, openPool, until } from "./postgres-scene.ts";

const program = join(import.meta.dirname, "postgres-child.ts");

let server: PostgresServer;
let pool: pg.Pool;
let store: PostgresStore;
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startPostgres();
  pool = openPool(server.url);
  store = new PostgresStore(pool);
  await store.migrate();
});
beforeEach(() => pool.query(EMPTY));
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

/** Starts a process and waits until it is ready for its task. */
async function start(task: "count" | "churn", name: string, keys: readonly string[] = []): Promise<ChildProcess> {
  const child = fork(program, [server.url, task, name, ...keys], { execArgv: ["--import", "tsx"] });
  children.push(child);
  await once(child, "message");
  return child;
}

test("four processes lose none of 2,000 increments of 20 sessions and of 2,000 fields of their own", async () => {
  const keys: string[] = [];
  for (let n = 0; n < 20; n += 1) keys.push((await create(store)).key);
  const names = ["p", "q", "r", "s"];
  const fleet = await Promise.all(names.map((name) => start("count", name, keys)));
  const done = fleet.map((child) => once(child, "message"));
  for (const child of fleet) child.send("go");
  await Promise.all(done);

  const all = await Promise.all(keys.map((key) => fieldsOf(store, key)));
  expect(all.map(({ n }) => n)).toEqual(keys.map(() => "100"));
  const own = all.flatMap((fields) => Object.keys(fields).filter((name) => name !== "n"));
  const expected = names.flatMap((name) => Array.from({ length: 500 }, (_, n) => `${name}${n}`));
  expect(own.toSorted()).toEqual(expected.toSorted());
});

test("processes killed while they write leave no torn record and no half index", async () => {
  for (let round = 0; round < 3; round += 1) {
    const fleet = await Promise.all(["one", "other"].map((name) => start("churn", name)));
    const enough = fleet.map((child) => {
      let told = 0;
      return new Promise<void>((resolve) => child.on("message", () => (told += 1) === 40 + 17 * round && resolve()));
    });
    for (const child of fleet) child.send("go");
    await Promise.all(enough);
    for (const child of fleet) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  // A call that was under way when its process died is finished or undone by the server.
  const connected = "select count(*)::int as left from pg_stat_activity where application_name = 'child'";
  await until(async () => ((await pool.query(connected)).rows[0] as { left: number }).left === 0);

  for (const user of ["ann", "bob", "cid"]) {
    const { sessions } = await store.listByUser(user, { now: NOW, limit: 100 });
    const scan = await pool.query({
      text: `select s.key, s.handle from fastsession_sessions s left join fastsession_users u using (user_id)
        where s.kind = 'session' and s.user_id || '' = $1 and s.generation >= coalesce(u.generation, 0)
        order by s.bound_at, s.id`,
      values: [user],
    });
    const live = scan.rows as { readonly key: string; readonly handle: string }[];
    expect(sessions.map(({ handle }) => handle)).toEqual(live.map(({ handle }) => handle));
    expect(sessions.length).toBeLessThanOrEqual(4);
    for (const { key, handle } of live) expect(await store.load(key, NOW)).toMatchObject({ kind: "session", handle });
  }
  const sets = `select distinct s.kind, array(select f.name from fastsession_fields f where f.session = s.id order by 1) as names
    from fastsession_sessions s order by 1, 2`;
  const orphans = "select session from fastsession_fields where session not in (select id from fastsession_sessions)";
  expect((await pool.query(orphans)).rows).toEqual([]);
  const whole = [
    { kind: "alias", names: [] },
    { kind: "revoked", names: [] },
    { kind: "session", names: ["a", "b"] },
    { kind: "session", names: ["c"] },
  ];
  for (const row of (await pool.query(sets)).rows as unknown[]) expect(whole).toContainEqual(row);
});

test("a session that begins while its user's are revoked ends for whoever has its signal, too", async () => {
  const secretKey = "a secret of more than thirty-two bytes";
  const live = new PostgresStore(pool, { listen: true });
  const sessions = createSessions({ secretKey, store: live, storeTimeout: 1, logLevel: "silent" });
  const signIn = async (browser: Browser, user: string): Promise<AbortSignal> => {
    const { result } = await browser.visit(async (session) => {
      await session.login(user);
      return (session as unknown as { info: { signal: AbortSignal } }).info.signal;
    });
    return result;
  };
  const bobs = await signIn(new Browser(sessions), "bob");
  await sessions.forUser("bob").revokeAll();
  await until(() => bobs.aborted);

  const revoking = openPool(server.url, { max: 1 });
  await revoking.query("begin");
  const now = Date.now();
  await revoking.query("select fastsession_v1_revoke_user($1, $2, $3, null)", ["ann", now, now + HOUR]);
  const browser = new Browser(sessions);
  const anns = await signIn(browser, "ann");
  expect((await browser.visit((session) => session.info.userId)).result).toBe("ann");
  await revoking.query("commit");
  await revoking.end();
  expect((await browser.visit((session) => session.info.userId)).result).toBeNull();
  await until(() => anns.aborted);
  await sessions.close();
});
