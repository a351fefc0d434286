import cookie from "@fastify/cookie";
import session from "@fastify/session";
import { bagHandlers, DAY, SECRET } from "./handlers.mjs";
import { redisClient } from "./redis.mjs";

/** With `rolling: false`, which its defaults are slower than. */
export async function setUp(_framework, store) {
  const options = {
    secret: SECRET,
    saveUninitialized: false,
    rolling: false,
    cookie: { secure: false, maxAge: DAY * 1000 },
    ...(store === "redis" && { store: await redisStore() }),
  };
  return {
    use: async (app) => {
      await app.register(cookie);
      await app.register(session, options);
    },
    handlers: bagHandlers(),
  };
}

async function redisStore() {
  const { RedisStore } = await import("connect-redis");
  return new RedisStore({ client: await redisClient(), prefix: "fastify:" });
}
