import { checkNames } from "../core/check-option.ts";
import type { Milliseconds } from "../core/units.ts";
import type { MysqlPool } from "./mysql-client.ts";

export const PREFIX = "fastsession_";
export const TIMEOUT: Milliseconds = 5000;

export interface MysqlStoreOptions {
  /**
   * Begins the names of the tables and procedures: for two applications in one database.
   *
   * @defaultValue `"fastsession_"`
   */
  readonly prefix?: string;
  /**
   * How long a verb may take in all, waiting for a connection included. Then it fails, and its connection is closed, so
   * that a server that no longer answers does not hold the pool for ever. More than `storeTimeout`.
   *
   * @defaultValue 5000
   */
  readonly timeout?: Milliseconds;
}

/** A promise pool of `mysql2/promise`, or a pool of `mysql2`, which makes one. */
export type AnyMysqlPool = MysqlPool | { promise(): MysqlPool };

const OPTIONS = { prefix: true, timeout: true } as const;

/** @throws TypeError for what is no pool, and for options out of their range */
export function checkArguments(pool: AnyMysqlPool, options: MysqlStoreOptions): void {
  const given = pool as { getConnection?: unknown } | null | undefined;
  if (typeof given?.getConnection !== "function") {
    throw new TypeError("MysqlStore takes a pool of mysql2: new MysqlStore(createPool(…))");
  }
  checkNames("MysqlStore", options, OPTIONS);
  const { prefix, timeout } = options;
  if (prefix !== undefined && !(typeof prefix === "string" && /^[A-Za-z_]\w{0,31}$/.test(prefix))) {
    throw new TypeError("prefix is up to 32 letters, digits and underscores, and begins with no digit");
  }
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout > 0 && timeout < 2 ** 31)) {
    throw new TypeError("timeout is a whole number of milliseconds above 0");
  }
}
