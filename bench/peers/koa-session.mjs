import session from "koa-session";
import { bagHandlers, DAY, SECRET } from "./handlers.mjs";
import { jsonStore, mapStore } from "./redis.mjs";

export async function setUp(_framework, store) {
  const options = { key: "koa.sess", maxAge: DAY * 1000 };
  if (store === "memory") options.store = mapStore();
  if (store === "redis") options.store = await jsonStore("koa:", DAY);
  return {
    use: (app) => {
      app.keys = [SECRET];
      app.use(session(options, app));
    },
    // Its session is a property of the context.
    handlers: bagHandlers((_state, context) => context.session),
  };
}
