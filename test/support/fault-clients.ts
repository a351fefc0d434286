/** Each client that a store of a fleet takes, with a server of its kind, for the tests of what faults do to them. */
import { createPool } from "mysql2/promise";
import pg from "pg";
import postgres from "postgres";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { startMariadb } from "./mariadb-server.ts";
import { startPostgres } from "./postgres-server.ts";
import { singleClients } from "./redis-clients.ts";
import { RedisServer } from "./redis-server.ts";

export const SERVERS = {
  Redis: ["ioredis 6", "node-redis"],
  PostgreSQL: ["pg", "postgres.js"],
  MariaDB: ["mysql2"],
} as const;
export type ServerName = keyof typeof SERVERS;
export type ClientName = (typeof SERVERS)[ServerName][number] | "ioredis 5";

export interface FaultyServer {
  readonly port: number;
  /** Connections stay open, and nobody answers. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Starts a server with all that its store needs in it. */
export async function startServer(name: ServerName): Promise<FaultyServer> {
  if (name === "Redis") return RedisServer.start();
  const server = await (name === "PostgreSQL" ? startPostgres() : startMariadb());
  const { store, close } = await openClient(name === "PostgreSQL" ? "pg" : "mysql2", server.port);
  await (store as PostgresStore | MysqlStore).migrate();
  await close();
  return server;
}

export interface OpenStore {
  readonly store: SessionStore;
  close(): Promise<unknown>;
}

/** @param connections of a pool; clients of Redis have one */
export async function openClient(name: ClientName, port: number, connections = 4): Promise<OpenStore> {
  switch (name) {
    case "ioredis 5":
    case "ioredis 6":
    case "node-redis": {
      const { client, close } = await (singleClients[name] as (typeof singleClients)[string])(port);
      return { store: new RedisStore(client), close: async () => close() };
    }
    case "pg": {
      const pool = new pg.Pool({ port, host: "127.0.0.1", user: "postgres", max: connections });
      pool.on("error", () => undefined);
      return { store: new PostgresStore(pool), close: () => pool.end() };
    }
    case "postgres.js": {
      const settings = { host: "127.0.0.1", port, user: "postgres", max: connections, connect_timeout: 5 };
      const sql = postgres({ ...settings, onnotice: () => undefined });
      return { store: new PostgresStore(sql), close: () => sql.end({ timeout: 0 }) };
    }
    case "mysql2": {
      const pool = createPool({
        host: "127.0.0.1",
        port,
        user: "root",
        database: "test",
        connectionLimit: connections,
      });
      // Longer than a machine that does much else may stand still.
      return { store: new MysqlStore(pool, { timeout: 60_000 }), close: () => pool.end() };
    }
  }
}
