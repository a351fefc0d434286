import { FastSessionError } from "../core/errors.ts";
import { createHandle } from "../core/session-handle.ts";
import type { SessionInfo } from "../core/session-info.ts";
import type { DefaultData, Session } from "../core/session-types.ts";
import type { Awaitable } from "../core/units.ts";
import { type SessionOptions, toSessions } from "../create-sessions.ts";
import { FetchExchange, fetchSkipRequest, withHeaders } from "../http/fetch-exchange.ts";
import type { HttpSessions } from "../http/http-sessions.ts";

/** A handler of the Fetch API. On skipped requests `session` is `undefined`. */
export type FetchHandler<D, Rest extends unknown[], I extends SessionInfo = SessionInfo> = (
  request: Request,
  session: Session<D, I>,
  ...rest: Rest
) => Awaitable<Response>;

/** Makes `(request) => response` out of a handler that also gets the session. */
export type FetchSession<D, I extends SessionInfo = SessionInfo> = <Rest extends unknown[]>(
  handler: FetchHandler<D, Rest, I>,
  options?: {
    /** The answer to an error that the handler threw. @defaultValue logs it and answers 500, or 503 for a failing store */
    readonly onError?: (error: unknown, request: Request) => Awaitable<Response>;
  },
) => (request: Request, ...rest: Rest) => Promise<Response>;

/** The sessions of requests that are being handled: one mounted twice is one, and a throw is a throw for all. */
const UNDER_WAY = Symbol("fastsession.underWay");
type Tracked = Request & { [UNDER_WAY]?: readonly FetchExchange[] };

/**
 * Sessions for whatever serves `(Request) => Response`: Bun, Deno, Workers, and most meta-frameworks.
 *
 * @example
 * const session = fastSession({ secretKey });
 * export default { fetch: session((request, session) => new Response(`visit ${session.increment("visits")}`)) };
 */
export function fastSession<D = DefaultData, I extends SessionInfo = SessionInfo>(
  given: SessionOptions | HttpSessions<D, I>,
): FetchSession<D, I> {
  const sessions = toSessions(given);
  return (handler, { onError = defaultError } = {}) =>
    async (request, ...rest) => {
      let admitted: boolean;
      try {
        admitted = sessions.admit(() => fetchSkipRequest(request));
      } catch (error) {
        return onError(error, request);
      }
      if (!admitted) return handler(request, undefined as unknown as Session<D, I>, ...rest);
      const tracked: Tracked = request;
      const others = tracked[UNDER_WAY] ?? [];
      const outer = others.find((one) => one.sessions === sessions);
      // Mounted twice: the outer one commits.
      if (outer !== undefined) return handler(request, handleOf(outer), ...rest);
      const exchange = new FetchExchange(sessions, request);
      tracked[UNDER_WAY] = [...others, exchange];
      let response: Response;
      try {
        const ready = exchange.prepare();
        if (ready !== undefined) await ready;
        response = await handler(request, handleOf(exchange), ...rest);
      } catch (error) {
        for (const one of tracked[UNDER_WAY]) one.state.abandon();
        response = await onError(error, request);
      } finally {
        tracked[UNDER_WAY] = others;
      }
      try {
        const done = exchange.commit();
        if (done !== undefined) await done;
      } catch (error) {
        response = await onError(error, request);
      }
      return withHeaders(exchange, response);
    };

  function handleOf(exchange: FetchExchange): Session<D, I> {
    return createHandle(exchange.state) as unknown as Session<D, I>;
  }

  function defaultError(error: unknown): Response {
    if (error instanceof FastSessionError) {
      // Whom it was sent by fills no log: there is an event.
      if (error.code !== "ERR_SESSION_CSRF") sessions.config.log.error(`${error.code}: ${error.message}`);
      return error.getResponse();
    }
    sessions.config.log.thrown("the handler threw", error);
    return new Response("Internal Server Error", { status: 500 });
  }
}
