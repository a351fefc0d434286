import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

export function serve({ middleware, handlers }) {
  const app = new Hono();
  if (middleware !== null) app.use(middleware);
  for (const [path, handle] of Object.entries(handlers)) {
    app.get(path, (c) => c.text(handle(c.var)));
  }
  return createAdaptorServer({ fetch: app.fetch });
}
