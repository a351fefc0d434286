/**
 * What the demo has no page for, served with the library as it is: event streams that go on writing, whatever happens to
 * their session, and sessions whose options come out of a tenant's settings, unchecked. Prints its address.
 */
import { EventEmitter } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createSessions, type Session, type SessionOptions } from "fastsession";
import { fastSession } from "fastsession/node";

interface Data {
  name?: string;
  events?: number;
}

const secretKey = process.env["SESSION_SECRET"] ?? "";
const options = { secretKey, secure: "auto", logLevel: "silent" } as const;
const sessions = createSessions<Data>(options);

/** Each tick is something that happened, and is written by every stream that is open. */
const happenings = new EventEmitter().setMaxListeners(0);

async function formOf(request: IncomingMessage): Promise<Record<string, string>> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return Object.fromEntries(new URLSearchParams(body));
}

function page(session: Session<Data>): string {
  const { info } = session;
  const fact = (name: string, value: string | null): string => `<dt><code>${name}</code></dt><dd>${value ?? ""}</dd>`;
  const fields = fact("session.data", Object.keys(session).join());
  return fact("info.cause", info.cause) + fact("info.userId", info.userId) + fields;
}

function stream(session: Session<Data>, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: open\n\n");
  // On purpose without info.signal: it neither knows nor cares whether its session has ended.
  const write = (): void => {
    try {
      session.increment("events");
      session.name = "written by a stream";
    } catch {
      // Told that the session is gone, it goes on all the same.
    }
    response.write("data: something happened\n\n");
  };
  happenings.on("tick", write);
  response.on("close", () => happenings.off("tick", write));
}

/** A tenant's first visitor, with what the tenant has chosen for the cookie. */
function tenant(settings: Partial<SessionOptions>, request: IncomingMessage, response: ServerResponse): void {
  const visit = fastSession({ ...options, ...settings });
  visit(({ session }, answer) => {
    session["visited"] = true;
    answer.end("welcome");
  })(request, response);
}

const main = fastSession(sessions)(async (request, response) => {
  const { session } = request;
  const path = request.url?.split("?", 1)[0];
  if (path === "/stream") return stream(session, response);
  if (path === "/tick") happenings.emit("tick");
  const form = request.method === "POST" ? await formOf(request) : {};
  if (path === "/sign-in") await session.login(form["name"] ?? "nobody");
  if (path === "/sign-out") await session.logout();
  response.end(page(session));
});

const server = createServer((request, response) => {
  if (request.url !== "/tenant") return main(request, response);
  formOf(request)
    .then((settings) => tenant(settings, request, response))
    .catch(() => response.writeHead(400).end("these settings are refused"));
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
