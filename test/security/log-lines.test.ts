/** What a log shows of what a client chose: names of fields and keys, and messages of errors that quote them. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { fastSession as fetchSession } from "../../src/adapters/fetch.ts";
import { fastSession as nodeSession } from "../../src/adapters/node.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";
/** Line breaks of four kinds, a C1 escape, text that runs from right to left, and a character outside of the BMP. */
const EVIL = "evil\r\nFORGED\u2028FORGED\u2029\u0085\u009b31mFORGED\u202e\u00ad\u{e0041}";
/** As JSON gives it: a key of that name, and in it one that no codec takes. */
const BODY = `{${JSON.stringify(EVIL)}:{"__proto__":{"admin":true}}}`;

/** Characters that end a line, or that are not seen. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u;

function listening(): { lines: string[]; options: { secretKey: string; logger: never; logLevel: "debug" } } {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = { debug: write, info: write, warn: write, error: write } as never;
  return { lines, options: { secretKey, logger, logLevel: "debug" } };
}

/** A log is one line for each message, and one for each place of an error's stack. */
function expectLines(messages: readonly string[]): void {
  expect(messages.length).toBeGreaterThan(0);
  for (const message of messages) {
    const [first = "", ...places] = message.split("\n");
    expect(first).toMatch(/^\[fastsession\] /);
    for (const line of [first, ...places]) expect(line).not.toMatch(UNSEEN);
    for (const place of places) expect(place).toMatch(/^ {4}at /);
  }
}

const throwers: readonly (readonly [string, (session: Session<DefaultData>, body: string) => void])[] = [
  ["a body that cannot be stored", (session, body) => session.set("form", JSON.parse(body))],
  [
    "an error that quotes the body",
    (_, body) => {
      throw new Error(`no form\r\nforged\n    at forged ${body}`);
    },
  ],
  [
    "an error with another name and no stack of its own",
    (_, body) => {
      throw Object.assign(new Error("no"), { name: body, stack: `${body}\nforged` });
    },
  ],
];

async function answer(server: Server, body: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { status } = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
  await new Promise((resolve) => server.close(resolve));
  return status;
}

describe.for(throwers)("the log of %s", ([, act]) => {
  it("has lines of ours alone, over node:http", async () => {
    const { lines, options } = listening();
    const session = nodeSession(options);
    const server = createServer(
      session(async (request, response) => {
        let body = "";
        for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
        act(request.session, body);
        response.end();
      }),
    );
    expect(await answer(server, BODY)).toBe(500);
    expectLines(lines);
  });

  it("has lines of ours alone, over the Fetch API", async () => {
    const { lines, options } = listening();
    const serve = fetchSession(options)(async (request, session) => {
      act(session, await request.text());
      return new Response();
    });
    const { status } = await serve(new Request("http://127.0.0.1/", { method: "POST", body: BODY }));
    expect(status).toBe(500);
    expectLines(lines);
  });
});

it("the log of an error keeps the places of its stack", async () => {
  const { lines, options } = listening();
  const serve = fetchSession(options)(() => {
    throw new RangeError("out of\nrange");
  });
  await serve(new Request("http://127.0.0.1/"));
  const [first = "", ...places] = (lines[0] as string).split("\n");
  expect(first).toBe("[fastsession] the handler threw: RangeError: out of\\nrange");
  expect(places.length).toBeGreaterThan(1);
  expect(places[0]).toContain("log-lines.test.ts");
});

it("the log of a field that cannot be read has its name in one line", async () => {
  const { lines, options } = listening();
  const store = new MemoryStore();
  const sessions = createSessions({ ...options, store });
  const browser = new Browser(sessions);
  const { visit } = await browser.visit((session) => session.set(EVIL, 1));
  void store.commit(visit.exchange.state.key as string, { operation: "torn", now: Date.now(), set: { [EVIL]: "{" } });
  await browser.visit((session) => session.get(EVIL));
  expectLines(lines);
  expect(lines.join("")).toContain('"evil\\r\\nFORGED\\u2028');
});

describe("the message of an error, which other logs print", () => {
  const acts: Record<string, (session: Session<DefaultData>) => unknown> = {
    "a key that cannot be stored": (session) => session.set("form", JSON.parse(BODY)),
    "a value that cannot be stored": (session) => session.set(EVIL, { [EVIL]: () => 1 }),
    "a field that is no list": (session) => (session.set(EVIL, 1), session.append(EVIL, 1)),
    "a field that is no number": (session) => (session.set(EVIL, "1"), session.increment(EVIL)),
    "metadata that is no text": (session) => session.login("ann", { metadata: { [EVIL]: 1 as never } }),
    "a field that is too large": (session) => session.set(EVIL, "x".repeat(2000)),
    "a value that the schema refuses": (session) => session.set(`${EVIL}!`, 1),
  };

  it.for(Object.entries(acts))("has %s in one line", async ([, act]) => {
    const refusing = { "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "" }] }) } };
    const { options } = listening();
    const sessions = createSessions({ ...options, maxFieldBytes: 1000, schema: { [`${EVIL}!`]: refusing as never } });
    const error = await new Browser(sessions).visit((session) => act(session)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).not.toMatch(UNSEEN);
    if (error instanceof FastSessionError) expect(error.path).not.toMatch(UNSEEN);
  });
});
