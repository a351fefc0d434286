/** One store of each backend by its address, as a process of the fleet opens it. Loads what it needs and no more. */
import type { SessionStore } from "../../src/core/session-store.ts";

export const BACKENDS = ["SQLite", "Redis", "PostgreSQL", "MariaDB"] as const;
export type BackendName = (typeof BACKENDS)[number];

/** Opens the store; tables and functions are made where there are none. */
export async function openStore(name: BackendName, address: string): Promise<SessionStore> {
  switch (name) {
    case "SQLite": {
      const { SqliteStore } = await import("../../src/stores/sqlite.ts");
      return new SqliteStore(address);
    }
    case "Redis": {
      const { Redis } = await import("ioredis");
      const { RedisStore } = await import("../../src/stores/redis.ts");
      return new RedisStore(new Redis(address).on("error", reported));
    }
    case "PostgreSQL": {
      const { default: pg } = await import("pg");
      const { PostgresStore } = await import("../../src/stores/postgres.ts");
      const store = new PostgresStore(new pg.Pool({ connectionString: address }).on("error", reported));
      await store.migrate();
      return store;
    }
    case "MariaDB": {
      const { createPool } = await import("mysql2/promise");
      const { MysqlStore } = await import("../../src/stores/mysql.ts");
      const store = new MysqlStore(createPool(address));
      await store.migrate();
      return store;
    }
  }
}

/** Clients tell of lost connections by an event, too; the calls on them fail, which is what counts. */
function reported(): void {}
