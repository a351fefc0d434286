import type { AdapterAnswer } from "./adapter-app.ts";
import type { Call, Routes, Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const read = ({ session }: Call): string => JSON.stringify([session.get("kept", null), session.get("lost", null)]);

const routes: Routes = {
  "/read": read,
  "/keep": ({ session }) => {
    session["kept"] = 1;
    return "kept";
  },
  "/throw": ({ session }) => {
    session["lost"] = 2;
    throw new Error("a handler's own trouble");
  },
  "/throw-later": async ({ session }) => {
    session["lost"] = 2;
    await Promise.resolve();
    session.increment("lost");
    throw new Error("a handler's own trouble");
  },
  "/save-and-throw": async ({ session }) => {
    session["kept"] = 1;
    await session.saveSession();
    session["lost"] = 2;
    throw new Error("a handler's own trouble");
  },
  "/login-and-throw": async ({ session }) => {
    session["kept"] = 1;
    await session.login("ada");
    session["lost"] = 2;
    throw new Error("a handler's own trouble");
  },
  "/user": ({ session }) => String(session.info.userId),
};

const handled = (): AdapterAnswer => ({ status: 500, body: "handled" });

/** Handlers that answer errors, and handlers that throw. */
export function tellErrors({ story, errorHandlers }: Stage): void {
  for (const status of [404, 422, 500, 503]) {
    story(`a handler that answers ${status} saves`, async (begin) => {
      const { browser } = await begin({
        ...routes,
        "/": ({ session }) => {
          session["kept"] = status;
          return { status, body: "an answer" };
        },
      });
      const page = await browser.visit("/");
      same([page.status, page.text, page.setCookies.length], [status, "an answer", 1], "the answer");
      same((await browser.visit("/read")).text, `[${status},null]`, "what the next request reads");
    });
  }

  for (const path of ["/throw", "/throw-later"]) {
    const when = path === "/throw" ? "at once" : "later";

    story(`a handler that throws ${when} makes no session`, async (begin) => {
      const { browser, store } = await begin(routes);
      const { status, setCookies } = await browser.visit(path);
      same([status, setCookies], [500, []], "status and cookies");
      same(store.calls, [], "store calls");
    });

    story(`a handler that throws ${when} leaves a session as it was`, async (begin) => {
      const { browser } = await begin(routes);
      await browser.visit("/keep");
      const { status, setCookies } = await browser.visit(path);
      same([status, setCookies], [500, []], "status and cookies");
      same((await browser.visit("/read")).text, "[1,null]", "what the next request reads");
    });

    story(`with saveOnError, a handler that throws ${when} saves`, async (begin) => {
      const { browser } = await begin(routes, { session: { saveOnError: true } });
      const { status, setCookies } = await browser.visit(path);
      same([status, setCookies.length], [500, 1], "status and number of cookies");
      same((await browser.visit("/read")).text, path === "/throw" ? "[null,2]" : "[null,3]", "what is read");
    });

    if (!errorHandlers) continue;

    story(`an error thrown ${when} is not saved when the application answers it itself`, async (begin) => {
      const { browser } = await begin(routes, { onError: () => ({ status: 418, body: "handled" }) });
      const { status, setCookies, text } = await browser.visit(path);
      same([status, text, setCookies], [418, "handled", []], "the answer");
      await browser.visit("/keep");
      await browser.visit(path);
      same((await browser.visit("/read")).text, "[1,null]", "what the next request reads");
    });
  }

  for (const onError of errorHandlers ? [undefined, handled] : [undefined]) {
    const by = onError === undefined ? "the framework" : "the application";
    const options = onError === undefined ? {} : { onError };

    story(`what was saved before a throw stands, with its cookie on the error that ${by} answers`, async (begin) => {
      const { browser } = await begin(routes, options);
      const { status, setCookies } = await browser.visit("/save-and-throw");
      same([status, setCookies.length], [500, 1], "status and number of cookies");
      same((await browser.visit("/read")).text, "[1,null]", "what the next request reads");
    });

    story(`a login before a throw stands, with its cookie on the error that ${by} answers`, async (begin) => {
      const { browser } = await begin(routes, options);
      await browser.visit("/keep");
      const { status, setCookies, headers } = await browser.visit("/login-and-throw");
      same([status, setCookies.length], [500, 1], "status and number of cookies");
      same([headers.get("cache-control"), headers.get("vary")], ["no-store", "Cookie"], "Cache-Control and Vary");
      same((await browser.visit("/user")).text, "ada", "the user");
      same((await browser.visit("/read")).text, "[1,null]", "what the next request reads");
    });
  }

  story("the error that a client sees tells nothing of the store's", async (begin) => {
    const { browser, store } = await begin(routes);
    store.fail("create", new Error("password authentication failed for user app"));
    const { status, text, setCookies } = await browser.visit("/keep");
    same([status, setCookies], [503, []], "status and cookies");
    check(!text.includes("password"), `the body gives the store's message away: ${text}`);
  });
}
