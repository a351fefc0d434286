/** Signing in and out, and the list of a user's sessions. */
import type { Sessions } from "fastsession";
import { Hono } from "hono";
import { back, type Data, type Env, textsOf } from "./visitor.ts";

/** "Keep me signed in", in seconds. */
export const KEPT = 30 * 86_400;

export function accountRoutes(sessions: Sessions<Data>): Hono<Env> {
  const app = new Hono<Env>();

  app.post("/sign-in", async (c) => {
    const form = await c.req.parseBody();
    const name = shortText(form["name"]);
    const { notices } = textsOf(c);
    if (name === "") return back(c, "account", notices.nameMissing);
    // A real application checks a password here.
    await c.var.session.login(name, {
      metadata: { label: shortText(form["device"]), userAgent: (c.req.header("user-agent") ?? "").slice(0, 300) },
      ...(form["keep"] === undefined ? {} : { maxAge: KEPT }),
    });
    return back(c, "account", notices.signedIn(name));
  });

  app.post("/sign-out", async (c) => {
    const { session } = c.var;
    const { theme, language } = session;
    const { notices } = textsOf(c);
    await session.logout();
    // The session is a fresh one now. What is nobody's secret may go on in it.
    if (theme !== undefined) session.theme = theme;
    if (language !== undefined) session.language = language;
    return back(c, "account", notices.signedOut);
  });

  app.post("/devices/end", async (c) => {
    const { userId } = c.var.session.info;
    const { notices } = textsOf(c);
    if (userId === null) return back(c, "account", notices.signInFirst);
    const { handle } = await c.req.parseBody();
    // Only one's own: a handle is a name, not a permission.
    const ended = typeof handle === "string" && (await sessions.forUser(userId).revoke(handle));
    return back(c, "account", notices.ended(ended ? "1" : "0"));
  });

  app.post("/devices/end-others", async (c) => {
    const { session } = c.var;
    const { userId } = session.info;
    const { notices } = textsOf(c);
    if (userId === null) return back(c, "account", notices.signInFirst);
    const count = await sessions.forUser(userId).revokeOthers(session);
    return back(c, "account", notices.ended(String(count)));
  });

  return app;
}

/** A form's text, as far as the demo keeps it: 40 characters. */
function shortText(field: unknown): string {
  return typeof field === "string" ? Array.from(field.trim()).slice(0, 40).join("") : "";
}
