import { attributesOf, type Call, codeOf, moment, type Routes, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/read": ({ session }) => JSON.stringify([session.get("color", null), session.info.cause]),
  "/write": ({ session, query }) => {
    session["color"] = query.get("color") ?? "red";
    return "written";
  },
  "/destroy": async ({ session }) => {
    await session.destroy();
    return "destroyed";
  },
  "/logout": async ({ session }) => {
    await session.logout();
    return "out";
  },
  "/logout-and-write": async ({ session }) => {
    await session.logout();
    session["color"] = "new";
    return "out and in";
  },
  "/regenerate": async ({ session }) => {
    await session.regenerate();
    return "new id";
  },
  "/try-to-write": ({ session }) => codeOf(() => void (session["color"] = "stolen")),
};

/** Sessions that end, and ids that are retired. */
export function tellEnds({ story }: Stage): void {
  for (const path of ["/destroy", "/logout"]) {
    story(`${path.slice(1)} expires the cookie with the attributes it was set with`, async (begin) => {
      const attributes = {
        sessionCookie: "__Secure-sid",
        path: "/shop",
        sameSite: "strict",
        partitioned: true,
      } as const;
      const shop = Object.fromEntries(Object.entries(routes).map(([at, route]) => [`/shop${at}`, route]));
      const { browser } = await begin(shop, { session: { ...attributes, priority: "high" } });
      const set = (await browser.visit("/shop/write")).setCookies[0] ?? "";
      const { setCookies } = await browser.visit(`/shop${path}`);
      same(setCookies.length, 1, "cookies");
      const expired = setCookies[0] ?? "";
      check(expired.startsWith("__Secure-sid=;"), `an expired cookie is empty: ${expired}`);
      const lifetime = /^(Max-Age|Expires)=/;
      same(
        attributesOf(expired).filter((one) => !lifetime.test(one)),
        attributesOf(set),
        "attributes",
      );
      same(browser.jar.cookies, [], "cookies in the browser");
    });

    story(`after ${path.slice(1)} the id is dead, also for who kept it`, async (begin) => {
      const { browser, clock } = await begin(routes);
      await browser.visit("/write");
      const kept = `sid=${browser.jar.get("sid")?.value ?? ""}`;
      await browser.visit(path);
      const replayed = await browser.visit("/read", { cookie: kept });
      same([replayed.text, replayed.setCookies], ['[null,"revoked"]', []], "the old id, at once");
      clock.advance(61_000);
      same((await browser.visit("/read", { cookie: kept })).text, '[null,"unknown"]', "the old id, later");
      same((await browser.visit("/read")).text, '[null,"none"]', "the browser's next request");
    });
  }

  story("after destroy the handle throws, and says that it is destroyed", async (begin) => {
    const { browser } = await begin({
      ...routes,
      "/": async ({ session }) => {
        await session.destroy();
        const codes = [
          await codeOf(() => session["color"]),
          await codeOf(() => void (session["color"] = "red")),
          await codeOf(() => session.saveSession()),
        ];
        return JSON.stringify([...codes, session.info.isDestroyed]);
      },
    });
    await browser.visit("/write");
    const { text, status } = await browser.visit("/");
    const destroyed = "ERR_SESSION_DESTROYED";
    same([status, text], [200, JSON.stringify([destroyed, destroyed, destroyed, true])], "what each use throws");
  });

  story("a write after logout begins a session with a new id", async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/write");
    const before = browser.jar.get("sid")?.value ?? "";
    const { setCookies } = await browser.visit("/logout-and-write");
    same(setCookies.length, 1, "cookies");
    check(browser.jar.get("sid") !== undefined && browser.jar.get("sid")?.value !== before, "the id did not change");
    same((await browser.visit("/read")).text, '["new","resumed"]', "what the next request reads");
    same((await browser.visit("/read", { cookie: `sid=${before}` })).text, '[null,"revoked"]', "the old id");
  });

  story("regenerate keeps the data and kills the old id", async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/write?color=blue");
    const before = browser.jar.get("sid")?.value ?? "";
    const { setCookies } = await browser.visit("/regenerate");
    same(setCookies.length, 1, "cookies");
    same((await browser.visit("/read")).text, '["blue","resumed"]', "what the next request reads");
    same((await browser.visit("/read", { cookie: `sid=${before}` })).text, '[null,"rotated"]', "the old id");
  });

  story("a request with a retired id sends no cookie, and cannot write", async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/write?color=blue");
    const retired = `sid=${browser.jar.get("sid")?.value ?? ""}`;
    await browser.visit("/regenerate");
    const tried = await browser.visit("/try-to-write", { cookie: retired });
    same([tried.text, tried.setCookies], ["ERR_SESSION_GONE", []], "what a write throws, and cookies");
    const thrown = await browser.visit("/write", { cookie: retired });
    check(thrown.status >= 400, `a write that throws answers an error, found ${thrown.status}`);
    same(thrown.setCookies, [], "cookies of a write that throws");
    for (const path of ["/logout", "/destroy"]) {
      same((await browser.visit(path, { cookie: retired })).setCookies, [], `cookies of ${path}`);
    }
    same((await browser.visit("/read")).text, '["blue","resumed"]', "what the browser's next request reads");
  });

  story("a slow writer that ends after the logout leaves it logged out", async (begin) => {
    const entered = moment();
    const go = moment();
    const { browser, log } = await begin({
      ...routes,
      "/slow": async ({ session }) => {
        session["color"] = "late";
        entered.bring();
        await go.come;
        return "slow";
      },
    });
    await browser.visit("/write");
    const kept = `sid=${browser.jar.get("sid")?.value ?? ""}`;
    const slow = browser.visit("/slow");
    await entered.come;
    await browser.visit("/logout");
    go.bring();
    const { status, setCookies } = await slow;
    same([status, setCookies], [200, []], "status and cookies of the slow response");
    same(browser.jar.cookies, [], "cookies in the browser");
    same((await browser.visit("/read", { cookie: kept })).text, '[null,"revoked"]', "the old id");
    check(
      log.some((line) => line.includes("dropped")),
      "nothing was logged about the late write",
    );
  });

  story("a request under way during a login cannot take the login away", async (begin) => {
    const entered = moment();
    const go = moment();
    const slow = async ({ session }: Call): Promise<string> => {
      session["color"] = "late";
      entered.bring();
      await go.come;
      return "slow";
    };
    const { browser } = await begin({
      ...routes,
      "/slow": slow,
      "/login": async ({ session }) => {
        await session.login("ada");
        return "in";
      },
      "/user": ({ session }) => String(session.info.userId),
    });
    await browser.visit("/write");
    const late = browser.visit("/slow");
    await entered.come;
    await browser.visit("/login");
    go.bring();
    same((await late).setCookies, [], "cookies of the slow response");
    same((await browser.visit("/user")).text, "ada", "the user");
  });
}
