import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { createHandle } from "../core/session-handle.ts";
import type { DefaultData, Session } from "../core/session-types.ts";
import { type SessionOptions, toSessions } from "../create-sessions.ts";
import type { HttpSessions } from "../http/http-sessions.ts";
import { attach } from "../http/attach.ts";
import { NodeExchange, nodeSkipRequest } from "../http/node-exchange.ts";

declare module "fastify" {
  interface FastifyRequest {
    session: Session<DefaultData>;
  }
}

class FastifyExchange extends NodeExchange {
  readonly #request: FastifyRequest;
  handle: Session<DefaultData> | undefined;

  constructor(sessions: HttpSessions<unknown>, request: FastifyRequest, reply: FastifyReply) {
    super(sessions, request.raw, reply.raw);
    this.#request = request;
  }

  override encrypted(): boolean {
    return this.#request.protocol === "https" || super.encrypted();
  }
}

/** What an instance, or one it stands in, has already. */
const MOUNTED = Symbol("fastsession.mounted");
type Mounted = FastifyInstance & { [MOUNTED]?: readonly unknown[] };

/**
 * Sessions for Fastify. Not encapsulated: all routes of the instance have them.
 *
 * @example
 * app.register(fastSession({ secretKey: process.env.SESSION_SECRET! }));
 * app.get("/", (request) => `visit ${request.session.increment("visits")}`);
 */
export function fastSession<D = DefaultData>(given: SessionOptions | HttpSessions<D>): FastifyPluginCallback {
  const sessions = toSessions(given);
  const name = sessions.http.sessionObject;
  const EXCHANGE = Symbol("fastsession.exchange");
  type Held = FastifyRequest & { [EXCHANGE]: FastifyExchange | null };

  function plugin(app: FastifyInstance, _options: unknown, done: (error?: Error) => void): void {
    const mounted = (app as Mounted)[MOUNTED] ?? [];
    if (mounted.includes(sessions)) return done();
    if (app.hasRequestDecorator(name)) {
      return done(new TypeError(`request.${name} is taken, perhaps by another session: set another sessionObject`));
    }
    (app as Mounted)[MOUNTED] = [...mounted, sessions];
    app.decorateRequest(EXCHANGE as unknown as string, null);
    app.decorateRequest(name, {
      getter(this: FastifyRequest) {
        const exchange = (this as Held)[EXCHANGE];
        if (exchange === null) return undefined;
        return (exchange.handle ??= createHandle(exchange.state));
      },
    } as never);

    app.addHook("onRequest", (request, reply, next) => {
      try {
        const exchange = attach(
          request.raw,
          sessions,
          () => nodeSkipRequest(request.raw),
          () => new FastifyExchange(sessions, request, reply),
        );
        (request as Held)[EXCHANGE] = exchange;
        const ready = exchange?.prepare();
        if (ready === undefined) return next();
        ready.then(() => next(), next);
      } catch (error) {
        next(error as Error);
      }
    });

    app.addHook("onError", (request, _reply, _error, next) => {
      (request as Held)[EXCHANGE]?.state.abandon();
      next();
    });

    // Commits while an error can still reach Fastify's error handler. The headers are written by Node's hook, which also
    // sees replies that were hijacked, and commits what later hooks of this kind record.
    app.addHook("onSend", (request, _reply, payload, next) => {
      const exchange = (request as Held)[EXCHANGE];
      if (exchange === null || exchange.state.frozen) return next(null, payload);
      const committed = (): void => {
        exchange.state.frozen = false;
        next(null, payload);
      };
      try {
        const done = exchange.commit();
        if (done === undefined) return committed();
        done.then(committed, next);
      } catch (error) {
        next(error as Error);
      }
    });
    done();
  }

  // What Fastify looks at to load a plugin into the instance itself instead of a context below it.
  return Object.assign(plugin as FastifyPluginCallback, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "fastsession",
    [Symbol.for("plugin-meta")]: { name: "fastsession", fastify: "5.x" },
  });
}
