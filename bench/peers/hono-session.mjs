import { useSession, useSessionStorage } from "@hono/session";
import { content } from "../cases.mjs";
import { DAY } from "./handlers.mjs";

const SECRET = Buffer.alloc(32, 7).toString("base64");

export function setUp(_framework, store) {
  const map = new Map();
  const storage = {
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    delete: (key) => void map.delete(key),
  };
  return {
    use: (app) => {
      if (store === "memory") app.use(useSessionStorage(storage));
      app.use(useSession({ secret: SECRET, duration: { absolute: DAY } }));
    },
    waits: true,
    handlers: {
      "/untouched": () => "ok",
      "/read": async ({ session }) => (await session.get()).userId,
      "/write": async ({ session }) => {
        await session.update((data) => ({ ...data, counter: data.counter + 1 }));
        return "ok";
      },
      "/create": async ({ session }) => {
        await session.update(content);
        return "ok";
      },
      "/counter": async ({ session }) => String((await session.get()).counter),
    },
  };
}
