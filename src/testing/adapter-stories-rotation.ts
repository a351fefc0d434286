import { linesFor, moment, type Routes, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const EVERY = { session: { rotateEvery: 900 } };
const QUARTER = 900_000;

const routes: Routes = {
  "/": () => "hello",
  "/count": ({ session }) => String(session.increment("n")),
  "/read": ({ session }) => String(session.get("n", 0)),
  "/cause": ({ session }) => session.info.cause,
  "/logout": async ({ session }) => {
    await session.logout();
    return "out";
  },
};

/** Ids that change while their session is in use. */
export function tellRotation({ story }: Stage): void {
  story("with rotateEvery the browser gets a new id in due time, and keeps its session", async (begin) => {
    const { browser, clock } = await begin(routes, EVERY);
    await browser.visit("/count");
    const first = browser.jar.get("sid")?.value;
    clock.advance(QUARTER - 1);
    same((await browser.visit("/count")).setCookies, [], "cookies before it is due");
    clock.advance(1);
    same((await browser.visit("/")).setCookies, [], "cookies of a page that does not use the session");
    const { setCookies, headers, text } = await browser.visit("/count");
    same([text, setCookies.length], ["3", 1], "the page and its cookies when it is due");
    same(headers.get("cache-control"), "no-store", "Cache-Control beside the cookie");
    check(browser.jar.get("sid")?.value !== first, "the id is a new one");
    const { text: after, setCookies: quiet } = await browser.visit("/read");
    same([after, quiet], ["3", []], "the next page and its cookies");
  });

  story("tabs that ask at once when it is due end with one id, and lose nothing", async (begin) => {
    const { browser, clock, sessions } = await begin(routes, EVERY);
    await browser.visit("/count");
    const cookie = `sid=${browser.jar.get("sid")?.value ?? ""}`;
    clock.advance(QUARTER);
    const pages = await Promise.all(Array.from({ length: 20 }, () => browser.visit("/count", { cookie })));
    same(pages.filter(({ status }) => status !== 200).length, 0, "responses that are no 200");
    const ids = new Set(
      pages.flatMap(({ setCookies }) => linesFor(setCookies, "sid")).map((line) => line.split(";")[0]),
    );
    same(ids.size, 1, "ids that were sent");
    same((await browser.visit("/read")).text, "21", "what is read then");
    const reused: unknown[] = [];
    sessions.on("reuse", (event) => reused.push(event));
    clock.advance(30_000);
    const late = await browser.visit("/read", { cookie });
    same([late.text, late.setCookies.length], ["21", 1], "what a request in flight reads, and its cookies");
    clock.advance(30_000);
    const thief = await browser.visit("/cause", { cookie });
    same([thief.text, thief.setCookies, reused.length], ["rotated", [], 1], "the old cookie after the grace");
    same((await browser.visit("/read")).text, "21", "what the browser reads then");
  });

  story("a page that began before the id changed ends after it, with its cookie or without one", async (begin) => {
    const [came, go, use] = [moment(), moment(), moment()];
    const { browser, clock } = await begin(
      {
        ...routes,
        "/slow": async ({ session }) => {
          session.increment("n");
          came.bring();
          await go.come;
          return "done";
        },
        "/stream": ({ session }) => ({
          async stream(write) {
            write("first ");
            await use.come;
            session.increment("n");
            write("last");
          },
        }),
      },
      EVERY,
    );
    await browser.visit("/count");
    const slow = browser.visit("/slow");
    await came.come;
    clock.advance(QUARTER);
    await browser.visit("/count");
    const newest = browser.jar.get("sid")?.value;
    go.bring();
    same((await slow).text, "done", "the slow page");
    same(browser.jar.get("sid")?.value, newest, "the cookie after the slow page");
    clock.advance(QUARTER);
    const response = await browser.open("/stream");
    use.bring();
    same([await response.text(), response.headers.getSetCookie()], ["first last", []], "a page that used it late");
    await browser.visit("/read");
    same((await browser.visit("/read")).text, "4", "what is read in the end");
  });

  story("a logout with the cookie from before the change ends the session for both", async (begin) => {
    const { browser, clock } = await begin(routes, EVERY);
    await browser.visit("/count");
    const cookie = `sid=${browser.jar.get("sid")?.value ?? ""}`;
    clock.advance(QUARTER);
    await browser.visit("/count");
    const newer = `sid=${browser.jar.get("sid")?.value ?? ""}`;
    const { setCookies } = await browser.visit("/logout", { cookie });
    check(setCookies[0]?.includes("Max-Age=0") === true, "the cookie is expired");
    same((await browser.visit("/cause", { cookie: newer })).text, "revoked", "the newer cookie after it");
  });
}
