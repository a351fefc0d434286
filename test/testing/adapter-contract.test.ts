import { createServer, type IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { fastSession } from "../../src/adapters/node.ts";
import { adapterContract, type AdapterApp, type AdapterServer } from "../../src/testing/index.ts";
import { listen, NodeAnswer } from "../support/node-answers.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** What is wrong with an adapter. */
interface Sabotage {
  /** Around the adapter. */
  readonly outside?: (listener: Listener) => Listener;
  /** Between the adapter and the handler. */
  readonly inside?: (listener: Listener) => Listener;
  readonly app?: (app: AdapterApp) => AdapterApp;
}

function startWith({ outside = same, inside = same, app = same }: Sabotage) {
  return (given: AdapterApp): Promise<AdapterServer> => {
    const { mounts, handle } = app(given);
    const answer: Listener = (request, response) => {
      const node = new NodeAnswer(response);
      const answered = handle({
        method: request.method ?? "",
        url: request.url ?? "",
        sessions: mounts.map(({ http }) => (request as never)[http.sessionObject]),
        setCookie: (way, line) => node.setCookie(way, line),
      });
      return answered instanceof Promise ? answered.then((one) => node.send(one)) : node.send(answered);
    };
    const listener = mounts.reduceRight<Listener>((inner, sessions) => fastSession(sessions)(inner), inside(answer));
    return listen(createServer(outside(listener)));
  };
}

function same<T>(value: T): T {
  return value;
}

/** Changes the Set-Cookie lines as they leave. */
function cookies(change: (lines: string[]) => string[]): Pick<Sabotage, "outside"> {
  return changingHeaders((response) => {
    const lines = response.getHeader("set-cookie");
    if (lines !== undefined) response.setHeader("set-cookie", change([lines].flat().map(String)));
  });
}

function changingHeaders(change: (response: ServerResponse) => void): Pick<Sabotage, "outside"> {
  return {
    outside: (listener) => (request, response) => {
      const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
      response.writeHead = (...args: unknown[]) => {
        change(response);
        return writeHead(...args);
      };
      return listener(request, response);
    },
  };
}

/** Sends the first byte before the handler runs. */
const hasty: Sabotage = {
  outside: (listener) => (request, response) => {
    ServerResponse.prototype.flushHeaders.call(response);
    return listener(request, response);
  },
};

/** Answers errors itself, so that the adapter never sees one. */
const swallowing: Sabotage = {
  inside: (listener) => async (request, response) => {
    try {
      await listener(request, response);
    } catch {
      response.statusCode = 500;
      response.end();
    }
  },
};

/** Expires the cookie wherever none is set. */
const clearing = changingHeaders((response) => {
  if (!response.hasHeader("set-cookie")) response.setHeader("set-cookie", "sid=; Path=/; Max-Age=0");
});

/** Reads the session of every request. */
const curious: Sabotage = {
  inside: (listener) => (request, response) => {
    void (request as { session?: { has(field: string): boolean } }).session?.has("anything");
    return listener(request, response);
  },
};

/** Forgets that requests can be skipped. */
const forgetful: Sabotage = {
  outside: (listener) => (request, response) => {
    request.headers = { cookie: request.headers.cookie };
    return listener(request, response);
  },
};

const sabotages: readonly (readonly [what: string, sabotage: Sabotage, story: string])[] = [
  ["sends its cookie twice", cookies((lines) => [...lines, lines[0]!]), "first write sends one cookie"],
  ["leaves HttpOnly out", cookies((lines) => lines.map((line) => line.replace("; HttpOnly", ""))), "safe attributes"],
  ["drops the handler's cookies", cookies((lines) => lines.slice(-1)), "by setHeader survives"],
  ["drops its own cookie beside others", cookies((lines) => lines.slice(0, 1)), "by setHeader survives"],
  ["never expires cookies", cookies((lines) => lines.filter((line) => !/=;/.test(line))), "destroy expires the cookie"],
  ["clears unknown cookies", clearing, "store does not know is left alone"],
  ["writes broken cookies", cookies((lines) => lines.map((line) => `${line};`)), "next request reads"],
  ["forgets Vary", changingHeaders((response) => response.removeHeader("vary")), "first visit that only reads"],
  ["forgets Cache-Control", changingHeaders((response) => response.removeHeader("cache-control")), "forbids caching"],
  ["sends the first byte too early", hasty, "next request reads"],
  ["saves what a throw left", swallowing, "throws at once makes no session"],
  ["saves what a late throw left", swallowing, "throws later leaves a session as it was"],
  ["touches what is not touched", curious, "leaves the session alone"],
  ["reads skip rules wrongly", forgetful, "one header rule skips"],
  ["mounts one of two sessions", { app: (app) => ({ ...app, mounts: app.mounts.slice(0, 1) }) }, "keep apart"],
];

for (const [what, sabotage, story] of sabotages) {
  test(`an adapter that ${what} is caught`, async () => {
    const told = stories(sabotage).filter(([name]) => name.includes(story));
    expect(told.length).toBeGreaterThan(0);
    for (const [, run] of told) await expect(run()).rejects.toThrow();
  });
}

test("an adapter without fault passes the same stories", async () => {
  const names = sabotages.map(([, , story]) => story);
  for (const [name, run] of stories({})) if (names.some((one) => name.includes(one))) await run();
});

function stories(sabotage: Sabotage): [name: string, run: () => Promise<void>][] {
  const told: [string, () => Promise<void>][] = [];
  adapterContract({
    test: (name, run) => told.push([name, run]),
    start: startWith(sabotage),
    cookieWays: ["setHeader"],
    errorHandlers: false,
  });
  return told;
}
