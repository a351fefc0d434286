import { createServer } from "node:http";
import Koa from "koa";

export async function serve({ middleware, use, waits, handlers }) {
  const app = new Koa();
  if (use) await use(app);
  else if (middleware !== null) app.use(middleware);
  if (waits) app.use(async (ctx) => void (ctx.body = await handlers[ctx.path](ctx.state, ctx)));
  else app.use((ctx) => void (ctx.body = handlers[ctx.path](ctx.state, ctx)));
  const listener = app.callback();
  return createServer((request, response) => void listener(request, response));
}
