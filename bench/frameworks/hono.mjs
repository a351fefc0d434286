import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

export async function serve({ middleware, use, waits, handlers }) {
  const app = new Hono();
  if (use) await use(app);
  else if (middleware !== null) app.use(middleware);
  for (const [path, handle] of Object.entries(handlers)) {
    if (waits) app.get(path, async (c) => c.text(await handle(c.var, c)));
    else app.get(path, (c) => c.text(handle(c.var, c)));
  }
  return createAdaptorServer({ fetch: app.fetch });
}
