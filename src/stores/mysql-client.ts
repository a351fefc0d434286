import type { Milliseconds } from "../core/units.ts";
import { type Effect, errno, isAnswer, READ_ONLY, storeError } from "./mysql-errors.ts";

/** What goes to the server for a `?`. */
export type MysqlValue = string | number | null;

/** A row, its columns in the order of the statement. */
export type Row = readonly unknown[];

/** How a statement is sent. Everything is said here, so that the pool's own settings change nothing. */
export interface MysqlQuery {
  readonly sql: string;
  readonly rowsAsArray: boolean;
  readonly namedPlaceholders: boolean;
  readonly nestTables: boolean;
  readonly typeCast: boolean;
}

/** What the store uses of a connection of `mysql2/promise`. */
export interface MysqlConnection {
  execute(query: MysqlQuery, values: MysqlValue[]): Promise<readonly [unknown, unknown]>;
  query(sql: string): Promise<unknown>;
  release(): void;
  destroy(): void;
}

/** What the store uses of a pool of `mysql2/promise`. */
export interface MysqlPool {
  getConnection(): Promise<MysqlConnection>;
}

/**
 * Errors after which nothing has happened and the same call may succeed: a row changed under a snapshot (1020), a key
 * that somebody else made at the same time (1062), a lock waited for too long (1205), a deadlock (1213).
 */
const RETRIED: ReadonlySet<unknown> = new Set([1020, 1062, 1205, 1213]);
const ATTEMPTS = 6;

/** Runs statements, each as a prepared one on a connection of the pool: one round trip after the connection's first. */
export class MysqlClient {
  readonly #pool: MysqlPool;
  readonly #timeout: Milliseconds;

  constructor(pool: MysqlPool, timeout: Milliseconds) {
    this.#pool = pool;
    this.#timeout = timeout;
  }

  /** The rows of a select, or something else of what is none. */
  async send(sql: string, values: MysqlValue[], effect: Effect = "reads"): Promise<readonly Row[]> {
    return (await this.#retried(sql, values, effect)) as readonly Row[];
  }

  /** The results of a procedure, each its rows. */
  async call(sql: string, values: MysqlValue[], effect: Effect = "writes"): Promise<readonly (readonly Row[])[]> {
    const results = (await this.#retried(sql, values, effect)) as readonly unknown[];
    // Last comes a header, which says nothing.
    return results.filter((result): result is readonly Row[] => Array.isArray(result));
  }

  /** Runs statements that cannot be prepared, one after the other on one connection. */
  async script(statements: readonly string[]): Promise<void> {
    try {
      const connection = await this.#pool.getConnection();
      try {
        for (const sql of statements) await connection.query(sql);
      } finally {
        connection.release();
      }
    } catch (error) {
      throw storeError(error, "reads");
    }
  }

  async #retried(sql: string, values: MysqlValue[], effect: Effect): Promise<unknown> {
    const until = performance.now() + this.#timeout;
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#acquire(until);
      try {
        return await this.#once(connection, sql, values, until);
      } catch (error) {
        const pause = Math.random() * 2 ** attempt;
        const late = performance.now() + pause >= until;
        if (attempt === ATTEMPTS || late || !RETRIED.has(errno(error))) throw storeError(error, effect);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  async #once(connection: MysqlConnection, sql: string, values: MysqlValue[], until: Milliseconds): Promise<unknown> {
    let usable = true;
    try {
      const query = { sql, rowsAsArray: true, namedPlaceholders: false, nestTables: false, typeCast: true };
      const [result] = await before(until, connection.execute(query, values));
      return result;
    } catch (error) {
      usable = isAnswer(error) && !READ_ONLY.has(errno(error));
      throw error;
    } finally {
      if (usable) connection.release();
      else connection.destroy();
    }
  }

  /** A connection. One that comes too late goes back unused. */
  async #acquire(until: Milliseconds): Promise<MysqlConnection> {
    const acquired = this.#pool.getConnection();
    try {
      return await before(until, acquired);
    } catch (error) {
      if (error === LATE) acquired.then((connection) => connection.release(), ignore);
      throw storeError(error, "reads");
    }
  }
}

const LATE = new Error("see `timeout` of MysqlStore");

/** The promise's answer, unless an instant passes first. */
async function before<T>(until: Milliseconds, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(LATE), Math.max(0, until - performance.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(ignore);
  }
}

function ignore(): void {
  // Whoever waited has been told something else.
}
