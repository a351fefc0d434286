import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach, expect, test, vi } from "vitest";
import { fastSession } from "../../src/adapters/node.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import {
  adapterContract,
  type AdapterApp,
  type AdapterServer,
  HostileStore,
  ManualClock,
} from "../../src/testing/index.ts";
import { listen, NodeAnswer, nodeCookieWays } from "../support/node-answers.ts";

function start({ mounts, handle }: AdapterApp): Promise<AdapterServer> {
  const answer = (request: IncomingMessage, response: ServerResponse): unknown => {
    const node = new NodeAnswer(response);
    const answered = handle({
      method: request.method ?? "",
      url: request.url ?? "",
      sessions: mounts.map(({ http }) => (request as never)[http.sessionObject]),
      setCookie: (way, line) => node.setCookie(way, line),
    });
    return answered instanceof Promise ? answered.then((given) => node.send(given)) : node.send(answered);
  };
  const handler = mounts.reduceRight<(request: IncomingMessage, response: ServerResponse) => unknown>(
    (inner, sessions) => fastSession(sessions)(inner),
    answer,
  );
  return listen(createServer(handler));
}

adapterContract({ test, start, cookieWays: nodeCookieWays, errorHandlers: false });

const secretKey = "a secret of the tests, which everybody can read here";

let server: AdapterServer | undefined;
afterEach(() => server?.close());

/** A handler whose first write needs a promise of the store. */
async function held(handler: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<{
  store: HostileStore;
  origin: string;
}> {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const sessions = createSessions({ secretKey, store, logLevel: "silent" });
  server = await listen(createServer(fastSession(sessions)(handler)));
  return { store, origin: server.origin };
}

test("while a response is held its headers count as sent, as they would without us", async () => {
  const seen: unknown[] = [];
  const { origin } = await held((request, response) => {
    (request as never as { session: Record<string, unknown> }).session["color"] = "red";
    seen.push(response.headersSent, response.writableEnded);
    seen.push(response.write("first "));
    seen.push(response.headersSent, response.writableEnded);
    expect(() => response.setHeader("x-late", "1")).toThrow(expect.objectContaining({ code: "ERR_HTTP_HEADERS_SENT" }));
    response.once("drain", () => {
      seen.push("drain");
      response.end("last");
      seen.push(response.headersSent, response.writableEnded);
    });
  });
  const response = await fetch(origin);
  expect(await response.text()).toBe("first last");
  expect(response.headers.getSetCookie()).toHaveLength(1);
  expect(response.headers.get("x-late")).toBeNull();
  expect(seen).toEqual([false, false, false, true, false, "drain", true, true]);
});

test("held calls run in their order, each with its own callback", async () => {
  const order: string[] = [];
  const { origin } = await held((request, response) => {
    (request as never as { session: Record<string, unknown> }).session["color"] = "red";
    response.writeHead(201, { "x-own": "kept" });
    response.flushHeaders();
    response.write("one ", () => order.push("one"));
    response.write("two ", "utf8", () => order.push("two"));
    response.end("three", () => order.push("end"));
    response.end();
  });
  const response = await fetch(origin);
  expect([response.status, response.headers.get("x-own")]).toEqual([201, "kept"]);
  expect(await response.text()).toBe("one two three");
  expect(order).toEqual(["one", "two", "end"]);
});

test("a held call that Node refuses is answered with 500", async () => {
  const { origin } = await held((request, response) => {
    (request as never as { session: Record<string, unknown> }).session["color"] = "red";
    response.end(42 as never);
  });
  const response = await fetch(origin);
  expect([response.status, await response.text()]).toEqual([500, "Internal Server Error"]);
});

test.for(["local", "remote"])("a throw after the end of the response changes nothing (%s store)", async (kind) => {
  const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
  const sessions = createSessions({ secretKey, store, logLevel: "silent" });
  const listener = fastSession(sessions)((request, response) => {
    request.session["color"] = "red";
    response.end("all of it");
    throw new Error("too late");
  });
  server = await listen(createServer(listener));
  const response = await fetch(server.origin);
  expect([response.status, await response.text()]).toEqual([200, "all of it"]);
});

test("103 Early Hints pass at once, before the session is committed", async () => {
  const { origin, store } = await held((request, response) => {
    (request as never as { session: Record<string, unknown> }).session["color"] = "red";
    response.writeEarlyHints({ link: "</style.css>; rel=preload" });
    expect(store.calls).toEqual([]);
    response.end("hinted");
  });
  const response = await fetch(origin);
  expect([response.status, await response.text()]).toEqual([200, "hinted"]);
});

test("serves as middleware of whatever speaks (request, response, next)", async () => {
  const session = fastSession({ secretKey, logLevel: "silent", secure: false });
  server = await listen(
    createServer((request, response) =>
      session(request, response, () => {
        const { session: found } = request as never as { session: { increment(field: string): number } };
        response.end(String(found.increment("visits")));
      }),
    ),
  );
  const first = await fetch(server.origin);
  const [line = ""] = first.headers.getSetCookie();
  const second = await fetch(server.origin, { headers: { cookie: line.split(";", 1)[0] ?? "" } });
  expect([await first.text(), await second.text()]).toEqual(["1", "2"]);
});

test("two sessions that share a property are refused", async () => {
  const [one, two] = ["one", "two"].map((sessionCookie) =>
    fastSession({ secretKey, sessionCookie, logLevel: "silent" }),
  );
  server = await listen(createServer(one!(two!((_request, response) => response.end("never")))));
  expect((await fetch(server.origin)).status).toBe(500);
});

test("an id does not change in a response whose client has left: nobody would learn of it", async () => {
  const clock = new ManualClock();
  const sessions = createSessions({ secretKey, now: clock.now, rotateEvery: 900, logLevel: "silent" });
  let leave = (): void => undefined;
  let ended = false;
  server = await listen(
    createServer(
      fastSession(sessions)(async (request, response) => {
        const { session } = request as never as { session: { increment(field: string): number } };
        if (request.url === "/slow") {
          const closed = new Promise((resolve) => response.once("close", resolve));
          leave();
          await closed;
        }
        const text = String(session.increment("n"));
        response.end(text);
        if (request.url === "/slow") ended = true;
      }),
    ),
  );
  const { origin } = server;
  const [line = ""] = (await fetch(origin)).headers.getSetCookie();
  const headers = { cookie: line.split(";")[0] as string };
  clock.advance(900_000);
  const controller = new AbortController();
  leave = () => controller.abort();
  await expect(fetch(`${origin}/slow`, { headers, signal: controller.signal })).rejects.toThrow();
  await vi.waitUntil(() => ended);
  // Longer than a request in flight may take.
  clock.advance(61_000);
  const reused = vi.fn();
  sessions.on("reuse", reused);
  const next = await fetch(origin, { headers });
  expect([await next.text(), next.headers.getSetCookie().length]).toEqual(["3", 1]);
  expect(reused).not.toHaveBeenCalled();
});
