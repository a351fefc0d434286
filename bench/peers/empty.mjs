import { plainHandlers } from "../cases.mjs";

/** What it costs each framework to call any middleware at all. */
const middlewares = {
  node: (listener) => (request, response) => listener(request, response),
  express: (_request, _response, next) => next(),
  fastify: Object.assign(
    (app, _options, done) => {
      app.addHook("onRequest", (_request, _reply, next) => next());
      done();
    },
    // Loads it into the instance itself, as a session's plugin is.
    { [Symbol.for("skip-override")]: true },
  ),
  koa: async (_ctx, next) => {
    await next();
  },
  hono: async (_c, next) => {
    await next();
  },
};

export function setUp(framework) {
  return { middleware: middlewares[framework], handlers: plainHandlers };
}
