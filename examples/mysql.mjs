// Sessions in MariaDB or MySQL, which any number of processes share.
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { MysqlStore } from "fastsession/stores/mysql";
import { Hono } from "hono";
import { createPool } from "mysql2/promise";

export const pool = createPool(process.env.MYSQL_URL ?? "mysql://root@127.0.0.1/test");
const store = new MysqlStore(pool);
await store.migrate(); // once would do: it makes what is missing

export const sessions = createSessions({ secretKey: process.env.SESSION_SECRET, store, maxAge: 86_400 });
export const app = new Hono();
app.use(fastSession(sessions));
app.get("/", (c) => c.json({ visits: c.var.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) {
  const server = serve({ fetch: app.fetch, port: 3000 });
  process.once("SIGTERM", () => server.close(() => void sessions.close().then(() => pool.end())));
}
