import session from "express-session";
import { bagHandlers, DAY, SECRET } from "./handlers.mjs";
import { redisClient } from "./redis.mjs";

/** As its README recommends. */
export async function setUp(_framework, store) {
  const middleware = session({
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: DAY * 1000 },
    ...(store === "redis" && { store: await redisStore() }),
  });
  return { middleware, handlers: bagHandlers() };
}

async function redisStore() {
  const { RedisStore } = await import("connect-redis");
  return new RedisStore({ client: await redisClient(), prefix: "express:" });
}
