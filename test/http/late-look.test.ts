/** A session that is first looked at when the headers have left: they cannot say `Vary: Cookie` any more. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { fastSession as fetchSession } from "../../src/adapters/fetch.ts";
import { fastSession as honoSession } from "../../src/adapters/hono.ts";
import { fastSession as nodeSession } from "../../src/adapters/node.ts";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";

type Look = "before" | "after" | "before and after" | "never";

/** Answers in two parts, and looks at the session before or between them. */
const servers: Record<string, (sessions: Sessions, look: Look) => Promise<Response>> = {
  async "node:http"(sessions, look) {
    const listener = nodeSession(sessions)((request, response) => {
      if (look.startsWith("before")) void request.session.info.userId;
      response.write("a");
      if (look.endsWith("after")) void request.session["n"];
      response.end("b");
    });
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const whole = new Response(await response.text(), response);
    await new Promise((resolve) => server.close(resolve));
    return whole;
  },
  async "the Fetch API"(sessions, look) {
    const serve = fetchSession(sessions)((_, session) => {
      if (look.startsWith("before")) void session.info.userId;
      const body = inTwo(() => void (look.endsWith("after") && session["n"]));
      return new Response(body);
    });
    return read(await serve(new Request("http://127.0.0.1/")));
  },
  async Hono(sessions, look) {
    const app = new Hono();
    app.use(honoSession(sessions) as never);
    app.get("/", (c) => {
      const { session } = c.var as unknown as { session: Record<string, unknown> & { info: { userId: unknown } } };
      if (look.startsWith("before")) void session.info.userId;
      return c.body(inTwo(() => void (look.endsWith("after") && session["n"])));
    });
    return read(await app.request("/"));
  },
};

function inTwo(between: () => void): ReadableStream<Uint8Array> {
  let parts = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (parts === 1) between();
    controller.enqueue(new TextEncoder().encode("ab"[parts]));
    if ((parts += 1) === 2) controller.close();
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

async function read(response: Response): Promise<Response> {
  return new Response(await response.text(), response);
}

describe.for(Object.entries(servers))("over %s, a first look at the session", ([, serve]) => {
  it.for<readonly [Look, string | null, number]>([
    ["before", "Cookie", 0],
    ["after", null, 1],
    ["before and after", "Cookie", 0],
    ["never", null, 0],
  ])("%s the first byte: Vary is %s", async ([look, vary, warnings]) => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const logger = { debug: write, info: write, warn: write, error: write };
    const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", logger });
    for (let request = 0; request < 2; request += 1) {
      const response = await serve(sessions, look);
      expect([await response.text(), response.headers.get("vary")]).toEqual(["ab", vary]);
    }
    expect(lines).toHaveLength(warnings);
    for (const line of lines) expect(line).toMatch(/no Vary: Cookie.*before the first byte/);
  });
});
