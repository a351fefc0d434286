/**
 * A client that gives calls each other's answers. postgres.js 3.4 does, where a prepared statement is lost: it prepares it
 * again in the middle of a pipeline, and from there on each answer goes to the call before it, or to none. Through a
 * pooler: in `postgres-pooler.processes.test.ts`.
 */
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { change, create, fieldsOf, HOUR, NOW, storeFailure } from "./postgres-scene.ts";

const ALL = Array.from({ length: 20 }, (_, index) => index);
type Outcome = { readonly value: unknown } | { readonly error: unknown };

const AT = { now: NOW, tombstoneUntil: NOW + HOUR };

let server: PostgresServer;
let direct: postgres.Sql;
let store: PostgresStore;

beforeAll(async () => {
  server = await startPostgres();
  direct = connect(server.url, 4);
  store = new PostgresStore(direct);
  await store.migrate();
});
afterAll(async () => {
  await direct.end();
  await server.stop();
});

function connect(url: string, max: number): postgres.Sql {
  return postgres(url, { max, fetch_types: false, onnotice: () => undefined });
}

/** Calls something for each key, twice, after its prepared statement was lost. The outcomes in the order of the calls. */
async function callMixedUp(sql: postgres.Sql, call: (key: string) => Promise<unknown>, keys: readonly string[]) {
  const outcome = (key: string): Promise<Outcome> =>
    call(key).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  await call(keys.at(-1) as string);
  await sql.unsafe("deallocate all");
  const first = keys.map(outcome);
  await Promise.race(first);
  // All but one wait for more traffic, whose answers they take.
  const second = keys.map(outcome);
  await Promise.all([...first, second[0]]);
  // Ends those for which no answer will come.
  await sql.end({ timeout: 0 });
  return Promise.all([...first, ...second]);
}

const verbs: [string, (mixed: PostgresStore, key: string) => Promise<unknown>][] = [
  ["load", fieldsOf],
  ["list", (mixed, key) => mixed.listByUser(key, { now: NOW, limit: 10 })],
  ["generation", (mixed, key) => mixed.generation(key)],
  ["ping", (mixed) => mixed.ping()],
  ["commit", (mixed, key) => mixed.commit(key, change({ set: { a: "1" } }))],
  ["renew", (mixed, key) => mixed.renew(key, { now: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR })],
  ["destroy", (mixed, key) => mixed.destroy(key, AT)],
  ["revokeUser", (mixed, key) => mixed.revokeUser(key, AT)],
];

test.each(verbs)(
  "where answers go to other calls, %s fails, says why, and takes none for its own",
  async (verb, call) => {
    const sql = connect(server.url, 1);
    const mixed = new PostgresStore(sql);
    const made = await Promise.all(ALL.map((me) => create(store, { fields: { me: String(me) } })));
    const keys = made.map(({ key }) => key);
    const outcomes = await callMixedUp(sql, (key) => call(mixed, key), keys);
    const reads = ["load", "list", "generation", "ping"].includes(verb);
    const error = storeFailure("prepare: false", reads ? "ERR_SESSION_STORE" : "ERR_SESSION_STORE_UNKNOWN");
    // One that took an answer in a form it had not been told of, and one that took another's as it is.
    expect([outcomes[1], outcomes[ALL.length]]).toEqual([{ error }, { error }]);
    if (verb !== "load") return;
    for (const [index, outcome] of outcomes.entries()) {
      if ("value" in outcome) expect(outcome.value).toEqual({ me: String(index % ALL.length) });
    }
  },
);
