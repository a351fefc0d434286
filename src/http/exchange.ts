import { type Awaitable } from "../core/units.ts";
import { commitResponse, newSession } from "../core/lifecycle.ts";
import { cookieMaxAge } from "../core/lifetime.ts";
import type { Carrier, Presented } from "../core/presented.ts";
import type { SessionState } from "../core/session-state.ts";
import type { HttpSessions } from "./http-sessions.ts";

/** What a response's headers must be able to do. */
export interface ResponseHeaders {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  /** Adds another `Set-Cookie`, leaving those there are. */
  appendCookie(line: string): void;
}

/**
 * One request and its response, as an adapter tells it: four things about the request, and when the session is first
 * used. Everything else about cookies and headers is decided here, once.
 */
export abstract class Exchange implements Carrier {
  readonly sessions: HttpSessions<unknown>;
  /** Private, since the request leads here for whoever prints it. */
  readonly #state: SessionState;

  constructor(sessions: HttpSessions<unknown>) {
    this.sessions = sessions;
    this.#state = newSession(sessions.config, this);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The request's Cookie header; several are joined with `; `. */
  abstract cookieHeader(): string | undefined;
  /** One of the request's headers, by its name in lower case. */
  abstract header(name: string): string | undefined;
  /** Whether the client's connection is encrypted, as far as the framework knows and trusts its proxies. */
  abstract encrypted(): boolean;
  /** Lets the headers wait for the commit, where the framework does not by itself. */
  abstract holdHeaders(): void;
  /** The client has left, as far as the framework knows. */
  abstract get closed(): boolean;

  /** The session is used for the first time. */
  touched(): void {
    this.holdHeaders();
    if (this.state.frozen) this.sessions.config.log.warnOnce(LATE);
  }

  present(now: number): Presented {
    return this.sessions.http.cookie.read(this.cookieHeader(), now);
  }

  /** Reads the session before the handler, where the store is remote. */
  prepare(): Awaitable<void> {
    return this.sessions.config.store.capabilities.local ? undefined : this.state.prepare();
  }

  /** Brings the store in line, before the first byte of the response. */
  commit(): Awaitable<void> {
    return commitResponse(this.state);
  }

  /** Writes what the session means for the headers. Call it once, after `commit`. */
  writeHeaders(headers: ResponseHeaders): void {
    const { state } = this;
    if (state.accessed) addVary(headers);
    const line = this.#cookieLine();
    if (line === null) return;
    headers.appendCookie(line);
    // OWASP ASVS 5.0, 14.3.2: whoever may cache the response would hand the cookie on.
    if (headers.get("cache-control") === undefined) headers.set("cache-control", "no-store");
  }

  #cookieLine(): string | null {
    const { state } = this;
    if (state.cookie === "keep" || (state.cookie === "resend" && !state.accessed)) return null;
    const { cookie } = this.sessions.http;
    const secure = this.#secure();
    if (state.cookie === "expire") return cookie.expired(secure);
    if (!state.saved) return null;
    const maxAge = state.binding?.maxAge ?? null;
    const { lifetime, now } = state.config;
    return cookie.line(
      state.id as string,
      state.createdAt,
      cookieMaxAge(lifetime, state.createdAt, state.expiresAt, maxAge, now()),
      secure,
    );
  }

  #secure(): boolean {
    const { secure, warnInsecure } = this.sessions.http;
    if (secure === false || this.encrypted()) return secure !== false;
    warnInsecure(this.header("x-forwarded-proto"));
    // With `true` sent all the same: only the browser knows what is between it and us.
    return secure === true;
  }
}

const LATE =
  "a session was first looked at when the headers had left, which have no Vary: Cookie for that: a shared cache may give the response to others. Look at it before the first byte, as at session.info.userId";

/** `Vary: Cookie`, kept with what the handler set (CVE-2026-27205: any look at the session counts). */
function addVary(headers: ResponseHeaders): void {
  const vary = headers.get("vary");
  if (vary === undefined || vary === "") headers.set("vary", "Cookie");
  else if (vary !== "*" && !/(?:^|,)\s*cookie\s*(?:,|$)/i.test(vary)) headers.set("vary", `${vary}, Cookie`);
}
