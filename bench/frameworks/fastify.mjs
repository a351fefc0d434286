import fastify from "fastify";

export async function serve({ middleware, use, waits, handlers }) {
  const app = fastify();
  if (use) await use(app);
  else if (middleware !== null) await app.register(middleware);
  for (const [path, handle] of Object.entries(handlers)) {
    if (waits) app.get(path, async (request, reply) => handle(request, reply));
    else app.get(path, (request, reply) => void reply.send(handle(request, reply)));
  }
  await app.ready();
  return app.server;
}
