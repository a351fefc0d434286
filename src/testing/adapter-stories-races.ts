import { codeOf, moment, type Routes, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const WRITERS = 50;
const INCREMENTS = 200;

const routes: Routes = {
  "/set": async ({ session, query }) => {
    await Promise.resolve();
    session[`key${query.get("n") ?? ""}`] = Number(query.get("n"));
    return "set";
  },
  "/count": async ({ session }) => {
    session.increment("count");
    await Promise.resolve();
    return "counted";
  },
  "/read": ({ session }) => JSON.stringify(session),
};

/** Requests of one browser that run at once, and clients that leave. */
export function tellRaces({ story, kind }: Stage): void {
  story(`${WRITERS} requests that each set a field of their own all keep it`, async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/set?n=0");
    const pages = await Promise.all(Array.from({ length: WRITERS }, (_, n) => browser.visit(`/set?n=${n}`)));
    same(pages.filter(({ status }) => status !== 200).length, 0, "responses that are no 200");
    const kept = JSON.parse((await browser.visit("/read")).text) as Record<string, number>;
    same(Object.keys(kept).length, WRITERS, "fields");
  });

  story(`${INCREMENTS} requests that each count one all count`, async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/set?n=0");
    const pages = await Promise.all(Array.from({ length: INCREMENTS }, () => browser.visit("/count")));
    same(pages.filter(({ status }) => status !== 200).length, 0, "responses that are no 200");
    same((await browser.visit("/read")).text, JSON.stringify({ key0: 0, count: INCREMENTS }), "what is read then");
  });

  if (kind === "remote") {
    story("no byte of the response leaves before the commit is done", async (begin) => {
      const { browser, store } = await begin({ ...routes, "/": () => "hello" });
      await browser.visit("/set?n=0");
      const commit = store.hold("commit");
      let answered = false;
      const response = browser.open("/set?n=1").then((opened) => {
        answered = true;
        return opened;
      });
      await commit.arrived;
      // Two round trips of others: time enough for a byte to arrive.
      await browser.visit("/", { cookie: null });
      await browser.visit("/", { cookie: null });
      check(!answered, "the response began before its commit was done");
      commit.release();
      const opened = await response;
      same((await browser.visit("/read")).text, '{"key0":0,"key1":1}', "what is read at the first byte");
      await opened.text();
    });
  }

  if (kind === "remote") {
    story("a client that leaves while the commit is under way takes nothing down", async (begin) => {
      const { browser, store } = await begin(routes);
      await browser.visit("/set?n=0");
      const commit = store.hold("commit");
      const leave = new AbortController();
      const left = codeOf(() => browser.visit("/set?n=1", { signal: leave.signal }));
      await commit.arrived;
      leave.abort();
      check((await left) !== "nothing", "the client has left");
      commit.release();
      const read = JSON.parse((await browser.visit("/read")).text) as Record<string, number>;
      same(read["key0"], 0, "what was saved before");
      same((await browser.visit("/set?n=2")).status, 200, "status of the next request");
    });
  }

  story("a client that leaves before the response takes nothing down", async (begin) => {
    const entered = moment();
    const go = moment();
    const left = moment();
    const { browser } = await begin({
      ...routes,
      "/slow": async ({ session }) => {
        session["key1"] = 1;
        entered.bring();
        await go.come;
        await session.saveSession().finally(left.bring);
        session["key2"] = 2;
        return "into the void";
      },
    });
    await browser.visit("/set?n=0");
    const leave = new AbortController();
    const slow = codeOf(() => browser.visit("/slow", { signal: leave.signal }));
    await entered.come;
    leave.abort();
    check((await slow) !== "nothing", "the client has left");
    go.bring();
    await left.come;
    const read = JSON.parse((await browser.visit("/read")).text) as Record<string, number>;
    same([read["key0"], read["key1"]], [0, 1], "what was saved");
    check(read["key2"] === 2 || read["key2"] === undefined, "what was recorded is whole or dropped");
  });
}
