import { createServer } from "node:http";
import Koa, { type Context } from "koa";
import { afterEach, describe, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/koa.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import {
  adapterContract,
  type AdapterAnswer,
  type AdapterApp,
  type AdapterServer,
  HostileStore,
} from "../../src/testing/index.ts";
import { listen, NodeAnswer, nodeCookieWays, piped } from "../support/node-answers.ts";

/** Koa's own ways, which act when they are called. */
const ways: Record<string, (ctx: Context, line: string) => unknown> = {
  "ctx.cookies.set": (ctx, line) => {
    const [name = "", value] = line.split(/[=;]/, 2);
    ctx.cookies.set(name, value, { httpOnly: false });
  },
  "ctx.append": (ctx, line) => ctx.append("Set-Cookie", line),
  "ctx.set": (ctx, line) => ctx.set("Set-Cookie", [line]),
};

class KoaAnswer {
  readonly #ctx: Context;
  readonly #node: NodeAnswer;

  constructor(ctx: Context) {
    this.#ctx = ctx;
    this.#node = new NodeAnswer(ctx.res);
  }

  setCookie(way: string, line: string): void {
    const set = ways[way];
    if (set === undefined) this.#node.setCookie(way, line);
    else set(this.#ctx, line);
  }

  /** With `writeHead` Koa is told to leave the response alone. */
  send(answer: AdapterAnswer): void {
    const { status = 200, headers = {}, redirect, body, stream } = answer;
    const ctx = this.#ctx;
    if (this.#node.pending) {
      ctx.respond = false;
      return this.#node.send(answer);
    }
    ctx.set(headers);
    if (redirect !== undefined) return ctx.redirect(redirect);
    ctx.status = status;
    if (stream !== undefined) ctx.body = piped(stream);
    else if (body !== undefined) ctx.body = body;
  }
}

function start({ mounts, handle, onError }: AdapterApp): Promise<AdapterServer> {
  const app = new Koa();
  app.silent = true;
  if (onError !== undefined) {
    app.use(async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        new KoaAnswer(ctx).send(onError(error));
      }
    });
  }
  for (const sessions of mounts) app.use(fastSession(sessions));
  app.use((ctx) => {
    const answer = new KoaAnswer(ctx);
    const answered = handle({
      method: ctx.method,
      url: ctx.url,
      sessions: mounts.map(({ http }) => ctx.state[http.sessionObject] as never),
      setCookie: (way, line) => answer.setCookie(way, line),
    });
    return answered instanceof Promise ? answered.then((given) => answer.send(given)) : answer.send(answered);
  });
  const callback = app.callback();
  return listen(createServer((request, response) => void callback(request, response)));
}

adapterContract({ test, start, cookieWays: [...Object.keys(ways), ...nodeCookieWays] });

describe("Koa", () => {
  const secretKey = "a secret of the tests, which everybody can read here";

  let server: AdapterServer | undefined;
  afterEach(() => server?.close());

  async function serve(kind: string, use: (app: Koa) => void): Promise<string> {
    const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    const app = new Koa();
    app.silent = true;
    app.proxy = true;
    app.use(fastSession({ secretKey, store, logLevel: "silent", secure: "auto" }) as Koa.Middleware);
    use(app);
    const callback = app.callback();
    server = await listen(createServer((request, response) => void callback(request, response)));
    return server.origin;
  }

  test.for([
    ["https", true],
    ["http", false],
  ] as const)('its own app.proxy decides with secure "auto": %s', async ([proto, secure]) => {
    const origin = await serve("local", (app) =>
      app.use((ctx) => void (ctx.body = ctx.state["session"].increment("n"))),
    );
    const { headers } = await fetch(origin, { headers: { "x-forwarded-proto": proto } });
    expect(headers.getSetCookie()[0]?.includes("; Secure")).toBe(secure);
  });

  test.for(["local", "remote"])("what middleware around ours writes at last is saved (%s store)", async (kind) => {
    const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    const app = new Koa();
    app.use(async (ctx, next) => {
      await next();
      ctx.state["session"].increment("around");
    });
    app.use(fastSession({ secretKey, store, logLevel: "silent" }) as Koa.Middleware);
    app.use((ctx) => void (ctx.body = String(ctx.state["session"].get("around", 0))));
    const callback = app.callback();
    server = await listen(createServer((request, response) => void callback(request, response)));
    const [line = ""] = (await fetch(server.origin)).headers.getSetCookie();
    const again = await fetch(server.origin, { headers: { cookie: line.split(";", 1)[0] ?? "" } });
    expect(await again.text()).toBe("1");
  });

  test.for(["local", "remote"])("ctx.throw saves nothing recorded (%s store)", async (kind) => {
    const origin = await serve(kind, (app) =>
      app.use((ctx) => {
        ctx.state["session"]["color"] = "lost";
        ctx.throw(403, "not for you");
      }),
    );
    const { status, headers } = await fetch(origin);
    expect([status, headers.getSetCookie()]).toEqual([403, []]);
  });

  test.for(["local", "remote"])("a path without a route is answered with 404, and saves (%s store)", async (kind) => {
    const origin = await serve(kind, (app) => app.use((ctx) => void ctx.state["session"].increment("visits")));
    const { status, headers } = await fetch(origin);
    expect([status, headers.getSetCookie().length]).toEqual([404, 1]);
  });
});
