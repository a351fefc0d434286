// A login, the list of a user's devices, and three ways out. Passwords are yours to check: here it is "secret".
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { Hono } from "hono";

export const sessions = createSessions({ secretKey: process.env.SESSION_SECRET });
export const app = new Hono();
app.use(fastSession(sessions));

app.post("/login", async (c) => {
  const { user, password } = await c.req.json();
  if (password !== "secret") return c.text("wrong password", 401);
  // A new id, bound to the user, in one step. What the visitor had before stays in the session.
  await c.var.session.login(user, { metadata: { device: (c.req.header("user-agent") ?? "unknown").slice(0, 300) } });
  return c.json({ user });
});

app.use(async (c, next) => (c.var.session.info.userId === null ? c.text("sign in first", 401) : next()));

app.get("/devices", async (c) => {
  const { userId, handle } = c.var.session.info;
  const page = await sessions.forUser(userId).list();
  return c.json(page.sessions.map((one) => ({ device: one.metadata.device, current: one.handle === handle })));
});

app.post("/logout", async (c) => {
  await c.var.session.logout();
  return c.text("bye");
});

app.post("/logout-others", async (c) => {
  const ended = await sessions.forUser(c.var.session.info.userId).revokeOthers(c.var.session);
  return c.json({ ended });
});

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
