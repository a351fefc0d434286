import type { Application, NextFunction, Request, RequestHandler, Response } from "express";
import { chain } from "../core/awaitable.ts";
import type { DefaultData } from "../core/session-types.ts";
import { type SessionOptions, toSessions } from "../create-sessions.ts";
import { createExpressHandle, type ExpressSession } from "../http/express-handle.ts";
import type { HttpSessions } from "../http/http-sessions.ts";
import { abandonAll, attach, isMounted } from "../http/attach.ts";
import { NodeExchange, nodeSkipRequest } from "../http/node-exchange.ts";

export type { ExpressSession } from "../http/express-handle.ts";

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- how Express lets its request be extended
  namespace Express {
    interface Request {
      session: ExpressSession<DefaultData>;
    }
  }
}

class ExpressExchange extends NodeExchange {
  readonly #request: Request;

  constructor(sessions: HttpSessions<unknown>, request: Request, response: Response, next: NextFunction) {
    super(sessions, request, response, next);
    this.#request = request;
  }

  /** Express's own `trust proxy` decides. */
  override encrypted(): boolean {
    return this.#request.secure || super.encrypted();
  }
}

/**
 * Sessions for Express 5 and 4. Mount it before whatever ends responses.
 *
 * The session also has what Passport and other code written for express-session calls: `save`, `regenerate`, `reload`
 * and `destroy` with a callback.
 *
 * @example
 * app.use(fastSession({ secretKey: process.env.SESSION_SECRET! }));
 * app.get("/", (req, res) => res.send(`visit ${req.session.increment("visits")}`));
 */
export function fastSession<D = DefaultData>(given: SessionOptions | HttpSessions<D>): RequestHandler {
  const sessions = toSessions(given);
  const name = sessions.http.sessionObject as "session";
  return function fastSession(request, response, next) {
    try {
      watchErrors(request.app);
      const exchange = attach(
        request,
        sessions,
        () => nodeSkipRequest(request),
        () => new ExpressExchange(sessions, request, response, next),
      );
      if (exchange === null || isMounted(request[name], name)) return next();
      request[name] = createExpressHandle(exchange.state, (handle) => (request[name] = handle));
      const ready = chain(exchange.prepare(), () => next());
      if (ready !== undefined) ready.catch(next);
    } catch (error) {
      next(error);
    }
  };
}

const watched = new WeakSet<object>();

/**
 * Notices errors that handlers throw, so that what they only recorded is not saved.
 *
 * Express tells nobody but error-handling middleware, so one is put in front of the application's first. It answers
 * nothing and passes the error on. Errors that a sub-router handles by itself do not come by.
 */
function watchErrors(app: Application): void {
  if (watched.has(app)) return;
  watched.add(app);
  app.use((error: unknown, request: Request, _response: Response, next: NextFunction) => {
    abandonAll(request);
    next(error);
  });
  // Express 4 has `_router`, and a `router` that throws.
  const inner = app as unknown as Record<"_router" | "router", { stack: { handle: unknown }[] } | undefined>;
  const stack = (inner._router ?? inner.router)?.stack;
  const watcher = stack?.pop();
  if (stack === undefined || watcher === undefined) return;
  const first = stack.findIndex((layer) => typeof layer.handle === "function" && layer.handle.length === 4);
  stack.splice(first === -1 ? stack.length : first, 0, watcher);
}
