// Sessions whose values nobody reads in the file: SESSION_ENCRYPTION_KEYS has the keys, the newest first.
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { SqliteStore } from "fastsession/stores/sqlite";
import { Hono } from "hono";

const store = new SqliteStore(process.env.SESSION_FILE ?? "sessions.sqlite");
export const sessions = createSessions({
  secretKey: process.env.SESSION_SECRET,
  encryption: { keys: process.env.SESSION_ENCRYPTION_KEYS.split(",") },
  store,
});
export const app = new Hono();
app.use(fastSession(sessions));
app.get("/", (c) => c.json({ visits: c.var.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
