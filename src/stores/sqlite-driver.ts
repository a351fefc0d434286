import { createRequire } from "node:module";
import { FastSessionError } from "../core/errors.ts";

/** What this store binds and reads. */
export type SqliteValue = string | number | null;

/** What the store calls of a prepared statement. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

/**
 * What the store calls of a connection. Those of `better-sqlite3`, `libsql`, `node:sqlite` and `bun:sqlite` have it.
 *
 * The store needs a connection for itself: between two verbs no transaction may be open on it.
 */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

/** A connection that the store opened, and therefore closes. */
export interface OwnDatabase extends SqliteDatabase {
  close(): unknown;
}

type Constructor = new (path: string) => OwnDatabase;

/**
 * Opens a file with the driver there is: `bun:sqlite`, `node:sqlite` (Node 22.13 or later; 22 prints a warning that it
 * is experimental), or the package `libsql`. Loaded by `require`, because a local store must answer without promises.
 *
 * @throws FastSessionError `ERR_SESSION_STORE` when there is none, with the line that installs one
 */
export function openFile(path: string): OwnDatabase {
  const require = createRequire(import.meta.url);
  if (process.versions["bun"] !== undefined) {
    return new (require("bun:sqlite") as { Database: Constructor }).Database(path);
  }
  const builtIn = process.getBuiltinModule("node:sqlite") as { DatabaseSync: Constructor } | undefined;
  if (builtIn !== undefined) return new builtIn.DatabaseSync(path);
  let Libsql: Constructor;
  try {
    Libsql = require("libsql") as Constructor;
  } catch (cause) {
    throw new FastSessionError(
      "ERR_SESSION_STORE",
      'this runtime has no SQLite of its own and the package "libsql" cannot be loaded: npm install libsql, or use Node 22.13 or later',
      { cause },
    );
  }
  try {
    return new Libsql(path);
  } catch (cause) {
    // What this constructor throws has no code.
    throw new FastSessionError("ERR_SESSION_STORE", `SQLite failed: ${REMEDIES["CANTOPEN"]}`, { cause });
  }
}

/** A row, in the order of the selected columns. */
export type Row = readonly SqliteValue[];

/**
 * A prepared statement whose rows are arrays, which every driver reads faster than objects; `libsql` adds a property of
 * its own to objects besides.
 *
 * A statement that was refused by a lock stays half-done in `libsql` 0.5, and then keeps later statements of the
 * connection from committing themselves. So nothing that writes is prepared outside of `BEGIN IMMEDIATE`.
 */
export class Statement {
  readonly #statement: SqliteStatement;
  readonly #toRow: (row: object) => Row;

  constructor(statement: SqliteStatement) {
    this.#statement = statement;
    this.#toRow = readArrays(statement) ? (row) => row as Row : Object.values;
  }

  get(...values: SqliteValue[]): Row | undefined {
    const row = this.#statement.get(...values) as object | null | undefined;
    return row === undefined || row === null ? undefined : this.#toRow(row);
  }

  all(...values: SqliteValue[]): Row[] {
    return (this.#statement.all(...values) as object[]).map(this.#toRow);
  }

  /** @returns how many rows changed */
  run(...values: SqliteValue[]): number {
    return Number(this.#statement.run(...values).changes);
  }
}

/** What drivers have to choose how rows come. */
interface Modes {
  /** `node:sqlite`; the first since 22.16. */
  setReturnArrays?(on: boolean): unknown;
  setReadBigInts?(on: boolean): unknown;
  /** `better-sqlite3` and `libsql`. Bun's method `raw` is another: it runs the statement. There `values` gives it away. */
  raw?(on: boolean): unknown;
  safeIntegers?(on: boolean): unknown;
  readonly reader?: boolean;
  readonly values?: unknown;
}

/** Asks for arrays and plain numbers. Answers whether rows come as arrays. */
function readArrays(statement: SqliteStatement): boolean {
  const modes = statement as Modes;
  if (typeof modes.setReturnArrays === "function") {
    modes.setReturnArrays(true);
    modes.setReadBigInts?.(false);
    return true;
  }
  if (modes.reader !== true || typeof modes.raw !== "function" || modes.values !== undefined) return false;
  modes.raw(true);
  modes.safeIntegers?.(false);
  return true;
}

/**
 * One atomic step. `IMMEDIATE`, because a transaction that begins by reading is refused without waiting
 * (`SQLITE_BUSY_SNAPSHOT`) when another connection has written since.
 */
export function transact<T>(db: SqliteDatabase, step: () => T): T {
  db.exec("begin immediate");
  try {
    const answer = step();
    db.exec("commit");
    return answer;
  } catch (error) {
    try {
      db.exec("rollback");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
    throw error;
  }
}

/** Primary result codes by their number, which is all that `node:sqlite` gives. */
const RESULT_CODES: Readonly<Record<number, string>> = {
  5: "BUSY",
  8: "READONLY",
  10: "IOERR",
  11: "CORRUPT",
  13: "FULL",
  14: "CANTOPEN",
  26: "NOTADB",
};

/** The primary result code without its prefix (`BUSY` of `SQLITE_BUSY_SNAPSHOT`), or `null`. */
export function resultCode(error: unknown): string | null {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === "number") return RESULT_CODES[errcode & 0xff] ?? null;
  return typeof code === "string" && code.startsWith("SQLITE_") ? (code.split("_")[1] ?? null) : null;
}

const REMEDIES: Readonly<Record<string, string>> = {
  BUSY: "the file was locked by another connection for too long: shorten its transactions, or raise busyDeadline",
  READONLY: "the file, or the folder it is in, may not be written by this process",
  IOERR: "the disk failed",
  CORRUPT: "the file is damaged: restore it, or remove it and start anew",
  FULL: "no space is left: reads go on, and writes do when there is space again",
  CANTOPEN: "the file cannot be opened: its folder must exist, and be writable by this process",
  NOTADB: "the file is no SQLite database",
};

/** What a verb throws: `ERR_SESSION_STORE`, with the driver's error as its cause. */
export function storeError(error: unknown): FastSessionError {
  if (error instanceof FastSessionError) return error;
  const remedy = REMEDIES[resultCode(error) ?? ""] ?? "see cause";
  return new FastSessionError("ERR_SESSION_STORE", `SQLite failed: ${remedy}`, { cause: error });
}
