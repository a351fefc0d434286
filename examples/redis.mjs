// Sessions in Redis or Valkey, which any number of processes share.
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { RedisStore } from "fastsession/stores/redis";
import { Hono } from "hono";
import { createClient } from "redis";

export const client = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
client.on("error", (error) => console.error(error.message)); // it connects again by itself
await client.connect();
const store = new RedisStore(client);
await store.ping(); // fails where Redis would evict sessions

export const sessions = createSessions({ secretKey: process.env.SESSION_SECRET, store, maxAge: 86_400 });
export const app = new Hono();
app.use(fastSession(sessions));
app.get("/", (c) => c.json({ visits: c.var.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) {
  const server = serve({ fetch: app.fetch, port: 3000 });
  process.once("SIGTERM", () => server.close(() => void sessions.close().then(() => client.close())));
}
