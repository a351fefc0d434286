// Sessions in a file: they survive a restart, and several processes of one machine may share them.
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { SqliteStore } from "fastsession/stores/sqlite";
import { Hono } from "hono";

const store = new SqliteStore(process.env.SESSION_FILE ?? "sessions.sqlite");
export const sessions = createSessions({ secretKey: process.env.SESSION_SECRET, store, maxAge: 86_400 });
export const app = new Hono();
app.use(fastSession(sessions));
app.get("/", (c) => c.json({ visits: c.var.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) {
  const server = serve({ fetch: app.fetch, port: 3000 });
  process.once("SIGTERM", () => server.close(() => void sessions.close()));
}
