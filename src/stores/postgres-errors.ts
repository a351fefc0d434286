import { FastSessionError } from "../core/errors.ts";

interface ClientError {
  readonly code?: unknown;
  /** Only errors that the server sent have one. */
  readonly severity?: unknown;
  readonly message?: unknown;
  /** Where in PostgreSQL's source: messages may be in any language. */
  readonly routine?: unknown;
}

/** PostgreSQL's code of an error that the server sent, else `null`. */
export function sqlState(error: unknown): string | null {
  const { code, severity } = (error ?? {}) as ClientError;
  return severity !== undefined && typeof code === "string" ? code : null;
}

/**
 * Whether the same call may simply be made again: it lost against another transaction and has left nothing behind.
 * Serialization failure, deadlock, and a key that somebody else made between a look and an insertion.
 */
export function isCollision(error: unknown): boolean {
  return ["40001", "40P01", "23505"].includes(sqlState(error) ?? "");
}

/** The connection was not there yet, so nothing was sent. */
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "CONNECT_TIMEOUT"]);
const NO_CONNECTION_FREE = /timeout exceeded when trying to connect/;

/**
 * The server ended the connection, perhaps after it had committed (class 08, shutdown, crash, 40003). Or a prepared
 * statement is lost (26000), which may be told to the wrong call.
 */
const UNCERTAIN = /^(08...|57P0[12]|40003|26000)$/;

/** Whether a call that failed so may have happened nevertheless. */
function isUncertain(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return UNCERTAIN.test(state);
  const { code, message } = (error ?? {}) as ClientError;
  return !NOT_SENT.has(code as string) && !NO_CONNECTION_FREE.test(String(message));
}

/** Of the limits that 54000 is about the one that no text of ours is over. */
const QUEUE_FULL = "PreCommit_Notify";

const REMEDIES: Readonly<Record<string, string>> = {
  "25006": "it is read-only, as a replica is: connect to the primary, and look at default_transaction_read_only",
  "28000": "it refuses this user: look at the connection string, and at pg_hba.conf",
  "28P01": "it refuses this user's password: look at the connection string",
  "3D000": "there is no such database: create it, or look at the connection string",
  "3F000": "the schema is missing: run migrate() before the first session, or what migrationSql() prints",
  "42P01": "a table is missing: run migrate() before the first session, or what migrationSql() prints",
  "42883": "a function is missing: run migrate() before the first session, or what migrationSql() prints",
  "42501": "this role may not use a table, or make one: see docs/postgres.md for the rights it needs",
  "26000":
    "a prepared statement is lost, as behind a transaction-mode pooler: leave `prepare` off, and make postgres.js with `prepare: false`",
  "42P05": "a prepared statement is somebody else's, as behind a transaction-mode pooler: leave `prepare` off",
  "40001": "it kept losing against other transactions: make READ COMMITTED the default isolation level",
  "40P01": "it kept meeting deadlocks: look for other programs that lock rows of fastsession's tables",
  "53100": "its disk is full",
  "53300": "it has no connection free: use fewer, or a pooler",
  "54000":
    "its queue of notifications is full, since somebody who listens is in a transaction that does not end: see pg_notification_queue_usage() and pg_stat_activity",
  "57P03": "it is starting up or shutting down",
};

/**
 * What a verb throws, with the client's error as its cause: `ERR_SESSION_STORE` when nothing of the verb has happened,
 * `ERR_SESSION_STORE_UNKNOWN` when the connection broke before the answer to a write came.
 */
export function storeError(error: unknown, writes: boolean): Error {
  if (error instanceof FastSessionError) return error;
  // A client that read what it had not been told of.
  if (error instanceof TypeError || error instanceof RangeError) return strayAnswer(writes, error);
  if (sqlState(error) === "54000" && (error as ClientError).routine !== QUEUE_FULL) {
    return new FastSessionError(
      "ERR_SESSION_TOO_LARGE",
      "a field's name or a user id is longer than PostgreSQL indexes: at most 2,700 bytes",
      { cause: error },
    );
  }
  const state = sqlState(error);
  const remedy = REMEDIES[state ?? ""] ?? (state === null ? "no connection, see cause" : "see cause");
  if (writes && isUncertain(error)) {
    const message = state === "26000" ? remedy : "the connection broke before the answer to a write came: see cause";
    return new FastSessionError("ERR_SESSION_STORE_UNKNOWN", `PostgreSQL failed: ${message}`, { cause: error });
  }
  return new FastSessionError("ERR_SESSION_STORE", `PostgreSQL failed: ${remedy}`, { cause: error });
}

/** An answer came that is another call's, or none's. Nothing in it may be believed, not even that there is no session. */
export function strayAnswer(writes: boolean, cause?: unknown): Error {
  return new FastSessionError(
    writes ? "ERR_SESSION_STORE_UNKNOWN" : "ERR_SESSION_STORE",
    "PostgreSQL failed: the client took another call's answer, as postgres.js does behind a transaction-mode pooler: make it with `prepare: false`",
    { cause },
  );
}
