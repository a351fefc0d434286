import type { Middleware } from "koa";
import { createHandle } from "../core/session-handle.ts";
import type { SessionInfo } from "../core/session-info.ts";
import type { DefaultData, Session } from "../core/session-types.ts";
import { type SessionOptions, toSessions } from "../create-sessions.ts";
import type { HttpSessions } from "../http/http-sessions.ts";
import { attach, isMounted } from "../http/attach.ts";
import { NodeExchange } from "../http/node-exchange.ts";
import type { NodeResponse } from "../http/node-gate.ts";

/** What the middleware adds to the context's state: `ctx.state.session`. */
export interface SessionState<D = DefaultData, I extends SessionInfo = SessionInfo> {
  session: Session<D, I>;
}

/**
 * Sessions for Koa.
 *
 * @example
 * app.use(fastSession({ secretKey: process.env.SESSION_SECRET! }));
 * app.use((ctx) => { ctx.body = `visit ${ctx.state.session.increment("visits")}`; });
 */
export function fastSession<D = DefaultData, I extends SessionInfo = SessionInfo>(
  given: SessionOptions | HttpSessions<D, I>,
): Middleware<SessionState<D, I>> {
  const sessions = toSessions(given);
  const name = sessions.http.sessionObject;
  return async function fastSession(ctx, next) {
    const exchange = attach(
      ctx.req,
      sessions,
      () => ({
        method: ctx.method,
        path: ctx.path,
        host: ctx.host || undefined,
        header: (header) => ctx.get(header) || undefined,
      }),
      () => new KoaExchange(sessions, ctx),
    );
    const holder = ctx.state as unknown as Record<string, unknown>;
    if (exchange === null || isMounted(holder[name], name)) return next();
    holder[name] = createHandle(exchange.state);
    const ready = exchange.prepare();
    if (ready !== undefined) await ready;
    try {
      await next();
    } catch (error) {
      exchange.state.abandon();
      throw error;
    }
    const done = exchange.commit();
    if (done !== undefined) await done;
    // Middleware around this one may still write: Node's hook commits that with the first byte.
    if (!ctx.res.headersSent) exchange.state.frozen = false;
  };
}

/** The headers are written by Node's hook: Koa drops all that were set before when it answers an error. */
class KoaExchange extends NodeExchange {
  readonly #ctx: { readonly secure: boolean };

  constructor(
    sessions: HttpSessions<unknown>,
    ctx: { readonly req: object; readonly res: object; readonly secure: boolean },
  ) {
    super(sessions, ctx.req as never, ctx.res as unknown as NodeResponse);
    this.#ctx = ctx;
  }

  override encrypted(): boolean {
    return this.#ctx.secure || super.encrypted();
  }
}
