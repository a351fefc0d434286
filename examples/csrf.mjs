// Forged requests: `csrf` judges where a request comes from, and a token proves that a page of this session made the form.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { verifyCsrf } from "fastsession";
import { fastSession } from "fastsession/hono";

export const app = new Hono();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET, csrf: true }));

app.get("/", (c) =>
  c.html(`
  <form method="post" action="/email">
    <input type="hidden" name="_csrf" value="${c.var.session.csrfToken()}">
    <input name="email"> <button>Save</button>
  </form>`),
);

app.post("/email", async (c) => {
  const { _csrf, email } = await c.req.parseBody();
  if (!verifyCsrf(c.var.session, _csrf)) return c.text("This form is out of date: reload the page.", 403);
  c.var.session.email = typeof email === "string" ? email : "";
  return c.text("saved");
});

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
