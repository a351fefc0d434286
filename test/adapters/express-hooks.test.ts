import express from "express";
import type { AddressInfo } from "node:net";
import { createServer, type ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/express.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/index.ts";

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function visit(app: express.Express, path = "/"): Promise<Response> {
  const server = createServer(app);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  await response.clone().text();
  return response;
}

describe.each(["local", "remote"])("responses of an application, on a %s store", (kind) => {
  const session = () =>
    fastSession({
      secretKey: "a secret of more than thirty-two bytes",
      secure: false,
      store: new HostileStore(new MemoryStore(), { local: kind === "local" }),
    });

  test("are the same functions for each, so that none has its own", async () => {
    const app = express();
    app.use(session());
    let own: string[] = ["not asked"];
    app.get("/", (request, response) => {
      request.session.set("n", 1);
      own = ["writeHead", "write", "end", "flushHeaders", "setHeader"].filter((name) => Object.hasOwn(response, name));
      response.send("ok");
    });
    const response = await visit(app);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(own).toEqual([]);
  });

  test("that a mounted application began and the outer one ends have their cookie", async () => {
    const app = express();
    const inner = express();
    inner.use(session());
    inner.use((request, _response, next) => {
      request.session.set("n", 1);
      next();
    });
    app.use(inner);
    app.get("/", (_request, response) => void response.send("from outside"));
    const response = await visit(app);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await response.text()).toBe("from outside");
  });

  test("that the outer application began and a mounted one ends have their cookie", async () => {
    const app = express();
    app.use(session());
    app.use((request, _response, next) => {
      request.session.set("n", 1);
      next();
    });
    const inner = express();
    inner.get("/", (_request, response) => void response.send("from inside"));
    app.use("/inner", inner);
    const response = await visit(app, "/inner");
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await response.text()).toBe("from inside");
  });

  test("whose methods somebody wrapped before show the cookie to whoever did", async () => {
    const app = express();
    let seen: unknown;
    app.use((_request, response, next) => {
      const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
      response.writeHead = ((...args: unknown[]) => {
        seen = response.getHeader("set-cookie");
        return writeHead(...args);
      }) as typeof response.writeHead;
      next();
    });
    app.use(session());
    app.get("/", (request, response) => {
      request.session.set("n", 1);
      response.send("ok");
    });
    const response = await visit(app);
    expect([seen].flat()).toEqual(response.headers.getSetCookie());
    expect(seen).toBeDefined();
  });

  test("without a session of their own are as they were", async () => {
    const app = express();
    app.get("/with", session(), (request, response) => {
      request.session.set("n", 1);
      response.send("ok");
    });
    app.get("/", (_request, response) => {
      response.setHeader("x-own", "1");
      response.write("a");
      expect([response.headersSent, response.writableEnded]).toEqual([true, false]);
      response.end("b");
    });
    expect((await visit(app, "/with")).headers.getSetCookie()).toHaveLength(1);
    const response = await visit(app);
    expect([response.headers.get("x-own"), await response.text()]).toEqual(["1", "ab"]);
  });
});
