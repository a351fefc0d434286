import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { fastSession } from "../../src/adapters/node.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { verifyCsrf } from "../../src/core/csrf-token.ts";
import type { FastSession } from "../../src/core/session-types.ts";
import type { AdapterServer } from "../../src/testing/index.ts";
import { Browser } from "../support/browser.ts";
import { listen } from "../support/node-answers.ts";

const secretKey = "a secret of these tests, which everybody can read";
const servers: AdapterServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const looks: Record<string, (session: FastSession) => unknown> = {
  item: (session) => session["n"],
  get: (session) => session.get("n"),
  has: (session) => session.has("n"),
  "the operator in": (session) => "n" in session,
  "Object.keys": (session) => Object.keys(session),
  spread: (session) => ({ ...session }),
  "for … in": (session) => {
    for (const name in session) return name;
    return undefined;
  },
  "JSON.stringify": (session) => JSON.stringify(session),
  getSession: (session) => session.getSession()["n"],
  "data, its keys": (session) => Object.keys(session.data),
  getSessionId: (session) => session.getSessionId(),
  "info.cause": (session) => session.info.cause,
  "info.isNew": (session) => session.info.isNew,
  "info.userId": (session) => session.info.userId,
  "info.isFresh": (session) => session.info.isFresh(60),
  flash: (session) => session.flash("notice"),
  touch: (session) => session.touch(),
  reload: (session) => session.reload(),
  logout: (session) => session.logout(),
  csrfToken: (session) => session.csrfToken(),
  verifyCsrf: (session) => verifyCsrf(session, "x".repeat(67)),
};

describe("a response whose handler looked at the session by", () => {
  it.each(Object.keys(looks))("%s alone says so to caches, with and without a session", async (name) => {
    const look = looks[name] as (session: FastSession) => unknown;
    const sessions = createSessions({ secretKey });
    const known = new Browser(sessions);
    await known.visit((session) => session.set("n", 1));
    for (const browser of [known, new Browser(sessions)]) {
      const { visit, lines } = await browser.visit(look);
      expect(visit.response.headers.get("vary")).toBe("Cookie");
      expect(visit.response.headers.get("cache-control")).toBe(lines.length > 0 ? "no-store" : null);
    }
  });
});

describe("200 users on a few connections", () => {
  it("each see their own session and nobody else's", async () => {
    const session = fastSession({ secretKey, logLevel: "silent" });
    const server = createServer(
      session(async (request, response) => {
        const user = new URL(request.url ?? "/", "http://localhost").searchParams.get("user") as string;
        const seen = request.session.get("user", user) as string;
        // Others are served in between.
        await new Promise((resolve) => setImmediate(resolve));
        request.session["user"] = seen;
        response.end(JSON.stringify([seen, user]));
      }),
    );
    const listening = await listen(server);
    servers.push(listening);
    const cookies = new Map<number, string>();
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        Array.from({ length: 200 }, async (_, user) => {
          const cookie = cookies.get(user);
          const response = await fetch(
            `${listening.origin}/?user=${user}`,
            cookie === undefined ? {} : { headers: { cookie } },
          );
          expect(await response.json()).toEqual([String(user), String(user)]);
          const [line] = response.headers.getSetCookie();
          if (line !== undefined) cookies.set(user, line.split(";", 1)[0] as string);
        }),
      );
    }
    expect(new Set(cookies.values()).size).toBe(200);
  });
});
