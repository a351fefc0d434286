import { attributesOf, linesFor, type Routes, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/": () => "hello",
  "/read": ({ session }) => String(session.get("color", "none")),
  "/write": ({ session, query }) => {
    session["color"] = query.get("color") ?? "red";
    return "written";
  },
};

/** Visitors who come, leave something, and come again. */
export function tellVisits({ story, cookieWays }: Stage): void {
  story("a first visit that leaves the session alone gets no cookie and no Vary", async (begin) => {
    const { browser } = await begin(routes);
    const { status, setCookies, headers, text } = await browser.visit("/");
    same([status, text, setCookies], [200, "hello", []], "status, body and cookies");
    same([headers.get("vary"), headers.get("cache-control")], [null, null], "Vary and Cache-Control");
  });

  story("a first visit that only reads gets no cookie, and Vary", async (begin) => {
    const { browser } = await begin(routes);
    const { setCookies, headers, text } = await browser.visit("/read");
    same([text, setCookies, headers.get("vary")], ["none", [], "Cookie"], "body, cookies and Vary");
  });

  story("the first write sends one cookie with safe attributes, and forbids caching", async (begin) => {
    const { browser } = await begin(routes);
    const { setCookies, headers, status } = await browser.visit("/write");
    same([status, setCookies.length], [200, 1], "status and number of cookies");
    same(attributesOf(setCookies[0] ?? ""), ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "attributes");
    same([headers.get("cache-control"), headers.get("vary")], ["no-store", "Cookie"], "Cache-Control and Vary");
  });

  story("the next request reads what was written and gets no second cookie", async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/write?color=blue");
    const { text, setCookies, headers } = await browser.visit("/read");
    same([text, setCookies, headers.get("vary")], ["blue", [], "Cookie"], "body, cookies and Vary");
    same(headers.get("cache-control"), null, "Cache-Control of a response without our cookie");
  });

  story("another browser sees another session", async (begin) => {
    const { browser, stranger } = await begin(routes);
    const other = stranger();
    await browser.visit("/write?color=blue");
    await other.visit("/write?color=green");
    same([(await browser.visit("/read")).text, (await other.visit("/read")).text], ["blue", "green"], "colors");
  });

  story("headers of the handler are kept: Cache-Control as it is, Vary with ours", async (begin) => {
    const headers = { "cache-control": "private, max-age=5", vary: "Accept", "x-own": "kept" };
    const { browser } = await begin({
      "/write": ({ session }) => {
        session["color"] = "red";
        return { headers, body: "written" };
      },
    });
    const page = await browser.visit("/write");
    same(page.headers.get("cache-control"), "private, max-age=5", "Cache-Control");
    same(page.headers.get("vary"), "Accept, Cookie", "Vary");
    same([page.headers.get("x-own"), page.setCookies.length], ["kept", 1], "other header, cookies");
  });

  story("a redirect's target reads what was written before it", async (begin) => {
    const { browser } = await begin({
      ...routes,
      "/go": ({ session }) => {
        session["color"] = "violet";
        return { redirect: "/read" };
      },
    });
    const { status, headers } = await browser.visit("/go", { method: "POST" });
    check(status >= 301 && status <= 303, `a redirect has status 301 to 303, found ${status}`);
    same((await browser.visit(headers.get("location") ?? "")).text, "violet", "what the target reads");
  });

  story("a login's redirect leads to a page that knows the user", async (begin) => {
    const { browser } = await begin({
      ...routes,
      "/login": async ({ session }) => {
        await session.login("ada");
        return { redirect: "/me" };
      },
      "/me": ({ session }) => `${session.info.userId} in ${String(session.get("color"))}`,
    });
    await browser.visit("/write?color=blue");
    const before = browser.jar.get("sid")?.value;
    const { setCookies, headers } = await browser.visit("/login", { method: "POST" });
    same(setCookies.length, 1, "cookies of the login");
    check(browser.jar.get("sid")?.value !== before, "a login changes the id");
    same((await browser.visit(headers.get("location") ?? "")).text, "ada in blue", "the page after the login");
  });

  story("204, 304 and HEAD responses save and send the cookie, without a body", async (begin) => {
    const { browser, stranger } = await begin({
      ...routes,
      "/empty": ({ session, query }) => {
        session["color"] = "gray";
        return { status: Number(query.get("status")) };
      },
    });
    for (const [browserOf, method, path] of [
      [browser, "POST", "/empty?status=204"],
      [stranger(), "GET", "/empty?status=304"],
      [stranger(), "HEAD", "/write?color=gray"],
      [stranger(), "HEAD", "/empty?status=200"],
    ] as const) {
      const { setCookies, text } = await browserOf.visit(path, { method });
      same([setCookies.length, text], [1, ""], `cookies and body of ${method} ${path}`);
      same((await browserOf.visit("/read")).text, "gray", `what is read after ${method} ${path}`);
    }
  });

  story("an empty session is not saved", async (begin) => {
    const { browser, store } = await begin({
      "/": ({ session }) => {
        session["color"] = "red";
        delete session["color"];
        session.clearSession();
        return "nothing left";
      },
    });
    same((await browser.visit("/")).setCookies, [], "cookies");
    same(store.calls, [], "store calls");
  });

  for (const way of cookieWays) {
    story(`a cookie that the handler sets by ${way} survives ours`, async (begin) => {
      const { browser } = await begin({
        "/before": ({ session, setCookie }) => {
          setCookie(way, "theme=dark; Path=/");
          session["color"] = "red";
          return "set";
        },
        "/after": ({ session, setCookie }) => {
          session["color"] = "blue";
          setCookie(way, "lang=fr; Path=/");
          return "set";
        },
        "/new-id": async ({ session, setCookie }) => {
          await session.regenerate();
          setCookie(way, "theme=light; Path=/");
          return "set";
        },
        ...routes,
      });
      const first = await browser.visit("/before");
      const lower = (lines: readonly string[]): string[] => lines.map((line) => line.toLowerCase());
      same(lower(linesFor(first.setCookies, "theme")), ["theme=dark; path=/"], "the handler's cookie, set before");
      same([linesFor(first.setCookies, "sid").length, first.setCookies.length], [1, 2], "our cookie, all cookies");
      const second = await browser.visit("/after");
      same(lower(second.setCookies), ["lang=fr; path=/"], "cookies when ours need not be sent");
      const renewed = await browser.visit("/new-id");
      same([linesFor(renewed.setCookies, "sid").length, renewed.setCookies.length], [1, 2], "ours, all, at a new id");
      same(browser.jar.cookies.map(({ name }) => name).sort(), ["lang", "sid", "theme"], "cookies in the browser");
      same((await browser.visit("/read")).text, "blue", "what is read");
    });
  }
}
