import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fastSession } from "../../src/adapters/express.ts";

/** The real Passport, set up as its own documentation does, with our middleware in express-session's place. */
function createApp(): express.Express {
  const app = express();
  const auth = new passport.Passport();
  auth.use(
    new LocalStrategy((username, password, done) =>
      done(null, password === "open sesame" ? { id: 7, name: username } : false, { message: "wrong password" }),
    ),
  );
  auth.serializeUser((user, done) => done(null, (user as { id: number }).id));
  auth.deserializeUser((id: number, done) => done(null, { id, name: "ann" }));

  app.use(express.urlencoded({ extended: false }));
  app.use(fastSession({ secretKey: "a secret of more than thirty-two bytes", secure: "auto", logLevel: "silent" }));
  app.use(auth.session());
  app.get("/me", (req, res) => {
    res.json({ user: req.user ?? null, data: req.session.getSession(), id: req.session.getSessionId() });
  });
  app.get("/visit", (req, res) => {
    req.session["cart"] = [1];
    res.send("ok");
  });
  app.post(
    "/login",
    auth.authenticate("local", { failureRedirect: "/failed" }) as express.RequestHandler,
    (_req, res) => res.redirect("/me"),
  );
  app.post(
    "/login-keeping",
    auth.authenticate("local", { keepSessionInfo: true }) as express.RequestHandler,
    (_req, res) => res.redirect("/me"),
  );
  app.post("/login-by-hand", (req, res, next) => {
    req.logIn({ id: 8 }, (error) => (error ? next(error) : res.redirect("/me")));
  });
  app.post("/logout", (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.redirect("/me")));
  });
  app.post("/own-callbacks", (req, res, next) => {
    req.session["before"] = 1;
    req.session.save((saveError) => {
      if (saveError) return next(saveError);
      req.session.regenerate((error) => {
        if (error) return next(error);
        req.session["after"] = 2;
        req.session.reload((reloadError) => res.json({ reloaded: !reloadError, data: req.session.getSession() }));
      });
    });
  });
  app.post("/destroy", (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.send("gone")));
  });
  return app;
}

let server: Server;
let origin = "";
let cookie = "";

beforeEach(async () => {
  server = createServer(createApp());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cookie = "";
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

interface Me {
  user: { id: number } | null;
  data: Record<string, unknown>;
  id: string;
}

/** As a browser does it: keeps the cookie, follows redirects at once. */
async function request(path: string, form?: Record<string, string>): Promise<Response> {
  const response = await fetch(origin + path, {
    redirect: "manual",
    headers: { cookie },
    ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) }),
  });
  for (const line of response.headers.getSetCookie()) {
    const [pair = ""] = line.split(";", 1);
    if (pair.startsWith("sid=")) cookie = pair.endsWith("=") ? "" : pair;
  }
  const location = response.headers.get("location");
  return location === null ? response : request(location);
}
const me = async (): Promise<Me> => (await (await request("/me")).json()) as Me;
const credentials = { username: "ann", password: "open sesame" };

describe("the real Passport with a local strategy", () => {
  it("signs in, and the page after the redirect sees the user at once", async () => {
    await request("/visit");
    const before = await me();
    const { user, data, id } = (await (await request("/login", credentials)).json()) as Me;
    expect(user).toEqual({ id: 7, name: "ann" });
    expect(id).not.toBe(before.id);
    // As with express-session, what a visitor had is dropped unless keepSessionInfo asks for it.
    expect(data).toEqual({ passport: { user: 7 } });
  });

  it("leaves the id from before the login dead: no fixation", async () => {
    await request("/visit");
    const planted = cookie;
    await request("/login", credentials);
    cookie = planted;
    expect((await me()).user).toBeNull();
  });

  it("keeps a visitor's data with keepSessionInfo", async () => {
    await request("/visit");
    const { user, data } = (await (await request("/login-keeping", credentials)).json()) as Me;
    expect(user).toMatchObject({ id: 7 });
    expect(data).toEqual({ cart: [1], passport: { user: 7 } });
  });

  it("refuses a wrong password and signs nobody in", async () => {
    const response = await request("/login", { username: "ann", password: "wrong" });
    expect(response.status).toBe(404);
    expect((await me()).user).toBeNull();
  });

  it("signs in with req.logIn and its callback", async () => {
    const { user } = (await (await request("/login-by-hand", {})).json()) as Me;
    expect(user).toMatchObject({ id: 8 });
  });

  it("signs out with its callback, under a new id, and the old cookie stays dead", async () => {
    await request("/login", credentials);
    const old = cookie;
    const after = (await (await request("/logout", {})).json()) as Me;
    expect(after).toMatchObject({ user: null, data: {} });
    cookie = old;
    expect((await me()).user).toBeNull();
  });
});

describe("the callbacks of express-session", () => {
  it("save, regenerate and reload work with a callback, and regenerate drops the data", async () => {
    await request("/visit");
    const body: unknown = await (await request("/own-callbacks", {})).json();
    expect(body).toEqual({ reloaded: true, data: {} });
  });

  it("destroy ends the session and its cookie", async () => {
    await request("/visit");
    expect(await (await request("/destroy", {})).text()).toBe("gone");
    expect(cookie).toBe("");
  });
});
