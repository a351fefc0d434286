import { describe, expect, test } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { createExpressHandle, type ExpressSession } from "../../src/http/express-handle.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

test.each([true, false])("regenerate(callback) leaves the old object its data, on a local store: %s", async (local) => {
  const store = new HostileStore(new MemoryStore(), { local });
  const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store, logLevel: "silent" });
  const browser = new Browser(sessions);
  await browser.visit((session) => void (session["cart"] = [1]));
  const visit = await browser.start();
  let session: ExpressSession | undefined;
  const before = createExpressHandle(visit.exchange.state, (handle) => (session = handle));
  const error = await new Promise((resolve) => before.regenerate(resolve));
  expect(error).toBeUndefined();
  expect([{ ...before }, { ...session }]).toEqual([{ cart: [1] }, {}]);
  browser.keep(await visit.end());
  expect((await browser.visit((now) => ({ ...now }))).result).toEqual({});
});

describe("the methods of express-session", () => {
  async function visit(store = new HostileStore(new MemoryStore())) {
    const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store, logLevel: "silent" });
    const browser = new Browser(sessions);
    await browser.visit((session) => session.set("n", 1));
    const under = await browser.start();
    const replaced: ExpressSession[] = [];
    const session = createExpressHandle(under.exchange.state, (handle) => replaced.push(handle));
    return { store, session, replaced, saved: async () => (await browser.visit((now) => ({ ...now }))).result };
  }

  test("answer a promise where no callback is given", async () => {
    const { session, saved, replaced } = await visit();
    session["n"] = 2;
    await expect(session.save()).resolves.toBeUndefined();
    expect(await saved()).toEqual({ n: 2 });
    session["n"] = 3;
    await expect(session.reload()).resolves.toBeUndefined();
    expect({ ...session }).toEqual({ n: 2 });
    await expect(session.regenerate({ keep: ["n"] })).resolves.toBeUndefined();
    expect([{ ...session }, replaced]).toEqual([{ n: 2 }, []]);
    await expect(session.destroy()).resolves.toBeUndefined();
    expect(() => session["n"]).toThrow(expect.objectContaining({ code: "ERR_SESSION_DESTROYED" }));
  });

  test("answer the session where a callback is given, as theirs do", async () => {
    const { session, saved } = await visit();
    session["n"] = 2;
    let answer: unknown;
    const error = await new Promise((resolve) => (answer = session.save(resolve)));
    expect([error, answer === session]).toEqual([undefined, true]);
    expect(await saved()).toEqual({ n: 2 });
  });

  test("hand the store's error to the callback", async () => {
    const { session, store } = await visit();
    session["n"] = 2;
    store.fail("commit");
    const error = await new Promise((resolve) => session.save(resolve));
    expect(error).toMatchObject({ code: "ERR_SESSION_STORE" });
  });

  test("of an object that was left behind do nothing to the request's session", async () => {
    const { session: before, replaced } = await visit();
    await new Promise((resolve) => before.regenerate(resolve));
    const [session] = replaced;
    (session as ExpressSession)["n"] = 5;
    expect(await new Promise((resolve) => before.regenerate(resolve))).toBeUndefined();
    expect([replaced.length, { ...session }]).toEqual([1, { n: 5 }]);
  });
});
