/** The application that the original was recorded with, on our library. */
import type { ServerResponse } from "node:http";
import type { WithSession } from "../../../src/adapters/node.ts";
import { type Asked, type Data, dataOf, handlerOf } from "./transcript.ts";

export type Session = WithSession["session"];
/** What it returns is in the report that it answers with. */
type Handler = (session: Session, response: ServerResponse, step: Asked, cookie: string) => unknown;

export const OWN_COOKIES = ["theme=dark; Path=/; SameSite=lax", "lang=ja; Max-Age=60; Path=/; SameSite=lax"];
export const OWN_VALUE = "of-the-handler";

const handlers: Readonly<Record<string, Handler>> = {
  counter: (session) => ({ test_counter: (session["test_counter"] = session.get("test_counter", 0) + 1) }),
  noop: () => ({}),
  "own-cookies": (_, response) => void response.setHeader("set-cookie", OWN_COOKIES),
  "own-sid-cookie": (_session, response, _step, cookie) =>
    void response.setHeader("set-cookie", `${cookie}=${OWN_VALUE}; Path=/`),
  raise(session, _, step) {
    Object.assign(session, written(step));
    throw new Error("raised by the handler");
  },
  "http-exception"(session, response, step) {
    Object.assign(session, written(step));
    response.statusCode = 403;
  },
  clear: (session) => session.clearSession(),
  async save(session, _, step) {
    Object.assign(session, written(step));
    await session.saveSession();
  },
  stream(session, response, step) {
    response.write("a");
    Object.assign(session, written(step));
    response.end("b");
  },
  "overwrite-cause": (session) => void (session["__cause__"] = "of the handler"),
  /** What the original cannot do. */
  regenerate: (session) => session.regenerate(),
};

/** What the handler wrote besides the counter, as the recorded store shows it. */
function written({ store_after, response: { body } }: Asked): Data {
  const records = [...Object.values(store_after ?? {}).map(({ store }) => store), (body as { session?: Data }).session];
  const { test_counter: _, ...rest } = dataOf(Object.assign({}, ...records) as Data);
  return Object.keys(rest).length === 0 ? { written: true } : rest;
}

/** One request. Without a session where a rule skipped it. */
export async function answer(
  session: Session | undefined,
  response: ServerResponse,
  step: Asked,
  cookie: string,
): Promise<void> {
  const handler = handlers[handlerOf(step)];
  if (handler === undefined) return plain(response, 404, "Not Found");
  if (step.request.method !== "GET" && step.request.method !== "HEAD") {
    return plain(response, 405, "Method Not Allowed");
  }
  if (session === undefined && handlerOf(step) === "noop") return json(response, { has_session: false });
  const said = await handler(session as Session, response, step, cookie);
  if (session === undefined || response.writableEnded) return;
  json(response, {
    ...(said as object | undefined),
    has_session: true,
    session_id: session.getSessionId(),
    cause: session.info.cause,
    session: session.getSession(),
  });
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.end(text);
}

function json(response: ServerResponse, body: object): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}
