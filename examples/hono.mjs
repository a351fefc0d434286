import { serve } from "@hono/node-server";
import { fastSession } from "fastsession/hono";
import { Hono } from "hono";

export const app = new Hono();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET }));
app.get("/", (c) => c.json({ visits: c.var.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
