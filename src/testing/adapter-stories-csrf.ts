import { verifyCsrf } from "../core/csrf-token.ts";
import type { CsrfOptions } from "../http/csrf-check.ts";
import { type Routes, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/read": ({ session }) => JSON.stringify([session.get("color", null), session.info.cause]),
  "/write": ({ session }) => {
    session["color"] = "red";
    return "written";
  },
  "/form": ({ session }) => session.csrfToken(),
  "/submit": ({ session, query }) => (verifyCsrf(session, query.get("token")) ? "taken" : "refused"),
  "/login": async ({ session }) => {
    await session.login("ada");
    return session.csrfToken();
  },
  "/regenerate": async ({ session }) => {
    await session.regenerate();
    return "new id";
  },
};

const ADMIN = "https://admin.example.com";

/** What the browser of a victim says of a request, and whether it is one that may change something. */
const senders: readonly [string, boolean | CsrfOptions, Readonly<Record<string, string>>, boolean][] = [
  ["its own page", true, { "sec-fetch-site": "same-origin" }, true],
  ["the user, by the address bar", true, { "sec-fetch-site": "none" }, true],
  ["another site", true, { "sec-fetch-site": "cross-site" }, false],
  ["another site, which claims our origin", true, { "sec-fetch-site": "cross-site", origin: "HOST" }, false],
  ["a sibling domain", true, { "sec-fetch-site": "same-site" }, false],
  ["a sibling domain, allowed", { allowSameSite: true }, { "sec-fetch-site": "same-site" }, true],
  ["another site, siblings allowed", { allowSameSite: true }, { "sec-fetch-site": "cross-site" }, false],
  ["a trusted origin", { trustedOrigins: [ADMIN] }, { "sec-fetch-site": "cross-site", origin: ADMIN }, true],
  ["an older browser, its own page", true, { origin: "HOST" }, true],
  ["an older browser, another site", true, { origin: "https://elsewhere.example" }, false],
  ["an older browser, a sandboxed frame", true, { origin: "null" }, false],
  ["an older browser, a trusted origin", { trustedOrigins: [ADMIN] }, { origin: ADMIN }, true],
  [
    "an older browser, nearly a trusted origin",
    { trustedOrigins: [ADMIN] },
    { origin: `${ADMIN}.evil.example` },
    false,
  ],
  ["no browser", true, {}, true],
  ["another site, without the option", false, { "sec-fetch-site": "cross-site" }, true],
];

/** Requests that somebody else's page made the browser send, and the tokens of forms. */
export function tellCsrf({ story }: Stage): void {
  for (const [name, csrf, headers, passes] of senders) {
    story(`a POST sent by ${name} is ${passes ? "served" : "refused with 403 before the handler"}`, async (begin) => {
      const { browser, store, sessions } = await begin(routes, { session: { csrf } });
      const reasons: string[] = [];
      sessions.on("csrf", ({ reason }) => void reasons.push(reason));
      const sent = Object.entries(headers).map(([key, value]) => [key, value === "HOST" ? browser.origin : value]);
      const { status, text, setCookies } = await browser.visit("/write", {
        method: "POST",
        headers: Object.fromEntries(sent) as Record<string, string>,
      });
      if (passes) return same([status, text, reasons], [200, "written", []], "status, body and events");
      same([status, setCookies, store.calls, reasons.length], [403, [], [], 1], "status, cookies, store calls, events");
      check(!text.includes("example"), "the answer repeats what the request said");
    });
  }

  for (const method of ["GET", "OPTIONS"]) {
    story(`a ${method} of another site is served, also where POST is refused`, async (begin) => {
      const { browser } = await begin(routes, { session: { csrf: true } });
      const headers = { "sec-fetch-site": "cross-site", origin: "https://elsewhere.example" };
      same((await browser.visit("/read", { method, headers })).status, 200, "status");
    });
  }

  story("a form's token is taken from the session that it was made for, and from no other", async (begin) => {
    const { browser, stranger } = await begin(routes);
    const form = await browser.visit("/form");
    same(form.setCookies.length, 1, "cookies of a form: a token needs a session that lasts");
    const submit = `/submit?token=${form.text}`;
    same((await browser.visit(submit, { method: "POST" })).text, "taken", "what its own session answers");
    const again = (await browser.visit("/form")).text;
    check(again !== form.text, "a token is never the same twice (BREACH)");
    same((await browser.visit(`/submit?token=${again}`)).text, "taken", "the second token");
    same((await browser.visit(submit)).text, "taken", "the first one, again");
    const other = stranger();
    same((await other.visit(submit)).text, "refused", "a visitor without a session");
    await other.visit("/form");
    same((await other.visit(submit)).text, "refused", "another session");
  });

  for (const path of ["/login", "/regenerate"]) {
    story(`a token from before ${path.slice(1)} is refused after it`, async (begin) => {
      const { browser } = await begin(routes);
      const before = (await browser.visit("/form")).text;
      await browser.visit(path);
      same((await browser.visit(`/submit?token=${before}`)).text, "refused", "the token of the old id");
      const after = (await browser.visit("/form")).text;
      same((await browser.visit(`/submit?token=${after}`)).text, "taken", "the token of the new id");
    });
  }

  story("a token made after a login, in the same request, is the new session's", async (begin) => {
    const { browser } = await begin(routes);
    const { text } = await browser.visit("/login");
    same((await browser.visit(`/submit?token=${text}`)).text, "taken", "what the session answers");
  });

  story("a token shows nothing of the session, and the session nothing of it", async (begin) => {
    const { browser } = await begin({ ...routes, "/all": ({ session }) => JSON.stringify([session, session.data]) });
    const { text } = await browser.visit("/form");
    check(/^[\w-]{67}$/.test(text), "a token is 67 characters that need no escaping");
    const id = (browser.jar.get("sid")?.value ?? "").split(".")[0] as string;
    check(!text.includes(id.slice(4, 20)), "the token shows the id");
    same((await browser.visit("/all")).text, "[{},{}]", "the session's data");
  });
}
