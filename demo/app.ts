/** The demo application: headers, the session, the pages. */
import { readFileSync } from "node:fs";
import { FastSessionError, type Sessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { accountRoutes } from "./account.ts";
import { cartRoutes } from "./cart.ts";
import { counterRoutes } from "./counter.ts";
import { acceptedLanguage, type Data, type Env, hasEnded, languageOf, type Notice } from "./visitor.ts";
import { endedPage, homePage, problemPage } from "./pages.ts";

const files = { "/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml" };

export function createApp(sessions: Sessions<Data>): Hono<Env> {
  const app = new Hono<Env>();

  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
      // Whether a host is to be reached over TLS alone is for those to say who run its TLS.
      strictTransportSecurity: false,
    }),
  );
  for (const [path, type] of Object.entries(files)) {
    const text = readFileSync(new URL(`.${path}`, import.meta.url), "utf8");
    app.get(path, (c) => c.body(text, 200, { "content-type": type, "cache-control": "no-cache" }));
  }

  // Refuses the forms of other sites by their Origin and Sec-Fetch-Site headers.
  app.use(csrf(), bodyLimit({ maxSize: 16_384 }));
  app.use(fastSession(sessions));

  app.get("/", async (c) => {
    const { session } = c.var;
    const view = { session, language: languageOf(c) };
    c.header("cache-control", "no-store");
    if (hasEnded(session)) return c.html(endedPage(view));
    session.increment("visits");
    const notice = session.flash("notice") as Notice | undefined;
    // Saved here and not with the response, so that the page can show what the store has.
    await session.saveSession();
    const { userId } = session.info;
    const devices = userId === null ? [] : (await sessions.forUser(userId).list()).sessions;
    return c.html(homePage({ ...view, notice, devices }));
  });

  app.post("/theme", async (c) => {
    const { theme } = await c.req.parseBody();
    if (theme === "auto" || theme === "light" || theme === "dark") c.var.session.theme = theme;
    return c.redirect("/", 303);
  });

  app.post("/language", async (c) => {
    const { language } = await c.req.parseBody();
    if (language === "en" || language === "ja") c.var.session.language = language;
    return c.redirect("/", 303);
  });

  app.route("/", counterRoutes(app.request));
  app.route("/", cartRoutes());
  app.route("/", accountRoutes(sessions));

  // A browser whose session was ended from elsewhere still has its cookie: drops it and begins anew.
  app.post("/go-on", async (c) => {
    if (hasEnded(c.var.session)) await c.var.session.logout();
    return c.redirect("/", 303);
  });

  app.notFound((c) => c.html(problemPage(acceptedLanguage(c), 404), 404));

  app.onError((error, c) => {
    // The session ended while this request was under way: the page says so.
    if (error instanceof FastSessionError && error.code === "ERR_SESSION_GONE") return c.redirect("/", 303);
    const status = error instanceof FastSessionError || error instanceof HTTPException ? error.status : 500;
    if (status >= 500) console.error(error);
    return c.html(problemPage(acceptedLanguage(c), status), status as 500);
  });

  return app;
}
