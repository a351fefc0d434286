/** Hostile Cookie headers as bytes on sockets, past every client that would refuse to send them. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fastSession } from "../../src/adapters/node.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { counting } from "../support/counting-store.ts";
import { cookieHeaders } from "./hostile-headers.ts";

const CASES = 20_000;
const SEED = 20_261_124;
const AT_ONCE = 500;
/** Bytes that no header may have: Node answers 400 and hangs up. */
// oxlint-disable-next-line no-control-regex
const NO_HEADER = /[\0-\x08\x0a-\x1f\x7f]/;

const { store, calls } = counting(new MemoryStore());
const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store, logLevel: "silent" });
const troubles: unknown[] = [];
const server = createServer(
  fastSession(sessions)(({ session, url }, response) => {
    if (url === "/write") session["n"] = 1;
    const told = JSON.stringify([session["n"] ?? null, session.info.cause]);
    response.setHeader("content-length", told.length).end(told);
  }),
);
let port = 0;
let good = "";

beforeAll(async () => {
  process.on("unhandledRejection", (error) => troubles.push(error));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
  const response = await fetch(`http://127.0.0.1:${port}/write`);
  good = response.headers.getSetCookie()[0]?.split(";", 1)[0] as string;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends requests with these headers on one connection, one after the other without waiting. Answers what came back. */
async function send(headers: readonly string[]): Promise<Answer[]> {
  const socket = connect(port, "127.0.0.1");
  const last = headers.length - 1;
  for (const [at, header] of headers.entries()) {
    const connection = at === last ? "Connection: close\r\n" : "";
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${connection}Cookie: ${header}\r\n\r\n`, "latin1");
  }
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
  await once(socket, "close");
  const answers: Answer[] = [];
  while (text !== "") {
    const end = text.indexOf("\r\n\r\n");
    const head = text.slice(0, end);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    answers.push({ status: Number(head.slice(9, 12)), head, body: text.slice(end + 4, end + 4 + length) });
    text = text.slice(end + 4 + length);
  }
  return answers;
}

describe("a server that is sent hostile cookies", () => {
  it(`answers each of ${CASES.toLocaleString("en")} as a visitor's without a session: no error, no cookie, no store call`, async () => {
    calls.take();
    const possible = cookieHeaders(good).filter((header) => !NO_HEADER.test(header));
    const headers = fc.sample(possible, { seed: SEED, numRuns: CASES });
    const causes = new Set<unknown>();
    for (let from = 0; from < headers.length; from += AT_ONCE) {
      const some = headers.slice(from, from + AT_ONCE);
      const answers = await send(some);
      expect(answers).toHaveLength(some.length);
      for (const [at, { status, head, body }] of answers.entries()) {
        const [value, cause] = JSON.parse(body) as unknown[];
        causes.add(cause);
        if (status !== 200 || value !== null || /^set-cookie/im.test(head)) {
          throw new Error(`${JSON.stringify(some[at])} was answered ${head}: ${body}`);
        }
      }
    }
    expect(calls.take()).toEqual([]);
    expect([...causes]).toEqual(expect.arrayContaining(["none", "malformed", "bad-signature"]));
    // And the real one, among forged ones.
    expect(await send([`sid=forged; ${good}`])).toMatchObject([{ status: 200, body: '[1,"resumed"]' }]);
    expect(troubles).toEqual([]);
  });

  it("answers 400 to what is no header, and 431 to one of a megabyte, and goes on serving", async () => {
    for (const character of ["\0", "\x01", "\x0b", "\x1f", "\x7f"]) {
      expect((await send([`sid=a${character}b`])).map(({ status }) => status)).toEqual([400]);
    }
    expect((await send([`sid=${"x".repeat(1 << 20)}`]).catch(() => [])).map(({ status }) => status)).not.toContain(200);
    expect(await send([good])).toMatchObject([{ status: 200, body: '[1,"resumed"]' }]);
  });
});
