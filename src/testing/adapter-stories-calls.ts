import { codeOf, type Routes, type Stage } from "./adapter-scene.ts";
import { same } from "./store-contract-assert.ts";

const HOUR = 3_600_000;

const routes: Routes = {
  "/": () => "hello",
  "/read": ({ session }) => JSON.stringify([session.get("color"), session.get("color"), session.info.isNew]),
  "/write": ({ session }) => {
    session["color"] = session.get("color") === "red" ? "blue" : "red";
    session.increment("count");
    return "written";
  },
  "/same": ({ session }) => {
    session["color"] = "red";
    return "the same";
  },
  "/login": async ({ session }) => {
    session["color"] = "gold";
    await session.login("ada");
    return "in";
  },
  "/logout": async ({ session }) => {
    await session.logout();
    return "out";
  },
};

/** What each kind of request costs the store. */
export function tellCalls({ story, kind }: Stage): void {
  story("store calls: what a request does not use costs nothing", async (begin) => {
    const { browser, store } = await begin(routes);
    const cost = async (path: string, cookie?: string | null): Promise<string[]> => {
      store.takeCalls();
      await browser.visit(path, cookie === undefined ? {} : { cookie });
      return store.takeCalls();
    };
    same(await cost("/"), [], "anonymous, untouched");
    same(await cost("/read"), [], "anonymous, read");
    same(await cost("/write"), ["create"], "first write");
    same(await cost("/"), kind === "local" ? [] : ["load"], "returning, untouched");
    same(await cost("/read"), ["load"], "read");
    same(await cost("/same"), ["load"], "written as it was");
    same(await cost("/write"), ["load", "commit"], "write");
    same(await cost("/login"), ["load", "rotate"], "login with a change");
    same(await cost("/read", "sid=forged.by.hand"), [], "forged");
    same(await cost("/read", "sid"), [], "malformed");
    same(await cost("/logout"), ["load", "destroy"], "logout");
    same(await cost("/login"), ["create"], "login of somebody new");
    same(await cost("/nowhere", null), [], "a path without a route");
  });

  story("store calls: a renewal is written once in a fifth of the idle time", async (begin) => {
    const { browser, store, clock } = await begin(routes, { session: { idleTimeout: 10 * 3600 } });
    await browser.visit("/write");
    const cost = async (path: string): Promise<string[]> => {
      store.takeCalls();
      await browser.visit(path);
      return store.takeCalls();
    };
    clock.advance(2 * HOUR - 1);
    same(await cost("/read"), ["load"], "not yet due");
    clock.advance(1);
    same(await cost("/read"), ["load", "renew"], "due");
    same(await cost("/read"), ["load"], "done");
    clock.advance(2 * HOUR);
    same(await cost("/write"), ["load", "commit"], "due, on the way with a write");
    same(await cost("/read"), ["load"], "done on the way");
    clock.advance(2 * HOUR);
    same(await cost("/"), kind === "local" ? [] : ["load"], "due, but untouched");
  });

  story("a renewal that fails fails no response", async (begin) => {
    const { browser, store, clock } = await begin(routes, { session: { idleTimeout: 10 * 3600 } });
    await browser.visit("/write");
    clock.advance(3 * HOUR);
    store.fail("renew");
    const { status, text, setCookies } = await browser.visit("/read");
    same([status, text, setCookies], [200, '["red","red",false]', []], "the response");
  });

  if (kind === "remote") {
    story('with load: "lazy" nothing is read until load()', async (begin) => {
      const { browser, store } = await begin(
        {
          ...routes,
          "/early": ({ session }) => codeOf(() => session.get("color")),
          "/load": async ({ session }) => {
            await session.load();
            return String(session.get("color"));
          },
          "/load-and-write": async ({ session }) => {
            await session.load();
            session["color"] = "green";
            return "written";
          },
        },
        { session: { load: "lazy" } },
      );
      same((await browser.visit("/load-and-write")).setCookies.length, 1, "cookies of the first write");
      store.takeCalls();
      same((await browser.visit("/")).setCookies, [], "cookies of an untouched request");
      same((await browser.visit("/early")).text, "ERR_SESSION_NOT_LOADED", "what reading too early throws");
      same(store.takeCalls(), [], "store calls until then");
      const { text, headers } = await browser.visit("/load");
      same([text, headers.get("vary"), store.takeCalls()], ["green", "Cookie", ["load"]], "with load()");
    });
  }
}
