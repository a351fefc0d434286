// An event stream that ends when its session does. The browser reconnects, is answered 401, and gives up.
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

export const sessions = createSessions({ secretKey: process.env.SESSION_SECRET });
export const app = new Hono();
app.use(fastSession(sessions));

app.post("/login", async (c) => {
  await c.var.session.login("ann");
  return c.text("hello ann");
});
app.post("/logout", async (c) => {
  await c.var.session.logout();
  return c.text("bye");
});
app.get("/events", (c) => {
  const { userId, signal } = c.var.session.info;
  if (userId === null) return c.text("sign in first", 401);
  return streamSSE(c, async (stream) => {
    await stream.writeSSE({ data: `hello ${userId}` });
    await new Promise((resolve) => {
      stream.onAbort(resolve);
      if (signal.aborted) resolve();
      // Taken off when the browser goes away: the signal lives as long as the session does.
      signal.addEventListener("abort", resolve, { signal: c.req.raw.signal });
    });
    if (signal.aborted) await stream.writeSSE({ event: "end", data: signal.reason.cause });
  });
});

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
