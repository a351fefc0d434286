// A message for the next page: written before a redirect, read once after it.
import { serve } from "@hono/node-server";
import { fastSession } from "fastsession/hono";
import { Hono } from "hono";

export const app = new Hono();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET }));

app.post("/save", (c) => {
  c.var.session.flash("notice", "Your address was saved.");
  return c.redirect("/", 303);
});
app.get("/", (c) => c.json({ notice: c.var.session.flash("notice") ?? null }));

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
