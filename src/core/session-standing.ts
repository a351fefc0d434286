import type { SessionCause } from "./cause.ts";
import { headersSent } from "./refusals.ts";
import { SessionIdentity } from "./session-identity.ts";
import type { Key } from "./session-record.ts";
import type { Bind } from "./session-store.ts";

/**
 * What the response has to do to the browser's cookie. `resend`: an id that was presented, or followed, is told again if
 * it is alive by then: it may have died since, and the browser have a newer one.
 */
export type CookieAction = "keep" | "send" | "resend" | "expire";

/** How a session stands in its request: how it was found, what may be done with it, what its cookie needs. */
export class SessionStanding extends SessionIdentity {
  cause: SessionCause = "none";
  cookie: CookieAction = "keep";
  /** The response waits for its commit: to the handler its headers are out already. */
  leaving = false;
  /** The headers are out, or the response's commit is done: the cookie stays as it is. */
  frozen = false;
  /** The handler threw. */
  abandoned = false;
  /** The key of a record that turned out unreadable, to be ended at the commit. */
  unreadable: Key | null = null;
  /** Why nothing may be written, or `null`. */
  readOnly: "gone" | "unavailable" | null = null;
  /** The request brought an id that a rotation retired longer than `rotationGrace` ago. */
  reused = false;
  /** Of the logins under way the last. */
  loginOf: Pick<Bind, "userId"> | null = null;
  /** The store call under way, which the next one of this request waits for. */
  pending: Promise<void> | null = null;

  /** The record moved under this request, to an id that the browser is told where it still can be. */
  moveTo(id: string, key: Key): void {
    this.id = id;
    this.key = key;
    if (!this.frozen) this.cookie = "resend";
  }

  /** A change of the cookie was asked for after the headers. */
  refuseCookieChange(what: string): void {
    if (this.frozen || this.leaving) throw headersSent(what);
  }
}
