/** What is kept of a failing server's errors, and told of them, holds no id, key, token or value. Real servers and clients. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { createPool } from "mysql2/promise";
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashedKey } from "../../src/core/session-id.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { Browser } from "../support/browser.ts";
import { type MariadbServer, startMariadb } from "../support/mariadb-server.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { type Connected, singleClients } from "../support/redis-clients.ts";
import { RedisServer } from "../support/redis-server.ts";

const VALUE = "planted value's 'end\" of it";
const PLANTED = ["planted value", "' of it", "planted-field", "planted-user", "planted-label"];

/** A store whose server somebody has broken. */
interface Broken {
  readonly store: SessionStore;
  /** What the client says in each of its errors, so that there was something to search. */
  readonly says: RegExp;
  break(): Promise<unknown>;
  close(): unknown;
}

/** Makes sessions, breaks the server, and collects all that anybody is told of it. */
async function collect(broken: Broken): Promise<{ errors: unknown[]; told: unknown[]; secrets: string[] }> {
  const told: unknown[] = [];
  const log = (message: string): void => void told.push(message);
  const sessions: Sessions = createSessions({
    secretKey: "a secret of more than thirty-two bytes",
    store: broken.store,
    storeTimeout: 5,
    maxSessionsPerUser: 3,
    sweepInterval: 0,
    logLevel: "debug",
    logger: { debug: log, info: log, warn: log, error: log },
  });
  sessions.on("store-error", (event) => told.push(event));
  const known = new Browser(sessions);
  const ids: string[] = [];
  const errors: unknown[] = [];
  const act = async (browser: Browser, handler: Parameters<Browser["visit"]>[0]): Promise<void> => {
    const failed = (error: unknown): void => void errors.push(error);
    await browser
      .visit(async (session) => {
        ids.push(session.getSessionId());
        try {
          await handler(session);
        } catch (error) {
          errors.push(error);
        }
        ids.push(session.getSessionId());
      })
      .catch(failed);
  };
  await act(known, (session) => session.login("planted-user", { metadata: { label: "planted-label" } }));
  await act(known, (session) => void (session["count"] = 1));
  await broken.break();
  const user = sessions.forUser("planted-user");
  for (const browser of [known, new Browser(sessions)]) {
    await act(browser, (session) => void (session["planted-field"] = VALUE));
    await act(browser, (session) => session.increment("count"));
    await act(browser, (session) => session.login("planted-user", { metadata: { label: "planted-label" } }));
    await act(browser, (session) => session.regenerate());
    await act(browser, (session) => session.touch());
  }
  const calls = [user.list(), user.revokeAll(), sessions.generation("planted-user"), sessions.ping()];
  for (const call of await Promise.allSettled(calls)) if (call.status === "rejected") errors.push(call.reason);
  await act(known, (session) => session.logout());
  const keys = ids.map((id) => hashedKey("sid", id).slice(7));
  const secrets = [...PLANTED, ...ids, ...keys, ...(known.cookie === undefined ? [] : [known.cookie])];
  return { errors, told, secrets };
}

/** In all the ways that people print errors. */
function printed(thing: unknown): string {
  const all = { depth: 10, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null } as const;
  const { message, stack } = thing as { message?: string; stack?: string };
  return [inspect(thing, all), inspect(thing, { depth: 10 }), JSON.stringify(thing), message, stack].join("\n");
}

async function expectNothing(broken: Broken): Promise<void> {
  try {
    const { errors, told, secrets } = await collect(broken);
    const causes = errors.map((error) => (error as Error).cause);
    expect(errors.length).toBeGreaterThan(3);
    expect(told.length).toBeGreaterThan(3);
    expect(causes.map((cause) => inspect(cause)).join("\n")).toMatch(broken.says);
    const texts = [...errors, ...told].map(printed);
    for (const secret of secrets) expect(texts.find((text) => text.includes(secret))).toBeUndefined();
    // What an operator needs stays: a code or a message, and where it came from.
    for (const cause of causes) {
      expect(cause).toBeInstanceOf(Error);
      expect((cause as Error).stack).toMatch(/\n\s+at .+:\d+:\d+/);
    }
  } finally {
    await broken.close();
  }
}

const stops: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

describe.each(Object.entries(singleClients))("the errors of Redis, by %s, have no value:", (_name, connect) => {
  const troubles: Record<string, [says: RegExp, (server: RedisServer, connected: Connected) => Promise<unknown>]> = {
    "full memory": [/OOM/, (server) => server.command("CONFIG SET maxmemory 1")],
    "a user without rights": [/NOPERM/, (server) => server.command("ACL SETUSER default -eval -evalsha")],
    "another type under its keys": [
      /WRONGTYPE/,
      async (server) => {
        for (const line of (await server.command("KEYS *")).split("\r\n").filter((key) => key.includes("{"))) {
          await server.command(`DEL ${line}`);
          await server.command(`RPUSH ${line} 1`);
        }
      },
    ],
  };
  test.each(Object.entries(troubles))("%s", async (_trouble, [says, make]) => {
    const server = await RedisServer.start();
    stops.push(() => server.stop());
    const connected = await connect(server.port);
    await expectNothing({
      store: new RedisStore(connected.client),
      says,
      break: () => make(server, connected),
      close: () => connected.close(),
    });
  });

  test("commands that it does not know, whose arguments it quotes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fastsession-renamed-"));
    await writeFile(join(folder, "redis.conf"), "rename-command EVALSHA no\nrename-command EVAL nor\n");
    const server = await RedisServer.start({}, [join(folder, "redis.conf")]);
    stops.push(
      () => server.stop(),
      () => rm(folder, { recursive: true }),
    );
    const connected = await connect(server.port);
    await expectNothing({
      store: new RedisStore(connected.client),
      says: /unknown command/,
      break: () => Promise.resolve(),
      close: () => connected.close(),
    });
  });
});

const postgresClients = {
  pg: (url: string) => {
    const pool = new pg.Pool({ connectionString: url }).on("error", () => undefined);
    return { client: pool, close: () => pool.end() };
  },
  "postgres.js": (url: string) => {
    const sql = postgres(url, { onnotice: () => undefined, debug: true });
    return { client: sql, close: () => sql.end({ timeout: 1 }) };
  },
};

let databases = 0;

/** A new database. */
async function databaseOf(server: PostgresServer): Promise<string> {
  const admin = new pg.Client(server.url);
  await admin.connect();
  const name = `trouble_${(databases += 1)}`;
  await admin.query(`create database ${name}`);
  await admin.end();
  return server.url.replace(/[^/]*$/, name);
}

describe.each(Object.entries(postgresClients))("the errors of PostgreSQL, by %s, have no value:", (_name, open) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  const onWrite = (body: string): string => `
    create function spoil() returns trigger language plpgsql as $$ begin ${body}; end $$;
    create trigger spoil before insert or update on fastsession_sessions for each row execute function spoil();
    create trigger spoil before insert or update on fastsession_fields for each row execute function spoil();`;
  const troubles: Record<string, [says: RegExp, sql: string]> = {
    "a constraint that names the row": [
      /23514/,
      `alter table fastsession_fields add check (false) not valid;
       alter table fastsession_sessions add check (false) not valid;`,
    ],
    "a trigger that raises with the row": [/P0001/, onWrite("raise exception 'no row % here', new")],
    "a value of the wrong type": [/22P02/, onWrite("perform new::text::int; return new")],
    "a table that is gone": [/42P01/, "drop table fastsession_fields cascade; drop table fastsession_sessions cascade"],
  };
  test.each(Object.entries(troubles))("%s", async (_trouble, [says, sql]) => {
    const url = await databaseOf(server);
    const admin = new pg.Client(url);
    await admin.connect();
    const { client, close } = open(url);
    const store = new PostgresStore(client);
    await store.migrate();
    await expectNothing({
      store,
      says,
      break: () => admin.query(sql),
      close: () => Promise.all([admin.end(), close()]),
    });
  });
});

describe("the errors of MariaDB have no value:", () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await startMariadb();
  });
  afterAll(() => server.stop());
  const spoil = (body: string): string[] =>
    ["insert", "update"].map(
      (event) => `create trigger spoil_${event} before ${event} on fastsession_sessions for each row begin ${body} end`,
    );
  const troubles: Record<string, [says: RegExp, sql: string[]]> = {
    "a constraint": [/4025|3819/, ["alter table fastsession_sessions add constraint no_rows check (session_key = '')"]],
    "a trigger that signals the row": [
      /1644/,
      spoil(
        "declare m varchar(128) default left(concat('no ', new.session_key, new.fields), 120); signal sqlstate '45000' set message_text = m;",
      ),
    ],
    "a key that is there": [
      /1062/,
      [
        "create table seen (k varchar(600) primary key)",
        ...spoil(
          "insert into seen values (left(concat(new.session_key, new.fields), 500)), (left(concat(new.session_key, new.fields), 500));",
        ),
      ],
    ],
    "a value of the wrong type": [
      /1366|1292|1265/,
      spoil("declare n int; set n = concat(new.session_key, new.fields);"),
    ],
    "a table that is gone": [/1146/, ["drop table fastsession_sessions"]],
  };
  test.each(Object.entries(troubles))("%s", async (_trouble, [says, statements]) => {
    const admin = createPool(server.url);
    const name = `trouble_${(databases += 1)}`;
    await admin.query(`create database ${name}`);
    await admin.end();
    const pool = createPool(server.url.replace(/[^/]*$/, name));
    const store = new MysqlStore(pool);
    await store.migrate();
    await expectNothing({
      store,
      says,
      break: async () => {
        await pool.query("delete from fastsession_sessions");
        for (const sql of statements) await pool.query(sql);
      },
      close: () => pool.end(),
    });
  });
});
