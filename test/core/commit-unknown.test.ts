import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { HostileStore, type StoreVerb } from "../../src/testing/hostile-store.ts";
import { RemoteStore } from "../stores/broken-remote-stores.ts";
import { Browser, type Visit } from "../support/browser.ts";

/** Its connection breaks in a commit, before it or after it. */
class FragileStore extends RemoteStore {
  breaksBefore = 0;
  breaksAfter = 0;

  override async commit(...args: Parameters<RemoteStore["commit"]>): ReturnType<RemoteStore["commit"]> {
    if (this.breaksBefore-- > 0) throw new Error("socket closed");
    const answer = await super.commit(...args);
    if (this.breaksAfter-- > 0) throw new Error("socket closed");
    return answer;
  }
}

/** Calls of which nobody knows whether they happened, on a store that remembers what it has done. */
let remote: FragileStore;
let store: HostileStore;
let sessions: Sessions;
let browser: Browser;

const secretKey = "a secret of more than thirty-two bytes";
const UNKNOWN = { code: "ERR_SESSION_STORE_UNKNOWN" };

function start(options: Partial<SessionOptions> = {}): void {
  remote = new FragileStore();
  store = new HostileStore(remote);
  sessions = createSessions({ secretKey, store, logLevel: "silent", ...options });
  browser = new Browser(sessions);
}

beforeEach(() => start());

/** The verb is done, and its answer lost on the way: the next `times` times, or always. */
function loseAnswers(verb: StoreVerb, times = Infinity): void {
  let left = times;
  store.alter(verb, (answer: unknown) => {
    if (left-- <= 0) return answer;
    throw new Error("socket closed");
  });
}

async function stored(): Promise<unknown> {
  return (await browser.visit((session) => ({ ...session }))).result;
}

async function swallow(doing: Promise<unknown>): Promise<void> {
  await expect(doing).rejects.toMatchObject(UNKNOWN);
}

type Handler = (session: Session<DefaultData>) => unknown;

async function open(...handlers: Handler[]): Promise<Visit[]> {
  const visits = await Promise.all(handlers.map(() => browser.start()));
  for (const [index, handler] of handlers.entries()) handler((visits[index] as Visit).session);
  return visits;
}

describe.each(["was lost", "was never made"])("a commit whose call %s", (fate) => {
  const cut = (times = Infinity): void => {
    remote.breaksBefore = fate === "was lost" ? 0 : times;
    remote.breaksAfter = fate === "was lost" ? times : 0;
  };
  const heal = (): void => cut(0);

  beforeEach(async () => {
    await browser.visit((session) => void (session["n"] = 0));
    store.takeCalls();
  });

  it("is made again at once, and counts once", async () => {
    cut(2);
    await browser.visit((session) => session.increment("n"));
    expect(store.takeCalls()).toEqual(["load", "commit", "commit", "commit"]);
    expect(await stored()).toEqual({ n: 1 });
  });

  it("is made again before newer changes when the handler goes on, and counts once", async () => {
    cut();
    await browser.visit(async (session) => {
      session.increment("n");
      await swallow(session.saveSession());
      heal();
      session.increment("n", 10);
      session["later"] = 1;
    });
    expect(await stored()).toEqual({ n: 11, later: 1 });
  });

  it("is made again by the next saveSession, too", async () => {
    cut();
    const { result } = await browser.visit(async (session) => {
      session.append("list", "a");
      await swallow(session.saveSession());
      await swallow(session.saveSession());
      heal();
      await session.saveSession();
      return session["list"] as unknown;
    });
    expect(result).toEqual(["a"]);
    expect(await stored()).toEqual({ n: 0, list: ["a"] });
  });

  it("fails the response, and is not made again after it", async () => {
    cut();
    const [visit] = (await open((session) => session.increment("n"))) as [Visit];
    await swallow(visit.end());
    heal();
    store.takeCalls();
    visit.session["after"] = 1;
    await expect.poll(stored).toMatchObject({ after: 1 });
    expect(store.takeCalls().filter((verb) => verb === "commit")).toEqual(["commit"]);
    expect(await stored()).toMatchObject({ n: fate === "was lost" ? 1 : 0 });
  });

  it("is not made again when the handler threw", async () => {
    cut();
    const [visit] = (await open((session) => session.increment("n"))) as [Visit];
    await swallow(visit.session.saveSession());
    heal();
    store.takeCalls();
    visit.abandon();
    await visit.end();
    expect(store.takeCalls()).toEqual([]);
  });

  it("does not keep a logout from ending the session", async () => {
    cut();
    const { lines } = await browser.visit(async (session) => {
      session.increment("n");
      await swallow(session.saveSession());
      await session.logout();
    });
    expect(lines[0]).toContain("Max-Age=0");
  });

  it("is dropped by a reload", async () => {
    cut();
    await browser.visit(async (session) => {
      session.increment("n");
      await swallow(session.saveSession());
      heal();
      await session.reload();
      expect(session["n"]).toBe(fate === "was lost" ? 1 : 0);
    });
    expect(await stored()).toEqual({ n: fate === "was lost" ? 1 : 0 });
  });

  it("is made again once for all the requests that it was for and that go on", async () => {
    const visits = await open(
      (session) => void (session["first"] = 1),
      (session) => session.increment("n"),
      (session) => session.increment("n"),
    );
    cut();
    await Promise.all(visits.map(({ session }) => swallow(session.saveSession())));
    heal();
    store.takeCalls();
    await Promise.all(visits.map((visit) => visit.end()));
    // That of the first, which was alone, and that of the others.
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    expect(await stored()).toEqual({ first: 1, n: 2 });
  });

  it("is not made again for one request over what another was told to have failed", async () => {
    const visits = await open(
      (session) => void (session["first"] = 1),
      (session) => void (session["theme"] = "old"),
      (session) => void (session["kept"] = 1),
    );
    const [first, failing, going] = visits as [Visit, Visit, Visit];
    const held = store.hold("commit");
    const ended = first.end();
    await held.arrived;
    cut();
    held.release();
    const failed = swallow(failing.end());
    const saved = swallow(going.session.saveSession());
    await ended.catch(() => undefined);
    await Promise.all([failed, saved]);
    heal();
    await browser.visit((session) => void (session["theme"] = "new"));
    await swallow(going.end());
    expect(await stored()).toMatchObject({ theme: "new" });
  });
});

it("an answer that comes after the deadline is dropped, and the change counts once", async () => {
  start({ storeTimeout: 1 });
  await browser.visit((session) => void (session["n"] = 0));
  await browser.visit(async (session) => {
    session.increment("n");
    const held = store.hold("commit");
    await swallow(session.saveSession());
    held.release();
    await expect.poll(() => remote.backend.answers.size).toBe(2);
    session.increment("n");
  });
  expect(await stored()).toEqual({ n: 2 });
});

it("a change that a forgetful store refuses the second time is reported as failed, and not computed again", async () => {
  await browser.visit((session) => void (session["n"] = 0));
  loseAnswers("commit", 1);
  remote.once = (_operation, step) => step();
  await swallow(browser.visit((session) => session.increment("n")));
  expect(await stored()).toEqual({ n: 1 });
});

it("an error of the store's own, which knows that nothing happened, is not followed by a repeat", async () => {
  await browser.visit((session) => void (session["n"] = 0));
  store.fail("commit", new FastSessionError("ERR_SESSION_STORE", "out of memory"));
  const [visit] = (await open((session) => session.increment("n"))) as [Visit];
  store.takeCalls();
  await expect(visit.end()).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
  expect(store.takeCalls()).toEqual(["commit"]);
});

describe("a create whose answer was lost", () => {
  it("is made again, and makes one session", async () => {
    loseAnswers("create", 2);
    await browser.visit((session) => void (session["n"] = 1));
    expect(remote.memory.size).toBe(1);
    expect(await stored()).toEqual({ n: 1 });
  });

  it("keeps its id and its public name when the handler goes on", async () => {
    loseAnswers("create");
    const { result } = await browser.visit(async (session) => {
      session["n"] = 1;
      await swallow(session.saveSession());
      expect(session.info.isSaved).toBe(false);
      store.heal();
      session["m"] = 2;
      await session.saveSession();
      return session.info.handle;
    });
    expect(remote.memory.size).toBe(1);
    expect((await browser.visit((session) => [session.info.handle, { ...session }])).result).toEqual([
      result,
      { n: 1, m: 2 },
    ]);
  });

  it("gets no cookie when the response fails", async () => {
    loseAnswers("create");
    const [visit] = (await open((session) => void (session["n"] = 1))) as [Visit];
    await swallow(visit.end());
    visit.exchange.writeHeaders({
      get: () => undefined,
      set: () => undefined,
      appendCookie: (line) => expect(line).toBe("no cookie"),
    });
  });

  it("is ended by a logout", async () => {
    loseAnswers("create");
    await browser.visit(async (session) => {
      session["n"] = 1;
      await swallow(session.saveSession());
      store.heal();
      await session.destroy();
    });
    expect(remote.memory.size).toBe(0);
  });
});

describe("a login whose answer was lost", () => {
  beforeEach(async () => void (await browser.visit((session) => void (session["cart"] = [1]))));

  it("is made again, and moves the session once", async () => {
    const old = new Browser(sessions, browser.cookie);
    loseAnswers("rotate", 2);
    await browser.visit((session) => session.login("ann"));
    const { result } = await browser.visit((session) => [session.info.userId, session["cart"]]);
    expect(result).toEqual(["ann", [1]]);
    expect((await old.visit((session) => session.info.cause)).result).toBe("rotated");
    expect(remote.memory.size).toBe(1);
  });

  it("leaves the session as it was, and is settled when the handler goes on", async () => {
    loseAnswers("rotate");
    const { lines } = await browser.visit(async (session) => {
      const id = session.getSessionId();
      session["n"] = 1;
      await swallow(session.login("ann"));
      expect([session.getSessionId(), session.info.userId]).toEqual([id, null]);
      store.heal();
      session["m"] = 2;
    });
    expect(lines).toHaveLength(1);
    const { result } = await browser.visit((session) => [session.info.userId, { ...session }]);
    expect(result).toEqual(["ann", { cart: [1], n: 1, m: 2 }]);
  });

  it("is settled on an error response, so that nobody is logged out by it", async () => {
    const [visit] = (await open(() => undefined)) as [Visit];
    loseAnswers("rotate");
    await swallow(visit.session.regenerate());
    store.heal();
    visit.abandon();
    browser.keep(await visit.end());
    expect(await stored()).toEqual({ cart: [1] });
  });

  it("is settled before a logout, which then ends the session wherever it is", async () => {
    loseAnswers("rotate");
    await browser.visit(async (session) => {
      await swallow(session.login("ann"));
      store.heal();
      await session.logout();
    });
    expect(remote.memory.size).toBe(0);
    expect((await sessions.forUser("ann").list()).sessions).toEqual([]);
  });
});

it("what stays unknown says so, with what the client said", async () => {
  await browser.visit((session) => void (session["n"] = 0));
  loseAnswers("commit");
  const [visit] = (await open((session) => session.increment("n"))) as [Visit];
  const error = await visit.end().catch((reason: unknown) => reason as FastSessionError);
  expect(error).toMatchObject({ ...UNKNOWN, status: 503, cause: { message: "socket closed" } });
});

it("a repeat that cannot even be sent leaves what was unknown unknown", async () => {
  class ClosingStore extends RemoteStore {
    state: "open" | "silent" | "closed" = "open";

    override commit(...args: Parameters<RemoteStore["commit"]>): ReturnType<RemoteStore["commit"]> {
      if (this.state === "closed") throw new Error("the client is closed");
      return this.state === "silent" ? new Promise(() => undefined) : super.commit(...args);
    }
  }
  const closing = new ClosingStore();
  browser = new Browser(createSessions({ secretKey, store: closing, logLevel: "silent", storeTimeout: 0.03 }));
  await browser.visit((session) => void (session["n"] = 0));
  const { session } = await browser.start();
  session.increment("n");
  closing.state = "silent";
  await swallow(session.saveSession());
  closing.state = "closed";
  await swallow(session.saveSession());
});

it("requests whose commits were merged go on from what the call leaves", async () => {
  await browser.visit((session) => void Object.assign(session, { n: 0, y: 0 }));
  const [first, one, other] = (await open(
    (session) => void (session["y"] = 1),
    (session) => session.increment("n"),
    (session) => session.increment("n"),
  )) as [Visit, Visit, Visit];
  const held = store.hold("commit");
  const ending = first.end();
  await held.arrived;
  const saving = [one, other].map(({ session }) => swallow(session.saveSession()));
  held.release();
  loseAnswers("commit");
  await Promise.all([...saving, ending.catch(() => undefined)]);
  store.heal();
  other.session.increment("n");
  expect(other.session["n"]).toBe(3);
  await Promise.all([one.end(), other.end()]);
  expect(await stored()).toMatchObject({ n: 3 });
});
