import type { SessionOptions } from "../create-sessions.ts";
import type { SkipHeader } from "../http/skip-rules.ts";
import { attributesOf, type Call, linesFor, type Routes, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/": () => "hello",
  "/read": ({ session }) => JSON.stringify([session.get("color", null), session.info.cause]),
  "/write": ({ session }) => {
    session["color"] = "red";
    return "written";
  },
  "/found": ({ sessions }) => sessions.map((session) => typeof session).join(),
};

const onceAMonth: SkipHeader = { headerName: "X-Job", headerValue: "monthly" };
const agents: readonly SkipHeader[] = [
  { headerName: "User-Agent", headerValue: "probe" },
  { headerName: "x-any", headerValue: "*" },
];

/** What options change that a browser or a handler can see. */
export function tellOptions({ story, errorHandlers }: Stage): void {
  const skips: [string, Partial<SessionOptions>, string, Record<string, string>][] = [
    ["one header rule", { skipSessionHeader: onceAMonth }, "/found", { "x-job": "monthly" }],
    ["a header rule in another case", { skipSessionHeader: onceAMonth }, "/found", { "X-JOB": "monthly" }],
    ["the first of a list of rules", { skipSessionHeader: agents }, "/found", { "user-agent": "probe" }],
    ['a rule for any value, "*"', { skipSessionHeader: agents }, "/found", { "X-Any": "whatever" }],
    ["a path", { skip: "/found" }, "/found?x=1", {}],
    ["a pattern for paths", { skip: [/^\/fo+und$/] }, "/found", {}],
    [
      "a function of the request",
      { skip: (request) => request.method === "GET" && request.header("X-B") === "1" },
      "/found",
      { "x-b": "1" },
    ],
  ];
  for (const [name, session, path, headers] of skips) {
    story(`a request that ${name} skips has no session, no cookie, no Vary and no store call`, async (begin) => {
      const { browser, store } = await begin(routes, { session: { ...session, saveUninitialized: true } });
      await browser.visit("/write");
      store.takeCalls();
      const page = await browser.visit(path, { headers });
      same([page.status, page.text], [200, "undefined"], "what the handler finds");
      same([page.setCookies, page.headers.get("vary")], [[], null], "cookies and Vary");
      same(store.calls, [], "store calls");
      same((await browser.visit("/read")).text, '["red","resumed"]', "what an ordinary request reads");
    });
  }

  story("a header with another value than the rule's does not skip", async (begin) => {
    const { browser } = await begin(routes, { session: { skipSessionHeader: onceAMonth } });
    same((await browser.visit("/found", { headers: { "x-job": "Monthly" } })).text, "object", "what is found");
  });

  story("two sessions in one application keep apart", async (begin) => {
    const { browser } = await begin(
      {
        "/both": ({ sessions: [first, second] }) => {
          if (first !== undefined) first["color"] = "red";
          if (second !== undefined) second["color"] = "blue";
          return "written";
        },
        "/read": ({ sessions }) => sessions.map((session) => String(session?.get("color"))).join(),
        "/end": async ({ sessions: [first] }) => {
          await first?.destroy();
          return "ended";
        },
      },
      { second: { sessionObject: "other", sessionCookie: "second", sameSite: "strict" } },
    );
    const { setCookies, headers } = await browser.visit("/both");
    same([linesFor(setCookies, "sid").length, linesFor(setCookies, "second").length], [1, 1], "cookies");
    same([setCookies.length, headers.get("vary")], [2, "Cookie"], "all cookies, and Vary");
    same((await browser.visit("/read")).text, "red,blue", "what is read");
    same((await browser.visit("/end")).setCookies.length, 1, "cookies when one ends");
    same(
      browser.jar.cookies.map(({ name }) => name),
      ["second"],
      "cookies in the browser",
    );
  });

  for (const onError of errorHandlers ? [undefined, () => ({ status: 500, body: "handled" })] : [undefined]) {
    story(`a throw saves neither of two sessions${onError ? ", also when handled" : ""}`, async (begin) => {
      const bothAndThrow = ({ sessions }: Call): never => {
        for (const session of sessions) if (session !== undefined) session["color"] = "red";
        throw new Error("a handler's own trouble");
      };
      const second = { sessionObject: "other", sessionCookie: "second" };
      const { browser, store } = await begin({ "/": bothAndThrow }, onError ? { second, onError } : { second });
      const { status, setCookies } = await browser.visit("/");
      same([status, setCookies, store.calls], [500, [], []], "status, cookies and store calls");
    });
  }

  story("the same session mounted twice is one", async (begin) => {
    const { browser, store } = await begin(
      {
        ...routes,
        "/both": ({ sessions: [first, second] }) => {
          first?.increment("count");
          second?.increment("count");
          return String(first?.get("count"));
        },
      },
      { twice: true },
    );
    const { text, setCookies } = await browser.visit("/both");
    same([text, setCookies.length, store.takeCalls()], ["2", 1, ["create"]], "count, cookies, store calls");
    same((await browser.visit("/both")).text, "4", "the next request's count");
    same(store.takeCalls(), ["load", "commit"], "the next request's store calls");
  });

  story("the session stands under another property when told so", async (begin) => {
    const { browser } = await begin(routes, { session: { sessionObject: "visitor" } });
    await browser.visit("/write");
    same((await browser.visit("/read")).text, '["red","resumed"]', "what is read");
  });

  for (const [trustProxy, proto, secure] of [
    [false, undefined, false],
    [false, "https", false],
    [true, undefined, false],
    [true, "http", false],
    [true, "https", true],
    [true, "https, http", true],
  ] as const) {
    const from = `X-Forwarded-Proto: ${proto ?? "none"}${trustProxy ? ", from a trusted proxy" : ""}`;
    story(`secure "auto" is ${secure ? "on" : "off"} with ${from}`, async (begin) => {
      const { stranger } = await begin(routes, { session: { secure: "auto", trustProxy } });
      const browser = stranger({ trustLoopback: true });
      const headers: Record<string, string> = proto === undefined ? {} : { "x-forwarded-proto": proto };
      const { setCookies } = await browser.visit("/write", { headers });
      same(attributesOf(setCookies[0] ?? "").includes("Secure"), secure, "whether the cookie is Secure");
      same((await browser.visit("/read", { headers })).text, '["red","resumed"]', "what is read");
    });
  }

  story("a Secure cookie is sent over plain HTTP all the same, with one warning", async (begin) => {
    const { browser, log } = await begin(routes);
    const { setCookies } = await browser.visit("/write");
    check(attributesOf(setCookies[0] ?? "").includes("Secure"), "the cookie is not Secure");
    await browser.visit("/write", { cookie: null });
    same(log.filter((line) => line.includes("Secure")).length, 1, "warnings");
  });

  story("with saveUninitialized every visitor gets a session at once, and only once", async (begin) => {
    const { browser, store } = await begin(routes, { session: { saveUninitialized: true } });
    same((await browser.visit("/")).setCookies.length, 1, "cookies of the first visit");
    same(store.takeCalls(), ["create"], "store calls of the first visit");
    const again = await browser.visit("/read");
    same([again.text, again.setCookies], ['[null,"resumed"]', []], "the second visit");
  });

  story("with maxAge the cookie says how long, and the session ends then", async (begin) => {
    const { browser, clock } = await begin(routes, { session: { maxAge: 60 } });
    const { setCookies } = await browser.visit("/write");
    check(attributesOf(setCookies[0] ?? "").includes("Max-Age=60"), `no Max-Age=60 in ${setCookies.join()}`);
    const kept = `sid=${browser.jar.get("sid")?.value ?? ""}`;
    clock.advance(59_000);
    same((await browser.visit("/read")).text, '["red","resumed"]', "just before the end");
    clock.advance(1000);
    same((await browser.visit("/read")).text, '[null,"none"]', "at the end, in the browser");
    same((await browser.visit("/read", { cookie: kept })).text, '[null,"expired-absolute"]', "for who kept the cookie");
  });

  story("with rolling, the cookie is sent again with each renewal", async (begin) => {
    const { browser, clock } = await begin(routes, { session: { maxAge: 100, rolling: true } });
    await browser.visit("/write");
    clock.advance(10_000);
    same((await browser.visit("/read")).setCookies, [], "cookies before a renewal is due");
    clock.advance(20_000);
    const { setCookies } = await browser.visit("/read");
    check(attributesOf(setCookies[0] ?? "").includes("Max-Age=100"), `no Max-Age=100 in ${setCookies.join()}`);
    clock.advance(90_000);
    same((await browser.visit("/read")).text, '["red","resumed"]', "what is read 120 seconds after the beginning");
  });

  story("a __Host- cookie comes back", async (begin) => {
    const { browser } = await begin(routes, { session: { sessionCookie: "__Host-sid" } });
    await browser.visit("/write");
    same((await browser.visit("/read")).text, '["red","resumed"]', "what is read");
  });
}
