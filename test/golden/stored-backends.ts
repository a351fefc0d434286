/** Backends whose contents can be read and written past their store, for the fixtures of what version 1 has written. */
import { PGlite } from "@electric-sql/pglite";
import { Redis } from "ioredis";
import { createPool, type RowDataPacket } from "mysql2/promise";
import type { SessionStore } from "../../src/core/session-store.ts";
import { fromExpressStore } from "../../src/stores/express-store.ts";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { fromSimpleStore, type SimpleData } from "../../src/stores/simple.ts";
import { openFile } from "../../src/stores/sqlite-driver.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";

export interface Backend {
  readonly store: SessionStore;
  /** All there is, as JSON. */
  dump(): Promise<unknown>;
  /** Puts what was dumped in the place of all there is. A file has to be a new one. */
  restore(content: never): Promise<void>;
  close(): Promise<unknown>;
}

type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
const TABLES = ["fastsession_sessions", "fastsession_fields", "fastsession_users"];

/** SQL without its comments. */
function oneLine(sql: string): string {
  return sql.replaceAll(/--[^\n]*/g, "").replaceAll(/\s+/g, " ");
}

/** Also the tables themselves, as a file has them. @param path where no file is */
export function sqlite(path: string): Backend {
  const store = new SqliteStore(path);
  return {
    store,
    dump: async () => {
      const db = openFile(path);
      const all = (sql: string): unknown[] => db.prepare(sql).all();
      const schema = all("select sql from sqlite_master where sql is not null order by name") as { sql: string }[];
      const tables = ["fastsession_schema", ...TABLES].map((table) => [table, all(`select * from ${table}`)] as const);
      db.close();
      return { schema: schema.map(({ sql }) => oneLine(sql)), rows: Object.fromEntries(tables) };
    },
    restore: async ({ schema, rows }: { schema: readonly string[]; rows: Rows }) => {
      const db = openFile(path);
      const order = ["create table", "create index", "create view", "create trigger"];
      for (const begin of order) for (const sql of schema) if (sql.toLowerCase().startsWith(begin)) db.exec(sql);
      for (const [table, content] of Object.entries(rows)) {
        for (const row of content) {
          const names = Object.keys(row);
          const marks = names.map(() => "?").join();
          db.prepare(`insert into ${table} (${names.join()}) values (${marks})`).run(
            ...(Object.values(row) as never[]),
          );
        }
      }
      db.close();
    },
    close: async () => store.close(),
  };
}

export async function postgres(): Promise<Backend> {
  const client = new PGlite();
  const store = new PostgresStore(client);
  await store.migrate();
  const columns = `select table_name, column_name, data_type, is_nullable from information_schema.columns
    where table_name like 'fastsession%' order by table_name, ordinal_position`;
  return {
    store,
    dump: async () => {
      const rows = TABLES.map(async (table) => {
        const { rows } = await client.query<{ row: unknown }>(
          `select to_json(t) as row from ${table} t order by 1::text`,
        );
        return [table, rows.map(({ row }) => row)] as const;
      });
      const schema = (await client.query<Record<string, string>>(columns)).rows;
      return {
        schema: schema.map((column) => Object.values(column).join(" ")),
        rows: Object.fromEntries(await Promise.all(rows)) as Rows,
      };
    },
    restore: async ({ rows }: { rows: Rows }) => {
      for (const [table, content] of Object.entries(rows)) {
        await client.query(`delete from ${table}`);
        const from = `select * from json_populate_recordset(null::${table}, $1)`;
        await client.query(`insert into ${table} overriding system value ${from}`, [JSON.stringify(content)]);
      }
    },
    close: () => client.close(),
  };
}

export async function mysql(url: string): Promise<Backend> {
  const pool = createPool(url);
  const store = new MysqlStore(pool);
  await store.migrate();
  const tables = ["fastsession_sessions", "fastsession_users"];
  const columns = `select concat_ws(' ', table_name, column_name, column_type, is_nullable) as line from information_schema.columns
    where table_schema = database() and table_name like 'fastsession%' order by table_name, ordinal_position`;
  /** Bytes are not JSON. */
  const plain = (value: unknown): unknown => (Buffer.isBuffer(value) ? { hex: value.toString("hex") } : value);
  return {
    store,
    dump: async () => {
      const rows: Record<string, unknown> = {};
      for (const table of tables) {
        const [found] = await pool.query<RowDataPacket[]>(`select * from ${table} order by 1`);
        rows[table] = found.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, one]) => [name, plain(one)])),
        );
      }
      const [schema] = await pool.query<RowDataPacket[]>(columns);
      return { schema: schema.map(({ line }) => line as string), rows };
    },
    restore: async ({ rows }: { rows: Rows }) => {
      for (const [table, content] of Object.entries(rows)) {
        await pool.query(`delete from ${table}`);
        for (const row of content) {
          const values = Object.values(row).map((one) =>
            typeof one === "object" && one !== null ? Buffer.from((one as { hex: string }).hex, "hex") : one,
          );
          await pool.query(`insert into ${table} (${Object.keys(row).join()}) values (?)`, [values]);
        }
      }
    },
    close: () => pool.end(),
  };
}

type RedisValue = { readonly hash: Record<string, string> } | { readonly zset: string[] } | { readonly string: string };

export async function redis(url: string): Promise<Backend> {
  const client = new Redis(url);
  const valueOf = async (key: string): Promise<RedisValue> => {
    switch (await client.type(key)) {
      case "hash":
        return { hash: await client.hgetall(key) };
      case "zset":
        return { zset: await client.zrange(key, 0, -1, "WITHSCORES") };
      default:
        return { string: (await client.get(key)) as string };
    }
  };
  return {
    store: new RedisStore(client),
    dump: async () => {
      const keys = (await client.keys("*")).toSorted();
      return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await valueOf(key)] as const)));
    },
    restore: async (content: Readonly<Record<string, RedisValue>>) => {
      await client.flushall();
      for (const [key, value] of Object.entries(content)) {
        if ("hash" in value) await client.hset(key, value.hash);
        else if ("zset" in value) await client.zadd(key, ...value.zset.toReversed());
        else await client.set(key, value.string);
      }
    },
    close: async () => client.disconnect(),
  };
}

/** A store with the original's five methods, whose objects are plain JSON. */
export function objects(): Backend {
  const kept = new Map<string, string>();
  const store = fromSimpleStore({
    hasSessionId: (id) => kept.has(id),
    createStore: (id) => void kept.set(id, "{}"),
    getStore: (id) => JSON.parse(kept.get(id) ?? "null") as SimpleData | null,
    saveStore: (id, data) => void kept.set(id, JSON.stringify(data)),
    gc: () => undefined,
  });
  return ofObjects(store, kept);
}

/** A store for express-session. The lifetime in `cookie` is that of a cookie that nobody sends: it is left out. */
export function express(): Backend {
  const kept = new Map<string, string>();
  const store = fromExpressStore({
    get: (id, done) => done(null, JSON.parse(kept.get(id) ?? "null")),
    set: (id, session, done) => {
      kept.set(id, JSON.stringify({ ...(session as object), cookie: undefined }));
      done();
    },
    destroy: (id, done) => (kept.delete(id), done()),
  });
  return ofObjects(store, kept);
}

function ofObjects(store: SessionStore, kept: Map<string, string>): Backend {
  return {
    store,
    dump: async () => Object.fromEntries([...kept].map(([id, text]) => [id, JSON.parse(text) as unknown])),
    restore: async (content: Readonly<Record<string, unknown>>) => {
      for (const [id, value] of Object.entries(content)) kept.set(id, JSON.stringify(value));
    },
    close: async () => undefined,
  };
}
