// Sessions in PostgreSQL, which any number of processes share.
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { PostgresStore } from "fastsession/stores/postgres";
import { Hono } from "hono";
import pg from "pg";

export const pool = new pg.Pool({ connectionString: process.env.POSTGRES_URL });
pool.on("error", (error) => console.warn("an idle connection broke:", error.message));
const store = new PostgresStore(pool, { listen: true });
await store.migrate(); // once would do: it makes what is missing

export const sessions = createSessions({ secretKey: process.env.SESSION_SECRET, store, maxAge: 86_400 });
export const app = new Hono();
app.use(fastSession(sessions));
app.get("/", (c) => c.json({ visits: c.var.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) {
  const server = serve({ fetch: app.fetch, port: 3000 });
  process.once("SIGTERM", () => server.close(() => void sessions.close().then(() => pool.end())));
}
