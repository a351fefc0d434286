import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from "fastify";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/fastify.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { adapterContract, type AdapterApp, type AdapterServer, HostileStore } from "../../src/testing/index.ts";
import { FastifyAnswer, fastifyCookieWays } from "../support/fastify-answer.ts";

async function start({ mounts, handle, onError }: AdapterApp): Promise<AdapterServer> {
  const app = fastify();
  for (const sessions of mounts) app.register(fastSession(sessions));
  app.all("/*", (request, reply) => {
    const answer = new FastifyAnswer(reply);
    const answered = handle({
      method: request.method,
      url: request.url,
      sessions: mounts.map(({ http }) => (request as never)[http.sessionObject]),
      setCookie: (way, line) => answer.setCookie(way, line),
    });
    return answered instanceof Promise ? answered.then((given) => answer.send(given)) : answer.send(answered);
  });
  if (onError !== undefined) {
    app.setErrorHandler((error, _request, reply) => new FastifyAnswer(reply).send(onError(error)));
  }
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    origin,
    async close() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

adapterContract({ test, start, cookieWays: fastifyCookieWays });

describe("Fastify", () => {
  const secretKey = "a secret of the tests, which everybody can read here";

  function appWith(kind: string, options: FastifyServerOptions = {}): FastifyInstance {
    const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    const app = fastify(options);
    app.register(fastSession({ secretKey, store, logLevel: "silent", secure: "auto" }));
    return app;
  }

  let opened: FastifyInstance | undefined;
  afterEach(() => opened?.close());

  test.for(["local", "remote"])("routes of a plugin registered elsewhere have the session (%s store)", async (kind) => {
    opened = appWith(kind);
    opened.register((inner, _options, done) => {
      inner.get("/inner", (request) => String(request.session.increment("visits")));
      done();
    });
    const { body, headers } = await opened.inject("/inner");
    expect([body, headers["set-cookie"]]).toEqual(["1", expect.stringMatching(/^sid=/)]);
  });

  test.for(["local", "remote"])("what a later onSend hook writes is saved (%s store)", async (kind) => {
    opened = appWith(kind);
    opened.addHook("onSend", async (request) => void request.session.increment("sent"));
    opened.get("/", (request) => String(request.session.get("sent", 0)));
    const first = await opened.inject("/");
    const cookie = String(first.headers["set-cookie"]).split(";", 1)[0] ?? "";
    expect((await opened.inject({ url: "/", headers: { cookie } })).body).toBe("1");
  });

  test.for(["local", "remote"])("a hook that answers before the handler has the session (%s store)", async (kind) => {
    opened = appWith(kind);
    opened.addHook("preHandler", async (request, reply) => {
      request.session.increment("refused");
      await reply.code(401).send({ refused: true });
    });
    opened.get("/", () => "never");
    const { statusCode, headers } = await opened.inject("/");
    expect([statusCode, headers["set-cookie"]]).toEqual([401, expect.stringMatching(/^sid=/)]);
  });

  test.for([
    ["https", true],
    ["http", false],
  ] as const)('its own trustProxy decides with secure "auto": %s', async ([proto, secure]) => {
    opened = appWith("local", { trustProxy: true });
    opened.get("/", (request) => String(request.session.increment("visits")));
    const { headers } = await opened.inject({ url: "/", headers: { "x-forwarded-proto": proto } });
    expect(String(headers["set-cookie"]).includes("; Secure")).toBe(secure);
  });

  test("two sessions that share a property are refused at start", async () => {
    opened = appWith("local");
    opened.register(fastSession({ secretKey, logLevel: "silent", sessionCookie: "second" }));
    await expect(opened.ready()).rejects.toThrow(/sessionObject/);
    opened = undefined;
  });

  test("a stream that fails before its first byte is an error, and nothing is sent twice", async () => {
    opened = appWith("remote");
    opened.get("/", (request: FastifyRequest, reply: FastifyReply) => {
      request.session["color"] = "red";
      return reply.send(
        new Readable({
          read() {
            this.destroy(new Error("a broken source"));
          },
        }),
      );
    });
    const origin = await opened.listen({ port: 0, host: "127.0.0.1" });
    expect((await fetch(origin).catch(() => ({ status: 500 }))).status).toBe(500);
  });
});
