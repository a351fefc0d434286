import type { Context, MiddlewareHandler } from "hono";
import { createHandle } from "../core/session-handle.ts";
import type { SessionInfo } from "../core/session-info.ts";
import type { DefaultData, Session } from "../core/session-types.ts";
import { type SessionOptions, toSessions } from "../create-sessions.ts";
import { Exchange } from "../http/exchange.ts";
import { fetchSkipRequest, headersOf, urlEncrypted } from "../http/fetch-exchange.ts";
import type { HttpSessions } from "../http/http-sessions.ts";
import { attach, isMounted } from "../http/attach.ts";

/** What the middleware adds to the context: `c.var.session`, `c.get("session")`. */
export interface SessionEnv<D = DefaultData, I extends SessionInfo = SessionInfo> {
  Variables: { session: Session<D, I> };
}

class HonoExchange extends Exchange {
  readonly #context: Context;

  constructor(sessions: HttpSessions<unknown>, context: Context) {
    super(sessions);
    this.#context = context;
  }

  cookieHeader(): string | undefined {
    return this.#context.req.header("cookie");
  }

  header(name: string): string | undefined {
    return this.#context.req.header(name);
  }

  encrypted(): boolean {
    return urlEncrypted(this.#context.req.url, this.#context.req.raw.headers, this.sessions.http.trustProxy);
  }

  holdHeaders(): void {
    // The response comes back through the middleware: there is nothing to install.
  }

  get closed(): boolean {
    return this.#context.req.raw.signal.aborted;
  }
}

/**
 * Sessions for Hono, on every runtime it runs on.
 *
 * @example
 * app.use(fastSession({ secretKey: process.env.SESSION_SECRET! }));
 * app.get("/", (c) => c.text(`visit ${c.var.session.increment("visits")}`));
 */
export function fastSession<D = DefaultData, I extends SessionInfo = SessionInfo>(
  given: SessionOptions | HttpSessions<D, I>,
): MiddlewareHandler<SessionEnv<D, I>> {
  const sessions = toSessions(given);
  const name = sessions.http.sessionObject as "session";
  return async function fastSession(c, next) {
    const exchange = attach(
      c,
      sessions,
      () => fetchSkipRequest(c.req.raw),
      () => new HonoExchange(sessions, c),
    );
    if (exchange === null || isMounted(c.get(name), name)) return next();
    c.set(name, createHandle(exchange.state) as unknown as Session<D, I>);
    const ready = exchange.prepare();
    if (ready !== undefined) await ready;
    await next();
    // Hono has made an error's response by now; what was only recorded is not saved.
    if (c.error !== undefined) exchange.state.abandon();
    try {
      const done = exchange.commit();
      if (done !== undefined) await done;
    } finally {
      // Also before an error, whose response takes the headers over: what was awaited stands, with its cookie.
      writeHeaders(exchange, c);
    }
  };
}

function writeHeaders(exchange: Exchange, c: Context): void {
  const { state } = exchange;
  if (!state.accessed && state.cookie === "keep") return;
  try {
    // Not `c.header()`: on a finished response that rebuilds it, off the server's fast path.
    exchange.writeHeaders(headersOf(c.res));
  } catch (error) {
    // Redirects and fetched responses have immutable headers; the first write tells, before any was done.
    if (!(error instanceof TypeError)) throw error;
    c.res = new Response(c.res.body, c.res);
    exchange.writeHeaders(headersOf(c.res));
  }
}
