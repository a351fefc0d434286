import { FastSessionError } from "../core/errors.ts";

/** Whether a call that was not answered may have changed something. */
export type Effect = "reads" | "writes";

/** A server that became read-only: its other connections may lead to the one that is not. */
export const READ_ONLY: ReadonlySet<unknown> = new Set([1290, 1792, 1836]);

const READ_ONLY_REMEDY = "it is read-only, as a replica is: give the store a pool of the primary";
const RIGHTS = "see docs/mysql.md for the rights it needs";
const MISSING = "it has no tables for sessions: run migrate(), or the SQL of migrationSql()";

/** By the server's number, or the connection's code. */
const REMEDIES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [1040, "it has no connection free: use smaller pools, or raise max_connections"],
  [1044, `this user may not use this database, or make procedures in it: ${RIGHTS}`],
  [1045, "it refuses this user or password: look at the pool's settings"],
  [1046, "the pool names no database: add it to its settings"],
  [1049, "there is no such database: create it, or look at the pool's settings"],
  [1142, `this user may not use a table, or make one: ${RIGHTS}`],
  [1146, MISSING],
  [1305, MISSING],
  [1370, `this user may not call a procedure, or make one: ${RIGHTS}`],
  // `SIGNAL`: by the procedures, or by somebody's trigger.
  [1644, "a session outgrew max_allowed_packet, which can be raised, or a trigger refused it"],
  ["ECONNREFUSED", "nobody answers at this address: look at host and port, and whether the server runs"],
  ["ENOTFOUND", "there is no such host: look at the pool's settings"],
]);

export function errno(error: unknown): unknown {
  return (error as { errno?: unknown } | null)?.errno;
}

/** Whether the server said so itself, and has undone what it had begun. */
export function isAnswer(error: unknown): boolean {
  const { sqlState, fatal } = error as { sqlState?: unknown; fatal?: unknown };
  return typeof sqlState === "string" && fatal !== true;
}

/** What a verb throws, with the driver's error as its cause. */
export function storeError(cause: unknown, effect: Effect): FastSessionError {
  if (effect === "writes" && !isAnswer(cause)) {
    const message =
      "the connection to the database failed during a call, which may have happened all the same: see cause";
    return new FastSessionError("ERR_SESSION_STORE_UNKNOWN", message, { cause });
  }
  const number = errno(cause);
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  const remedy = READ_ONLY.has(number) ? READ_ONLY_REMEDY : (REMEDIES.get(number) ?? REMEDIES.get(code) ?? "see cause");
  return new FastSessionError("ERR_SESSION_STORE", `the database failed: ${remedy}`, { cause });
}
