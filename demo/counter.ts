/** The visit counter, and twenty visits at once. */
import { Hono } from "hono";
import { number } from "./formats.ts";
import { back, type Env, languageOf, textsOf } from "./visitor.ts";
import { work } from "./work.ts";

const BURST = 20;

/** @param send passes a request to the whole application */
export function counterRoutes(send: Hono<Env>["request"]): Hono<Env> {
  const app = new Hono<Env>();

  app.post("/visits", async (c) => {
    const { session } = c.var;
    session.get("visits"); // read before, added to after: the others come in between
    await work();
    session.increment("visits");
    return c.body(null, 204);
  });

  app.post("/burst", async (c) => {
    const { session } = c.var;
    if (!session.info.isSaved) return c.redirect("/", 303);
    const before = session.get("visits", 0);
    // Each is a request of its own, with the visitor's cookie.
    const headers = { cookie: c.req.header("cookie") ?? "", "sec-fetch-site": "same-origin" };
    await Promise.all(Array.from({ length: BURST }, async () => send("/visits", { method: "POST", headers })));
    await session.reload();
    const after = session.get("visits", 0);
    const { burst, crossed } = textsOf(c).notices;
    const say = after === before + BURST ? burst : crossed;
    return back(c, "visits", say(number(before, languageOf(c)), number(after, languageOf(c))));
  });

  return app;
}
