import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { fastSession, type SessionEnv } from "../../src/adapters/hono.ts";
import {
  adapterContract,
  type AdapterAnswer,
  type AdapterApp,
  type AdapterServer,
  HostileStore,
} from "../../src/testing/index.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { bodyOf } from "../support/fetch-answers.ts";
import { listen } from "../support/node-answers.ts";

function nameAndValue(line: string): [name: string, value: string] {
  return line.split(/[=;]/, 2) as [string, string];
}

const ways: Record<string, (c: Context, line: string) => unknown> = {
  "setCookie of hono/cookie": (c, line) => setCookie(c, ...nameAndValue(line)),
  "c.header": (c, line) => c.header("Set-Cookie", line, { append: true }),
  "c.res.headers": (c, line) => c.res.headers.append("set-cookie", line),
  // The next two act when the handler returns.
  "a Response of its own": () => undefined,
  "c.body with headers": () => undefined,
};

class HonoAnswer {
  readonly #c: Context;
  #way = "";
  #line = "";

  constructor(c: Context) {
    this.#c = c;
  }

  setCookie(way: string, line: string): void {
    [this.#way, this.#line] = [way, line];
    ways[way]?.(this.#c, line);
  }

  toResponse(answer: AdapterAnswer): Response {
    const { status = 200, headers = {}, redirect } = answer;
    if (redirect !== undefined) return this.#c.redirect(redirect);
    if (this.#way === "a Response of its own") {
      return new Response(bodyOf(answer), { status, headers: { ...headers, "set-cookie": this.#line } });
    }
    const given = this.#way === "c.body with headers" ? { ...headers, "set-cookie": this.#line } : headers;
    return this.#c.newResponse(bodyOf(answer), status as 200, { ...given });
  }
}

function start({ mounts, handle, onError }: AdapterApp): Promise<AdapterServer> {
  const app = new Hono();
  for (const sessions of mounts) app.use(fastSession(sessions));
  app.all("*", (c): Response | Promise<Response> => {
    const answer = new HonoAnswer(c);
    const answered = handle({
      method: c.req.method,
      url: c.req.url.replace(/^https?:\/\/[^/]+/, ""),
      sessions: mounts.map(({ http }) => c.get(http.sessionObject as never) as never),
      setCookie: (way, line) => answer.setCookie(way, line),
    });
    if (!(answered instanceof Promise)) return answer.toResponse(answered);
    return answered.then((given) => answer.toResponse(given));
  });
  if (onError !== undefined) app.onError((error, c) => new HonoAnswer(c).toResponse(onError(error)));
  return listen(createAdaptorServer(app) as never);
}

// Hono prints what handlers throw, and the stories throw a lot.
beforeAll(() => void vi.spyOn(console, "error").mockReturnValue());

adapterContract({ test, start, cookieWays: Object.keys(ways) });

describe("Hono", () => {
  const secretKey = "a secret of the tests, which everybody can read here";

  function appWith(kind: string): Hono<SessionEnv> {
    const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    const app = new Hono<SessionEnv>();
    app.use(fastSession({ secretKey, store, logLevel: "silent" }));
    return app;
  }

  let server: AdapterServer | undefined;
  afterEach(() => server?.close());

  test.for(["local", "remote"])(
    "a response whose headers cannot be changed gets the cookie (%s store)",
    async (kind) => {
      const app = appWith(kind);
      app.get("/redirect", (c) => {
        c.var.session["color"] = "red";
        return Response.redirect("http://shop.example/", 302);
      });
      const { status, headers } = await app.request("/redirect");
      expect([status, headers.get("location"), headers.getSetCookie().length]).toEqual([
        302,
        "http://shop.example/",
        1,
      ]);
    },
  );

  test.for(["local", "remote"])("a fetched response is passed on with the cookie (%s store)", async (kind) => {
    const origin = new Hono().get("/", (c) => c.text("fetched", 200, { "x-own": "kept", "set-cookie": "theme=dark" }));
    server = await listen(createAdaptorServer(origin) as never);
    const url = server.origin;
    const app = appWith(kind);
    app.get("/", (c) => {
      c.var.session["color"] = "red";
      return fetch(url);
    });
    const response = await app.request("/");
    expect([await response.text(), response.headers.get("x-own")]).toEqual(["fetched", "kept"]);
    expect(response.headers.getSetCookie()).toEqual(["theme=dark", expect.stringMatching(/^sid=/)]);
  });

  test.for(["local", "remote"])("an HTTPException is a throw: nothing recorded is saved (%s store)", async (kind) => {
    const app = appWith(kind);
    app.get("/", (c) => {
      c.var.session["color"] = "lost";
      throw new HTTPException(403, { message: "not for you" });
    });
    const { status, headers } = await app.request("/");
    expect([status, headers.getSetCookie()]).toEqual([403, []]);
  });

  test.for(["local", "remote"])("a path without a route is answered with 404, and saves (%s store)", async (kind) => {
    const app = appWith(kind);
    app.use((c, next) => {
      c.var.session.increment("visits");
      return next();
    });
    const { status, headers } = await app.request("/nowhere");
    expect([status, headers.getSetCookie().length]).toEqual([404, 1]);
  });

  test("a throw inside a mounted application is not saved", async () => {
    const inner = new Hono<SessionEnv>().get("/", (c) => {
      c.var.session["color"] = "lost";
      throw new Error("a handler's own trouble");
    });
    inner.onError((_error, c) => c.text("handled", 418));
    const app = appWith("local").route("/inner", inner);
    const { status, headers } = await app.request("/inner");
    expect([status, headers.getSetCookie()]).toEqual([418, []]);
  });

  test.for(["local", "remote"])("a login stands when what came after it cannot be saved (%s store)", async (kind) => {
    const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    const app = new Hono<SessionEnv>();
    app.use(fastSession({ secretKey, store, logLevel: "silent" }));
    app.get("/login", async (c) => {
      await c.var.session.login("ada");
      c.var.session["color"] = "red";
      store.fail("commit");
      return c.text("never sent");
    });
    app.get("/user", (c) => c.text(c.var.session.info.userId ?? "nobody"));
    const { status, headers } = await app.request("/login");
    expect(status).toBe(503);
    const [line = ""] = headers.getSetCookie();
    store.heal();
    const user = await app.request("/user", { headers: { cookie: line.split(";", 1)[0] ?? "" } });
    expect(await user.text()).toBe("ada");
  });
});
