import fastify from "fastify";

export async function serve({ middleware, handlers }) {
  const app = fastify();
  if (middleware !== null) await app.register(middleware);
  for (const [path, handle] of Object.entries(handlers)) {
    app.get(path, (request, reply) => void reply.send(handle(request)));
  }
  await app.ready();
  return app.server;
}
