import { createServer } from "node:http";
import Koa from "koa";

export function serve({ middleware, handlers }) {
  const app = new Koa();
  if (middleware !== null) app.use(middleware);
  app.use((ctx) => {
    ctx.body = handlers[ctx.path](ctx.state);
  });
  const listener = app.callback();
  return createServer((request, response) => void listener(request, response));
}
