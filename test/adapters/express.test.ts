import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import express4 from "express4";
import { afterEach, describe, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/express.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { adapterContract, type AdapterServer, HostileStore } from "../../src/testing/index.ts";
import { expressCookieWays, startExpress } from "../support/express-app.ts";
import { listen } from "../support/node-answers.ts";

adapterContract({ test, start: (app) => startExpress(express(), app, true), cookieWays: expressCookieWays });

const file = fileURLToPath(import.meta.url);
const secretKey = "a secret of the tests, which everybody can read here";

let server: AdapterServer | undefined;
afterEach(() => server?.close());

async function visit(app: Express, headers: Record<string, string> = {}): Promise<globalThis.Response> {
  server = await listen(createServer(app));
  return fetch(server.origin, { headers });
}

/** What compression, on-headers and their like do: a header is added at the last moment. */
function addsHeaderLate(name: string) {
  return (_request: Request, response: Response, next: NextFunction): void => {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = ((...args: Parameters<typeof writeHead>) => {
      response.setHeader(name, "added");
      return writeHead(...args);
    }) as typeof writeHead;
    next();
  };
}

describe.for([
  ["Express 5", express, true],
  ["Express 5", express, false],
  ["Express 4", express4, true],
  ["Express 4", express4, false],
] as const)("%s", ([, createApp, local]) => {
  const session = (options: Partial<SessionOptions> = {}): ReturnType<typeof fastSession> => {
    const store = new HostileStore(new MemoryStore(), { local });
    return fastSession({ secretKey, store, logLevel: "silent", ...options });
  };
  const kind = local ? "local" : "remote";

  test.for([
    ["https", true],
    ["http", false],
  ] as const)(`its own "trust proxy" decides with secure "auto" (${kind} store): %s`, async ([proto, secure]) => {
    const app = createApp()
      .set("trust proxy", 1)
      .use(session({ secure: "auto" }));
    app.use((request, response) => void response.send(String(request.session.increment("visits"))));
    const { headers } = await visit(app, { "x-forwarded-proto": proto });
    expect(headers.getSetCookie()[0]?.includes("; Secure")).toBe(secure);
  });

  test(`a file is sent whole, with the cookie (${kind} store)`, async () => {
    const app = createApp().use(session());
    app.use((request, response) => {
      request.session["file"] = "sent";
      response.sendFile(file);
    });
    const response = await visit(app);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await response.text()).toContain("a file is sent whole");
  });

  test(`a piped stream arrives whole, with the cookie (${kind} store)`, async () => {
    const app = createApp().use(session());
    app.use((request, response) => {
      request.session["file"] = "piped";
      createReadStream(file, { highWaterMark: 100 }).pipe(response);
    });
    const response = await visit(app);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect((await response.text()).endsWith("});\n")).toBe(true);
  });

  test(`an error given to next() is not saved (${kind} store)`, async () => {
    const app = createApp().use(session());
    app.use((request, _response, next) => {
      request.session["color"] = "lost";
      next(Object.assign(new Error("not for you"), { status: 403 }));
    });
    const response = await visit(app);
    expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
  });

  test.for(["before", "after"])(
    `middleware that adds headers late, mounted %s, adds them (${kind} store)`,
    async (order) => {
      const app = createApp();
      if (order === "before") app.use(addsHeaderLate("x-late"));
      app.use(session());
      if (order === "after") app.use(addsHeaderLate("x-late"));
      app.use((request, response) => {
        request.session["color"] = "red";
        response.json({ saved: true });
      });
      const response = await visit(app);
      expect([response.headers.get("x-late"), response.headers.getSetCookie().length]).toEqual(["added", 1]);
      expect(await response.json()).toEqual({ saved: true });
    },
  );
});

test("a property that other middleware has taken is an error that says so, not a session that is silently missing", async () => {
  const app = express();
  app.use((request, _response, next) => {
    Object.assign(request, { session: { foreign: true } });
    next();
  });
  app.use(fastSession({ secretKey, logLevel: "silent" }));
  const errors: unknown[] = [];
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    errors.push(error);
    response.status(500).end();
  });
  expect((await visit(app)).status).toBe(500);
  expect(errors).toEqual([
    expect.objectContaining({ name: "TypeError", message: expect.stringContaining("sessionObject") as string }),
  ]);
});

test("what a handler goes on writing after a failed save gets into no response", async () => {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const sessions = createSessions({ secretKey, store, logLevel: "silent" });
  // Of which the store knows that it failed: it is not tried again.
  store.fail("create", new FastSessionError("ERR_SESSION_STORE", "out of memory"));
  const app = express();
  app.use(fastSession(sessions));
  app.use((request, response) => {
    request.session["color"] = "red";
    response.write("first ");
    sessions.on("store-error", () =>
      setImmediate(() => {
        response.write("second ");
        response.end("third");
      }),
    );
  });
  // An error handler that takes its time.
  app.use((_error: unknown, _request: Request, _response: Response, _next: NextFunction) => undefined);
  const response = await visit(app);
  expect([response.status, await response.text()]).toEqual([503, "Service Unavailable"]);
});
