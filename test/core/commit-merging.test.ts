import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { RemoteStore } from "../stores/broken-remote-stores.ts";
import { Browser, type Visit } from "../support/browser.ts";

/** Requests of one session that end at once in one process, on a store that is far away. */
let clock: ManualClock;
let store: HostileStore;
let sessions: Sessions;
let browser: Browser;

const secretKey = "a secret of more than thirty-two bytes";

function start(options: Partial<SessionOptions> = {}): void {
  clock = new ManualClock();
  store = new HostileStore(new RemoteStore());
  sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent", ...options });
  browser = new Browser(sessions);
}

beforeEach(() => start());

type Handler = (session: Session<DefaultData>) => unknown;

/** Requests that have all read the session before the first of them changes it. */
async function open(handlers: readonly Handler[]): Promise<Visit[]> {
  const visits = await Promise.all(handlers.map(() => browser.start()));
  for (const [index, handler] of handlers.entries()) handler((visits[index] as Visit).session);
  return visits;
}

/** Ends requests so that all but the first find a commit under way. */
async function endTogether(handlers: readonly Handler[]): Promise<PromiseSettledResult<string[]>[]> {
  const visits = await open(handlers);
  store.takeCalls();
  return Promise.allSettled(visits.map((visit) => visit.end()));
}

async function stored(): Promise<unknown> {
  return (await browser.visit((session) => ({ ...session }))).result;
}

function codes(results: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return results.map((one) => (one.status === "fulfilled" ? "ok" : (one.reason as FastSessionError).code));
}

describe("commits that find one of their session under way", () => {
  beforeEach(async () => void (await browser.visit((session) => void (session["n"] = 0))));

  it("go together in the next call, and each counts", async () => {
    const results = await endTogether(Array.from({ length: 200 }, () => (session) => session.increment("n")));
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    expect(codes(results)).toEqual(Array.from({ length: 200 }, () => "ok"));
    expect(await stored()).toEqual({ n: 200 });
  });

  it("tell each request the value that its own change made", async () => {
    const visits = await open(Array.from({ length: 3 }, () => (session) => session.increment("n")));
    await Promise.all(visits.map(({ session }) => session.saveSession()));
    expect(visits.map(({ session }) => session["n"] as number)).toEqual([1, 2, 3]);
  });

  it("keep different fields, and all that is appended to one", async () => {
    await endTogether([
      (session) => void (session["a"] = 1),
      (session) => void (session["b"] = 2),
      (session) => session.append("list", "x"),
      (session) => session.append("list", "y"),
      (session) => delete session["n"],
    ]);
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    expect(await stored()).toEqual({ a: 1, b: 2, list: ["x", "y"] });
  });

  it("happen in the order in which they came", async () => {
    await endTogether([
      (session) => void (session["first"] = 1),
      (session) => void (session["a"] = 1),
      (session) => session.increment("n", 5),
      (session) => {
        session.clearSession();
        session["b"] = 1;
      },
      (session) => session.increment("n"),
      (session) => void (session["b"] = 2),
      (session) => session.update("b", (b = 1) => b * 10),
    ]);
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    expect(await stored()).toEqual({ n: 1, b: 20 });
  });

  it("fail alone where they cannot be applied to what those before leave", async () => {
    const results = await endTogether([
      (session) => void (session["first"] = 1),
      (session) => void (session["n"] = "a text"),
      (session) => session.increment("n"),
      (session) => void (session["last"] = 1),
    ]);
    expect(codes(results)).toEqual(["ok", "ok", "ERR_SESSION_FIELD_TYPE", "ok"]);
    expect(await stored()).toEqual({ n: "a text", first: 1, last: 1 });
  });

  it("are told one by one that the session ended", async () => {
    const visits = await open(Array.from({ length: 3 }, () => (session) => session.increment("n")));
    await browser.visit((session) => session.logout());
    const results = await Promise.allSettled(visits.map(({ session }) => session.saveSession()));
    expect(codes(results)).toEqual(["ERR_SESSION_GONE", "ERR_SESSION_GONE", "ERR_SESSION_GONE"]);
  });

  it("all fail with the call, and the next ones go on", async () => {
    store.fail("commit", new FastSessionError("ERR_SESSION_STORE", "out of memory"));
    const results = await endTogether(Array.from({ length: 3 }, () => (session) => session.increment("n")));
    expect(codes(results)).toEqual(["ERR_SESSION_STORE", "ERR_SESSION_STORE", "ERR_SESSION_STORE"]);
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    store.heal();
    expect(await stored()).toEqual({ n: 0 });
    await endTogether(Array.from({ length: 3 }, () => (session) => session.increment("n")));
    expect(await stored()).toEqual({ n: 3 });
  });

  it("do not wait for those of another session", async () => {
    const other = new Browser(sessions);
    await other.visit((session) => void (session["n"] = 0));
    const [visit] = (await open([(session) => session.increment("n")])) as [Visit];
    const held = store.hold("commit");
    const ending = visit.end();
    await held.arrived;
    store.heal();
    await other.visit((session) => session.increment("n"));
    held.release();
    await ending;
    expect(await stored()).toEqual({ n: 1 });
  });

  it("count beside those of other processes, whose values they meet", async () => {
    const elsewhere = createSessions({ secretKey, store, now: clock.now, logLevel: "silent" });
    const there = new Browser(elsewhere, browser.cookie);
    const visits = await Promise.all(
      Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? browser : there).start()),
    );
    for (const [index, { session }] of visits.entries()) {
      session.increment("n");
      session[`field${index}`] = index;
    }
    store.takeCalls();
    await Promise.all(visits.map((visit) => visit.end()));
    expect(store.takeCalls().length).toBeLessThan(20);
    const data = (await stored()) as Record<string, unknown>;
    expect([data["n"], Object.keys(data).length]).toEqual([100, 101]);
  });

  it("record a use once, with the change", async () => {
    clock.advance(3 * 3_600_000);
    await endTogether(Array.from({ length: 3 }, () => (session) => session.increment("n")));
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    const { result } = await browser.visit((session) => session.info.lastUsedAt);
    expect(result).toBe(clock.now());
  });
});

describe("a change that comes to nothing on top of others'", () => {
  beforeEach(async () => void (await browser.visit((session) => void Object.assign(session, { x: 1, y: 0 }))));

  it("fails with the call that it counts on", async () => {
    const visits = await open([
      (session) => void (session["y"] = 1),
      (session) => void (session["x"] = 5),
      (session) => session.update("x", () => 5),
    ]);
    let calls = 0;
    store.alter("commit", (answer) => {
      if ((calls += 1) === 1) return answer;
      throw new FastSessionError("ERR_SESSION_STORE", "out of memory");
    });
    const results = await Promise.allSettled(visits.map((visit) => visit.end()));
    expect(codes(results)).toEqual(["ok", "ERR_SESSION_STORE", "ERR_SESSION_STORE"]);
  });

  it("is made where what it counts on is not left after all", async () => {
    const elsewhere = new Browser(
      createSessions({ secretKey, store, now: clock.now, logLevel: "silent" }),
      browser.cookie,
    );
    const visits = await open([
      (session) => void (session["y"] = 1),
      (session) => session.update("x", (x) => (x === 1 ? 5 : x)),
      (session) => {
        session.update("x", () => 5);
        session["z"] = 1;
      },
    ]);
    await elsewhere.visit((session) => void (session["x"] = 7));
    expect(codes(await Promise.allSettled(visits.map((visit) => visit.end())))).toEqual(["ok", "ok", "ok"]);
    expect(await stored()).toEqual({ x: 5, y: 1, z: 1 });
  });

  it("is not taken for done because of what this process wrote before another one", async () => {
    const elsewhere = new Browser(
      createSessions({ secretKey, store, now: clock.now, logLevel: "silent" }),
      browser.cookie,
    );
    const [first, second] = (await open([
      (session) => void (session["x"] = 5),
      (session) => void (session["y"] = 1),
    ])) as [Visit, Visit];
    const one = store.hold("commit");
    const ending = first.end();
    await one.arrived;
    const endingToo = second.end();
    one.release();
    const two = store.hold("commit");
    await ending;
    await two.arrived;
    // The second call is under way, and the queue knows what the first one left.
    store.heal();
    await elsewhere.visit((session) => void (session["x"] = 7));
    const third = await browser.start();
    third.session.update("x", () => 5);
    const endingLast = third.end();
    two.release();
    await Promise.all([endingToo, endingLast]);
    expect(await stored()).toEqual({ x: 5, y: 1 });
  });
});

it("an answer that makes no sense fails those who asked, and the next ones go on", async () => {
  await browser.visit((session) => void (session["n"] = 0));
  for (const nonsense of [undefined, null, { ok: false, reason: "conflict" }]) {
    store.alter("commit", () => nonsense);
    const results = await endTogether(Array.from({ length: 3 }, () => (session) => session.increment("n")));
    expect(codes(results)).not.toContain("ok");
  }
  store.heal();
  const results = await endTogether(Array.from({ length: 3 }, () => (session) => session.increment("n")));
  expect(codes(results)).toEqual(["ok", "ok", "ok"]);
});

it("a value that another request's failed call was to bring is not taken for stored", async () => {
  await browser.visit((session) => void Object.assign(session, { n: 0, y: 0 }));
  const visits = await open([
    (session) => void (session["y"] = 1),
    (session) => session.increment("n"),
    (session) => session.increment("n"),
  ]);
  const held = store.hold("commit");
  const first = visits[0]?.end();
  await held.arrived;
  const others = visits.slice(1).map(({ session }) => session.saveSession());
  held.release();
  store.fail("commit", new FastSessionError("ERR_SESSION_STORE", "out of memory"));
  // The one that is under way has gone through.
  expect(codes(await Promise.allSettled([first, ...others]))).toEqual(["ok", "ERR_SESSION_STORE", "ERR_SESSION_STORE"]);
  store.heal();
  const last = visits[2] as Visit;
  last.session["n"] = 1;
  await last.end();
  expect(await stored()).toEqual({ n: 1, y: 1 });
});

describe('commits that find one under way, with onConflict: "reject"', () => {
  beforeEach(async () => {
    start({ onConflict: "reject" });
    await browser.visit((session) => void Object.assign(session, { theme: "dark", n: 0 }));
  });

  it("are refused alone where another assigned the same field", async () => {
    const results = await endTogether([
      (session) => session.increment("n"),
      (session) => void (session["theme"] = "light"),
      (session) => void Object.assign(session, { theme: "blue", lost: 1 }),
      (session) => void (session["kept"] = 1),
      (session) => session.increment("n"),
    ]);
    expect(codes(results)).toEqual(["ok", "ok", "ERR_SESSION_CONFLICT", "ok", "ok"]);
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    expect(await stored()).toEqual({ theme: "light", n: 2, kept: 1 });
  });

  it("are refused alone where another process assigned the same field", async () => {
    const elsewhere = new Browser(
      createSessions({ secretKey, store, now: clock.now, logLevel: "silent" }),
      browser.cookie,
    );
    const visits = await open([
      (session) => session.increment("n"),
      (session) => void (session["theme"] = "light"),
      (session) => void (session["kept"] = 1),
    ]);
    await elsewhere.visit((session) => void (session["theme"] = "blue"));
    const results = await Promise.allSettled(visits.map((visit) => visit.end()));
    expect(codes(results)).toEqual(["ok", "ERR_SESSION_CONFLICT", "ok"]);
    expect(await stored()).toEqual({ theme: "blue", n: 1, kept: 1 });
  });
});

it("a request over maxSessionBytes is refused alone", async () => {
  start({ maxSessionBytes: 1000 });
  await browser.visit((session) => void (session["n"] = 0));
  const results = await endTogether([
    (session) => session.increment("n"),
    (session) => void (session["large"] = "x".repeat(1000)),
    (session) => session.increment("n"),
  ]);
  expect(codes(results)).toEqual(["ok", "ERR_SESSION_TOO_LARGE", "ok"]);
  expect(await stored()).toEqual({ n: 2 });
});

it("a change that is too late for a conflict of its own fails alone", async () => {
  start({ storeTimeout: 0.03 });
  await browser.visit((session) => void Object.assign(session, { x: 0, y: 0 }));
  const elsewhere = new Browser(
    createSessions({ secretKey, store, now: clock.now, logLevel: "silent" }),
    browser.cookie,
  );
  const visits = await open([
    (session) => void (session["z"] = 1),
    (session) => session.increment("x"),
    (session) => void (session["y"] = 1),
  ]);
  await elsewhere.visit((session) => session.increment("x"));
  // The first call takes all the time that there is for the others' step.
  store.hang("commit");
  const ended = visits.map((visit) => visit.end());
  await Promise.allSettled([ended[0]]);
  store.heal();
  const [, , other] = await Promise.allSettled(ended);
  expect(other?.status).toBe("fulfilled");
  expect(await stored()).toMatchObject({ y: 1 });
});
