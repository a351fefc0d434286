import type { IncomingMessage, ServerResponse } from "node:http";
import { chain } from "../core/awaitable.ts";
import { FastSessionError } from "../core/errors.ts";
import { createHandle } from "../core/session-handle.ts";
import type { SessionInfo } from "../core/session-info.ts";
import type { DefaultData, Session } from "../core/session-types.ts";
import { type SessionOptions, toSessions } from "../create-sessions.ts";
import type { HttpSessions } from "../http/http-sessions.ts";
import { abandonAll, attach, isMounted } from "../http/attach.ts";
import { NodeExchange, nodeSkipRequest } from "../http/node-exchange.ts";
import type { NodeResponse } from "../http/node-gate.ts";

/** A request with a session. `undefined` on skipped requests. */
export type WithSession<D = DefaultData, I extends SessionInfo = SessionInfo> = IncomingMessage & {
  session: Session<D, I>;
};

export interface NodeSession<D, I extends SessionInfo = SessionInfo> {
  /** Wraps a request listener: `createServer(session((req, res) => …))`. An error it throws becomes a 500. */
  (
    handler: (request: WithSession<D, I>, response: ServerResponse) => unknown,
  ): (request: IncomingMessage, response: ServerResponse) => void;
  /** Runs as middleware of anything that speaks `(req, res, next)`. */
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void;
}

/**
 * Sessions for `node:http`, `node:https` and the compatibility API of `node:http2`.
 *
 * @example
 * const session = fastSession({ secretKey: process.env.SESSION_SECRET! });
 * createServer(session((req, res) => res.end(`visit ${req.session.increment("visits")}`)));
 */
export function fastSession<D = DefaultData, I extends SessionInfo = SessionInfo>(
  given: SessionOptions | HttpSessions<D, I>,
): NodeSession<D, I> {
  const sessions = toSessions(given);
  const name = sessions.http.sessionObject;

  function open(
    request: IncomingMessage,
    response: ServerResponse,
    fail: (error: unknown) => void,
    next: () => unknown,
  ): void {
    try {
      const node = response as unknown as NodeResponse;
      const exchange = attach(
        request,
        sessions,
        () => nodeSkipRequest(request),
        () => new NodeExchange(sessions, request, node),
      );
      const holder = request as unknown as Record<string, unknown>;
      if (exchange === null || isMounted(holder[name], name)) return void next();
      holder[name] = createHandle(exchange.state);
      const ready = chain(exchange.prepare(), () => void next());
      if (ready !== undefined) ready.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  return ((first: unknown, response: ServerResponse, next: (error?: unknown) => void) => {
    if (typeof first !== "function") return open(first as IncomingMessage, response, next, () => next());
    const handler = first as (request: IncomingMessage, response: ServerResponse) => unknown;
    return (request: IncomingMessage, answer: ServerResponse) => {
      const failed = (error: unknown): void => {
        abandonAll(request);
        const status = statusOf(error);
        // A request that another site made the browser send fills no log: there is an event.
        if (status !== 403) sessions.config.log.thrown(`the handler of ${request.method ?? ""} threw`, error);
        if (answer.writableEnded) return;
        if (answer.headersSent) return void answer.destroy();
        for (const header of answer.getHeaderNames()) answer.removeHeader(header);
        answer.statusCode = status;
        answer.end(TEXT[status]);
      };
      open(request, answer, failed, () => {
        try {
          const done = handler(request, answer);
          if (done instanceof Promise) done.catch(failed);
        } catch (error) {
          failed(error);
        }
      });
    };
  }) as NodeSession<D, I>;
}

const TEXT = { 403: "Forbidden", 500: "Internal Server Error", 503: "Service Unavailable" };

function statusOf(error: unknown): keyof typeof TEXT {
  if (error instanceof FastSessionError && error.code === "ERR_SESSION_CSRF") return 403;
  return (error as { status?: unknown } | null)?.status === 503 ? 503 : 500;
}
