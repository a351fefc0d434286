import { printable } from "./printable.ts";
import { safeError } from "./safe-error.ts";

/** Codes are stable within a major version; messages may improve at any time. */
export type FastSessionErrorCode =
  /** The store failed, answered too late or answered nonsense. The session's state is as before the call. */
  | "ERR_SESSION_STORE"
  /** A call was sent and its outcome is unknown. It may or may not have happened. */
  | "ERR_SESSION_STORE_UNKNOWN"
  /** A bounded store has no room. */
  | "ERR_SESSION_STORE_FULL"
  /** `onStoreError: "anonymous"` served a read-only session, and it was written to; or a field is of a newer version. */
  | "ERR_SESSION_UNAVAILABLE"
  /** The session ended while this request was under way: logged out, revoked, expired, or rotated by another. */
  | "ERR_SESSION_GONE"
  /** Used after `destroy()`. */
  | "ERR_SESSION_DESTROYED"
  /** Another request changed the same field first and `onConflict` is `"reject"`, or repeats ran out of time. */
  | "ERR_SESSION_CONFLICT"
  /** `serialize`: another request had the session for all of the wait, or this one outlived its lease. */
  | "ERR_SESSION_LOCKED"
  /** The cookie would have to change and the response's headers are sent. */
  | "ERR_SESSION_HEADERS_SENT"
  /** A value that cannot be stored. `path` names it. */
  | "ERR_SESSION_VALUE"
  /** A field or the session is over its size or depth limit. */
  | "ERR_SESSION_TOO_LARGE"
  /** `increment` of something that is no number, `append` to something that is no list. */
  | "ERR_SESSION_FIELD_TYPE"
  /** A value that the field's schema refuses. */
  | "ERR_SESSION_INVALID"
  /** Read before `await session.load()` with `load: "lazy"` on a remote store. */
  | "ERR_SESSION_NOT_LOADED"
  /** The id generator gave something that is no id, or kept giving taken ones. */
  | "ERR_SESSION_ID"
  /** The login was refused: cap reached, or revoked since it began. */
  | "ERR_SESSION_REJECTED"
  /** The store has no index of users, no feed or no lock, and that was asked for. */
  | "ERR_SESSION_UNSUPPORTED"
  /** The option `csrf` refused a request that a page of another origin sent. */
  | "ERR_SESSION_CSRF";

const HTTP_STATUS: Partial<Record<FastSessionErrorCode, number>> = {
  ERR_SESSION_STORE: 503,
  ERR_SESSION_STORE_UNKNOWN: 503,
  ERR_SESSION_STORE_FULL: 503,
  ERR_SESSION_UNAVAILABLE: 503,
  ERR_SESSION_CONFLICT: 409,
  ERR_SESSION_GONE: 409,
  ERR_SESSION_LOCKED: 409,
  ERR_SESSION_REJECTED: 409,
  ERR_SESSION_CSRF: 403,
};

const REASON: Partial<Record<number, string>> = { 403: "Forbidden", 409: "Conflict", 503: "Service Unavailable" };

/**
 * What this library throws when something outside the program went wrong. A caller's mistake is a `TypeError`.
 *
 * `status`, `statusCode` and `expose` are what Express, Fastify, Koa and Hono's error handlers look at: a failing store
 * becomes a 503 without a word of configuration. Messages hold no id, token, secret or data value. Nor does `cause`, which
 * is not the very error of a client or a store, but a copy of its name, code, message and stack.
 *
 * @example
 * if (error instanceof FastSessionError && error.code === "ERR_SESSION_STORE") retryLater();
 */
export class FastSessionError extends Error {
  override readonly name = "FastSessionError";
  readonly code: FastSessionErrorCode;
  /** Where in the data the trouble is, as in `cart[2].price`. */
  readonly path: string | undefined;
  readonly status: number;
  readonly statusCode: number;
  /** Whether the message may be shown to a client. Never. */
  readonly expose = false;

  constructor(code: FastSessionErrorCode, message: string, options: { cause?: unknown; path?: string } = {}) {
    super(printable(message), "cause" in options ? { cause: loggable(options.cause) } : undefined);
    this.code = code;
    this.path = options.path && printable(options.path);
    this.status = this.statusCode = HTTP_STATUS[code] ?? 500;
  }

  /** What Hono's default error handler asks an error for, and a Fetch API handler may return. */
  getResponse(): Response {
    return new Response(REASON[this.status] ?? "Internal Server Error", { status: this.status });
  }
}

/** What a store threw, as it may be kept and told: our own errors are safe, of others there is a copy that is. */
export function loggable(error: unknown): unknown {
  // Why a session ended is a word.
  const own = error instanceof FastSessionError || (typeof error === "string" && /^[a-z-]{1,20}$/.test(error));
  return own ? error : safeError(error);
}
