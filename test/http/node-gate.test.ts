import { createServer, type IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { createHandle } from "../../src/core/session-handle.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { NodeExchange } from "../../src/http/node-exchange.ts";
import type { NodeResponse } from "../../src/http/node-gate.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { type AdapterServer, HostileStore } from "../../src/testing/index.ts";
import { listen } from "../support/node-answers.ts";

type Handler = (response: ServerResponse, session: Session<DefaultData>, second: Session<DefaultData>) => unknown;

const servers: AdapterServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A server whose requests have two sessions of one store; `fail` is the framework's error handler, if it has one. */
async function serve(kind: string, handler: Handler, fail?: (error: unknown, ...rest: Parameters<Handler>) => void) {
  const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
  const log: string[] = [];
  const write = (line: string): void => void log.push(line);
  const logger = { debug() {}, info() {}, warn() {}, error: write };
  const secretKey = "a secret of more than thirty-two bytes";
  const sessions = ["one", "two"].map((sessionCookie) => createSessions({ secretKey, store, sessionCookie, logger }));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const exchanges: NodeExchange[] = sessions.map(
      (one) => new NodeExchange(one, request, response as unknown as NodeResponse, fail && failed),
    );
    const [first, second] = exchanges.map(({ state }) => createHandle(state)) as [Session, Session];
    function failed(error: unknown): void {
      fail?.(error, response, first, second);
    }
    for (const exchange of exchanges) await exchange.prepare();
    await handler(response, first, second);
  };
  const server = await listen(createServer((request, response) => void answer(request, response)));
  servers.push(server);
  return { store, log, origin: server.origin };
}

const stores = ["local", "remote"];

describe.each(stores)("a response that waits for its session, on a %s store", (kind) => {
  it("sends its headers with the cookie when they are flushed, before any body", async () => {
    let arrived = (): void => undefined;
    const headers = new Promise<void>((resolve) => (arrived = resolve));
    const { origin } = await serve(kind, async (response, session) => {
      session.set("n", 1);
      response.flushHeaders();
      await headers;
      response.end("body");
    });
    const response = await fetch(origin);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    arrived();
    expect(await response.text()).toBe("body");
  });

  const given = { "x-own": "1", "set-cookie": "a=1" };
  it.each<[string, unknown[], string, number]>([
    ["a status", [201], "Created", 1],
    ["a reason", [201, "Fine"], "Fine", 1],
    ["headers", [201, given], "Created", 2],
    ["headers and null", [201, given, null], "Created", 2],
    ["a reason and headers", [201, "Fine", given], "Fine", 2],
    ["null and headers", [201, null, given], "Created", 2],
    ["undefined and pairs", [201, undefined, Object.entries(given)], "Created", 2],
  ])("takes %s in writeHead, which can be chained", async (_what, args, reason, cookies) => {
    const { origin } = await serve(kind, (response, session) => {
      session.set("n", 1);
      response.writeHead(...(args as [number])).end("made");
    });
    const response = await fetch(origin);
    expect([response.status, response.statusText, await response.text()]).toEqual([201, reason, "made"]);
    expect(response.headers.getSetCookie()).toHaveLength(cookies);
    expect(response.headers.get("x-own")).toBe(cookies === 2 ? "1" : null);
  });

  it("commits all its sessions, each once", async () => {
    const { origin, store } = await serve(kind, (response, first, second) => {
      first.set("n", 1);
      second.set("n", 2);
      response.write("a");
      response.write("b");
      response.end();
    });
    expect((await fetch(origin)).headers.getSetCookie()).toHaveLength(2);
    expect(store.calls).toEqual(["create", "create"]);
  });

  it("begins no session that is first used after the first byte", async () => {
    const { origin, store } = await serve(kind, (response, _first, second) => {
      response.write("a");
      expect(() => second.set("n", 1)).toThrow(expect.objectContaining({ code: "ERR_SESSION_HEADERS_SENT" }));
      response.end();
    });
    expect(await (await fetch(origin)).text()).toBe("a");
    expect(store.calls).toEqual([]);
  });

  it("may be wrapped by other middleware, also while it waits", async () => {
    const { origin } = await serve(kind, (response, session) => {
      session.set("n", 1);
      response.write("a");
      response.setHeader = response.setHeader.bind(response);
      const { end } = response;
      response.end = ((chunk: string) => end.call(response, `${chunk}!`, "utf8")) as never;
      response.end("b");
    });
    expect(await (await fetch(origin)).text()).toBe("ab!");
  });
});

describe("a response whose session nobody used", () => {
  it("is left as it was", async () => {
    const { origin } = await serve("remote", (response) => response.end(String(Object.hasOwn(response, "end"))));
    expect(await (await fetch(origin)).text()).toBe("false");
  });
});

describe("a held response", () => {
  /** How often a handler is told to go on writing until the response has gone. */
  async function drains(write: (response: ServerResponse) => void): Promise<number> {
    let count = 0;
    const { origin } = await serve("remote", async (response, session) => {
      session.set("n", 1);
      response.on("drain", () => (count += 1));
      write(response);
      // Until all that was held has been handed over and sent: for that long `headersSent` is not Node's own.
      const sent = (): unknown => Reflect.get(ServerResponse.prototype, "headersSent", response);
      await vi.waitUntil(() => sent() && response.writableLength + (response.socket?.writableLength ?? 0) === 0);
      response.end();
    });
    await (await fetch(origin)).text();
    return count;
  }

  it("tells a handler that waits with its next write to go on", async () => {
    expect(await drains((response) => response.write("a"))).toBe(1);
    expect(
      await drains((response) => {
        response.write("a");
        response.flushHeaders();
      }),
    ).toBe(1);
  });

  it("tells it once when Node itself has it wait", async () => {
    expect(await drains((response) => response.write("a".repeat(4_000_000)))).toBe(1);
  });

  it("tells a handler that wrote nothing, or has ended, nothing", async () => {
    expect(await drains((response) => response.flushHeaders())).toBe(0);
    expect(await drains((response) => response.writeHead(200))).toBe(0);
    expect(
      await drains((response) => {
        response.write("a");
        response.end("b");
      }),
    ).toBe(0);
  });

  it("is cut off when Node refuses a call after the headers", async () => {
    const { origin } = await serve("remote", (response, session) => {
      session.set("n", 1);
      response.write("one");
      response.write(42);
    });
    await expect(fetch(origin).then((response) => response.text())).rejects.toThrow();
  });
});

describe.each(stores)("a session that cannot be saved, on a %s store", (kind) => {
  it("is answered with 503 where no error handler is, and nothing of the handler's is sent", async () => {
    const written: unknown[] = [];
    const { origin, store, log } = await serve(kind, (response, session) => {
      store.fail("create");
      session.set("n", 1);
      response.setHeader("x-own", "1");
      response.writeHead(201, { "x-late": "1" });
      written.push(response.write("secret"));
      response.end("more");
      response.end();
    });
    const response = await fetch(origin);
    expect([response.status, await response.text()]).toEqual([503, "Service Unavailable"]);
    const { headers } = response;
    expect([headers.get("content-type"), headers.get("vary")]).toEqual(["text/plain; charset=utf-8", "Cookie"]);
    expect([headers.get("x-own"), headers.get("x-late"), headers.getSetCookie()]).toEqual([null, null, []]);
    expect(written).toEqual([false]);
    // A remote store is asked two more times.
    expect(store.calls).toHaveLength(kind === "local" ? 1 : 3);
    expect(log.filter((line) => line.includes("the client got 503"))).toHaveLength(1);
  });

  it("is told to the error handler once, which answers as if nothing had been", async () => {
    const seen: unknown[] = [];
    const { origin, store } = await serve(
      kind,
      (response, session) => {
        store.fail("create");
        session.set("n", 1);
        response.write("secret");
        response.end("more");
      },
      (error, response) => {
        seen.push(error, response.headersSent, response.writableEnded);
        response.writeHead(500, { "x-handled": "1" });
        response.end("handled");
      },
    );
    const response = await fetch(origin);
    expect([response.status, response.headers.get("x-handled"), await response.text()]).toEqual([500, "1", "handled"]);
    expect([response.headers.get("vary"), response.headers.getSetCookie()]).toEqual(["Cookie", []]);
    expect(seen).toEqual([expect.objectContaining({ status: 503 }), false, false]);
  });

  it("is not told to it while the handler goes on writing", async () => {
    const failed = vi.fn();
    let answered = (): void => undefined;
    const over = new Promise<void>((resolve) => (answered = resolve));
    const { origin, store } = await serve(
      kind,
      async (response, session) => {
        store.fail("create");
        session.set("n", 1);
        response.write("secret");
        await over;
        response.write("more");
        response.end();
      },
      failed,
    );
    const response = await fetch(origin);
    expect([response.status, await response.text()]).toEqual([503, "Service Unavailable"]);
    answered();
    expect(failed).not.toHaveBeenCalled();
  });

  it("lets the error handler begin no other: that one's cookie would come too late", async () => {
    const { origin, store } = await serve(
      kind,
      (response, session) => {
        store.fail("create");
        session.set("n", 1);
        response.end();
      },
      (_error, response, _first, second) => {
        expect(() => second.set("n", 1)).toThrow(expect.objectContaining({ code: "ERR_SESSION_HEADERS_SENT" }));
        response.end("handled");
      },
    );
    const response = await fetch(origin);
    expect([await response.text(), response.headers.getSetCookie()]).toEqual(["handled", []]);
  });
});
