/** What a session says when it cannot be used as it is. */
import { FastSessionError } from "./errors.ts";

export function destroyed(): FastSessionError {
  return new FastSessionError("ERR_SESSION_DESTROYED", "the session was destroyed in this request: only info is left");
}

export function readOnlyBecause(why: "gone" | "unavailable"): FastSessionError {
  return why === "unavailable"
    ? new FastSessionError("ERR_SESSION_UNAVAILABLE", "the store failed: this request's session is read-only")
    : new FastSessionError(
        "ERR_SESSION_GONE",
        "the session ended or moved while this request was under way: the browser's next request has the new one",
      );
}

export function headersSent(what: string): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_HEADERS_SENT",
    `${what} needs to send a cookie, and the response's headers are out: do it before the first byte (call saveSession() before streaming)`,
  );
}

export function notLoaded(): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_NOT_LOADED",
    'this store is read before the handler or, with load: "lazy", by "await session.load()": call that first',
  );
}
