import { connect, createServer, type Http2Server, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fastSession, type WithSession } from "../../src/adapters/node.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import type { SessionStore } from "../../src/core/session-store.ts";

/** The same store, as if it were remote: every answer is a promise. */
function remote(store: SessionStore): SessionStore {
  return new Proxy(store, {
    getPrototypeOf: () => Object.prototype,
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === "capabilities") return { ...target.capabilities, local: false };
      if (typeof value !== "function") return value;
      return async (...args: unknown[]): Promise<unknown> =>
        (value as (...all: unknown[]) => unknown).apply(target, args);
    },
  });
}

let server: Http2Server;
let origin = "";

async function listen(store: SessionStore): Promise<void> {
  const session = fastSession({ secretKey: "a secret of more than thirty-two bytes", secure: "auto", store });
  const listener = session((request: WithSession, response) => {
    switch (request.url) {
      case "/empty":
        request.session["n"] = 1;
        response.statusCode = 204;
        response.end();
        return;
      case "/head":
        request.session["n"] = 1;
        response.setHeader("set-cookie", "mine=1");
        response.writeHead(201, { "x-own": "yes" });
        response.end("made");
        return;
      case "/stream":
        request.session.increment("n");
        response.write("a");
        response.end("b");
        return;
      default:
        response.end(String(request.session.get("n", "none")));
    }
  });
  server = createServer(listener as never);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function get(
  path: string,
  cookies: string[] = [],
): Promise<{ headers: IncomingHttpHeaders & { ":status"?: number }; body: string }> {
  return new Promise((resolve, reject) => {
    const client = connect(origin);
    client.on("error", reject);
    // As browsers do on HTTP/2: a field a cookie (RFC 9113, 8.2.3).
    const stream = client.request({ ":path": path, ...(cookies.length > 0 ? { cookie: cookies } : {}) });
    let body = "";
    let headers: IncomingHttpHeaders = {};
    stream.on("response", (received) => (headers = received));
    stream.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    stream.on("end", () => {
      client.close();
      resolve({ headers, body });
    });
  });
}

const cookieOf = (headers: IncomingHttpHeaders): string =>
  (headers["set-cookie"]?.find((line) => line.startsWith("sid=")) ?? "").split(";", 1)[0] as string;

afterEach(() => void server.close());

describe.each([
  ["a local store", () => new MemoryStore()],
  ["a remote store", () => remote(new MemoryStore())],
])("HTTP/2, by Node's compatibility API, on %s", (_name, create) => {
  beforeEach(() => listen(create()));

  it("saves and sends the cookie on a response without a body", async () => {
    const { headers } = await get("/empty");
    expect(headers[":status"]).toBe(204);
    const { body, headers: next } = await get("/", [cookieOf(headers)]);
    expect(body).toBe("1");
    expect(next["vary"]).toBe("Cookie");
    expect(next["set-cookie"]).toBeUndefined();
  });

  it("keeps the handler's own cookie and headers of writeHead", async () => {
    const { headers, body } = await get("/head");
    expect([headers[":status"], headers["x-own"], body]).toEqual([201, "yes", "made"]);
    expect(headers["set-cookie"]).toHaveLength(2);
    expect(headers["set-cookie"]).toContain("mine=1");
    expect((await get("/", [cookieOf(headers)])).body).toBe("1");
  });

  it("commits before the first chunk of a stream", async () => {
    const first = await get("/stream");
    expect(first.body).toBe("ab");
    const second = await get("/stream", [cookieOf(first.headers)]);
    expect(second.headers["set-cookie"]).toBeUndefined();
    expect((await get("/", [cookieOf(first.headers)])).body).toBe("2");
  });

  it("finds its cookie among others that come as fields of their own", async () => {
    const { headers } = await get("/empty");
    expect((await get("/", ["a=1", cookieOf(headers), "b=2"])).body).toBe("1");
  });
});
