/** What a session says when it cannot be used as it is. */
import { FastSessionError } from "./errors.ts";
import { quoted } from "./printable.ts";

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

/** Steps could be applied again; the change in place between them is in none of them. */
export function untold(field: string): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_CONFLICT",
    `another request changed ${quoted(field)} first, and this one changed it by many operations and in place, or by an update that does not repeat: save in between, or use append() alone`,
  );
}

export function ofNewerVersion(field: string): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_UNAVAILABLE",
    `the field ${quoted(field)} was written by a newer version of this program, which alone can read it: finish the deployment, or delete the field`,
    { path: field },
  );
}
