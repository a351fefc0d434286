import { type Routes, type Scene, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/": () => "hello",
  "/read": ({ session }) => JSON.stringify([session.get("cart", null), session.info.cause]),
  "/write": ({ session }) => {
    session["cart"] = { items: ["tea"] };
    return "written";
  },
  "/add": ({ session }) => {
    (session["cart"] as { items: unknown[] }).items.push("milk");
    return "added";
  },
  "/add-a-function": ({ session }) => {
    (session["cart"] as { items: unknown[] }).items.push(() => "milk");
    return "added";
  },
  "/add-itself": ({ session }) => {
    const cart = session["cart"] as { items: unknown[] };
    cart.items.push(cart);
    return "added";
  },
  "/key": ({ session }) => session.getSessionId(),
};

const TEA = '[{"items":["tea"]},"resumed"]';

/** Puts a text into a record that no codec wrote. */
async function corrupt({ browser, sessions, store, clock }: Scene): Promise<void> {
  const key = sessions.config.keyOf((await browser.visit("/key")).text);
  await store.commit(key, { operation: "the contract's", now: clock.now(), set: { cart: '{"items":[' } });
}

/** Stores that fail or stay silent, records that cannot be read, values that cannot be written. */
export function tellFaults({ story, kind }: Stage): void {
  for (const path of ["/add-a-function", "/add-itself"]) {
    story(`a value that ${path.slice(1)} makes unstorable answers 500 and changes nothing`, async (begin) => {
      const { browser } = await begin(routes);
      await browser.visit("/write");
      const { status, setCookies } = await browser.visit(path);
      same([status, setCookies], [500, []], "status and cookies");
      same((await browser.visit("/read")).text, TEA, "what the next request reads");
    });
  }

  story("a change in place is saved", async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/write");
    await browser.visit("/add");
    same((await browser.visit("/read")).text, '[{"items":["tea","milk"]},"resumed"]', "what is read");
  });

  story("a record that cannot be read is the end of one session, and reported", async (begin) => {
    const scene = await begin(routes);
    const { browser, log, stranger } = scene;
    const other = stranger();
    await browser.visit("/write");
    await other.visit("/write");
    await corrupt(scene);
    const { status, text, setCookies } = await browser.visit("/read");
    same([status, text, setCookies], [200, '[null,"corrupt"]', []], "the request that meets it");
    check(
      log.some((line) => line.includes("cannot be read")),
      "nothing was logged",
    );
    same((await browser.visit("/read")).text, '[null,"unknown"]', "the next request");
    await browser.visit("/write");
    same((await browser.visit("/read")).text, TEA, "what is read after a new write");
    same((await other.visit("/read")).text, TEA, "another browser");
  });

  story("a new session that cannot be saved answers 503, without a cookie", async (begin) => {
    const { browser, store } = await begin(routes);
    store.fail("create");
    const { status, setCookies } = await browser.visit("/write");
    same([status, setCookies], [503, []], "status and cookies");
    store.heal();
    same((await browser.visit("/write")).setCookies.length, 1, "cookies when the store is well again");
  });

  story("a change that cannot be saved answers 503 and leaves cookie and record alone", async (begin) => {
    const { browser, store } = await begin(routes);
    await browser.visit("/write");
    store.fail("commit");
    const { status, setCookies } = await browser.visit("/add");
    same([status, setCookies], [503, []], "status and cookies");
    store.heal();
    same((await browser.visit("/read")).text, TEA, "what is read when the store is well again");
  });

  story("a session that cannot be loaded answers 503 and leaves the cookie alone", async (begin) => {
    const { browser, store } = await begin(routes);
    await browser.visit("/write");
    store.fail("load");
    const { status, setCookies } = await browser.visit("/read");
    same([status, setCookies], [503, []], "status and cookies");
    same((await browser.visit("/", { cookie: null })).status, 200, "status for who has no cookie");
    store.heal();
    same((await browser.visit("/read")).text, TEA, "what is read when the store is well again");
  });

  story('with onStoreError "anonymous" a failing store means an empty read-only session', async (begin) => {
    const { browser, store } = await begin(routes, { session: { onStoreError: "anonymous" } });
    await browser.visit("/write");
    store.fail("load");
    const { status, text, setCookies } = await browser.visit("/read");
    same([status, text, setCookies], [200, '[null,"store-error"]', []], "a request that reads");
    const write = await browser.visit("/write");
    same([write.status, write.setCookies], [503, []], "a request that writes");
    store.heal();
    same((await browser.visit("/read")).text, TEA, "what is read when the store is well again");
  });

  if (kind === "local") return;

  for (const [verb, path] of [
    ["load", "/read"],
    ["create", "/write"],
    ["commit", "/add"],
  ] as const) {
    story(`a store that never answers "${verb}" is not waited for`, async (begin) => {
      const { browser, store } = await begin(routes, { session: { storeTimeout: 0.05 } });
      if (verb !== "create") await browser.visit("/write");
      store.hang(verb);
      const { status, setCookies } = await browser.visit(path);
      same([status, setCookies], [503, []], "status and cookies");
      same((await browser.visit("/", { cookie: null })).status, 200, "status for others");
    });
  }
}
