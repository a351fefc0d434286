import { createAdaptorServer } from "@hono/node-server";
import { describe, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/fetch.ts";
import { createSessions } from "../../src/create-sessions.ts";
import type { Awaitable } from "../../src/core/units.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import {
  adapterContract,
  type AdapterAnswer,
  type AdapterApp,
  type AdapterServer,
  HostileStore,
} from "../../src/testing/index.ts";
import { bodyOf } from "../support/fetch-answers.ts";
import { listen } from "../support/node-answers.ts";

/** Each makes a Response with a cookie. */
const ways: Record<string, (answer: AdapterAnswer, line: string) => Response> = {
  "an object of headers": (answer, line) => toResponse(answer, { "set-cookie": line }),
  "a list of headers": (answer, line) => toResponse({ ...answer, headers: {} }, [["Set-Cookie", line]]),
  "headers.append": (answer, line) => {
    const response = toResponse(answer);
    response.headers.append("Set-Cookie", line);
    return response;
  },
};

type HeadersLike = Readonly<Record<string, string>> | [string, string][];

function toResponse(answer: AdapterAnswer, more: HeadersLike = {}): Response {
  const { status = 200, headers = {}, redirect } = answer;
  if (redirect !== undefined) return new Response(null, { status: 302, headers: { location: redirect } });
  return new Response(bodyOf(answer), { status, headers: Array.isArray(more) ? more : { ...headers, ...more } });
}

type Serve = (request: Request, found: readonly unknown[]) => Awaitable<Response>;

function start({ mounts, handle, onError }: AdapterApp): Promise<AdapterServer> {
  const answer: Serve = (request, found) => {
    let send = toResponse;
    const answered = handle({
      method: request.method,
      url: request.url.replace(/^https?:\/\/[^/]+/, ""),
      sessions: found as never,
      setCookie: (way, line) => (send = (given) => ways[way]!(given, line)),
    });
    return answered instanceof Promise ? answered.then((given) => send(given)) : send(answered);
  };
  const options = onError === undefined ? {} : { onError: (error: unknown) => toResponse(onError(error)) };
  const serve = mounts.reduceRight<Serve>(
    (inner, sessions) =>
      fastSession(sessions)(
        (request: Request, session, found: readonly unknown[]) => inner(request, [...found, session]),
        options,
      ),
    answer,
  );
  return listen(createAdaptorServer({ fetch: (request) => serve(request, []) }) as never);
}

adapterContract({ test, start, cookieWays: Object.keys(ways) });

describe("the Fetch API", () => {
  const secretKey = "a secret of the tests, which everybody can read here";

  test("the same Request object served again has a session of its own", async () => {
    const sessions = createSessions({ secretKey, logLevel: "silent" });
    const handler = fastSession(sessions)((_request, session) => new Response(String(session.increment("visits"))));
    const request = new Request("http://shop.example/");
    const [first, second] = [await handler(request), await handler(request)];
    expect([await first.text(), await second.text()]).toEqual(["1", "1"]);
    expect(second.headers.getSetCookie()).toHaveLength(1);
    expect(second.headers.getSetCookie()).not.toEqual(first.headers.getSetCookie());
  });

  test("a redirect, whose headers nobody can change, gets the cookie", async () => {
    const handler = fastSession({ secretKey, logLevel: "silent" })((_request, session) => {
      session["color"] = "red";
      return Response.redirect("http://shop.example/next", 303);
    });
    const { status, headers } = await handler(new Request("http://shop.example/"));
    expect([status, headers.get("location"), headers.getSetCookie().length]).toEqual([
      303,
      "http://shop.example/next",
      1,
    ]);
  });

  test("further arguments reach the handler", async () => {
    const handler = fastSession({ secretKey, logLevel: "silent" })(
      (_request, _session, environment: { readonly name: string }) => new Response(environment.name),
    );
    const response = await handler(new Request("http://shop.example/"), { name: "worker" });
    expect(await response.text()).toBe("worker");
  });

  test("without onError, a failing store is a 503 that says nothing", async () => {
    const store = new HostileStore(new MemoryStore(), { local: false });
    store.fail("create");
    const handler = fastSession({ secretKey, store, logLevel: "silent" })((_request, session) => {
      session["color"] = "red";
      return new Response("never seen");
    });
    const response = await handler(new Request("http://shop.example/"));
    expect([response.status, await response.text()]).toEqual([503, "Service Unavailable"]);
  });
});
