/** Requests that meet on the same fields: what is applied again, when, and for how long. */
import { describe, expect, it } from "vitest";
import { Fold, KnownTexts } from "../../src/core/commit-fold.ts";
import { pauseAfter } from "../../src/core/conflict.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import { serialize } from "../../src/core/serialize.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser, type Visit } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

function start(local: boolean, options: Partial<SessionOptions> = {}) {
  const clock = new ManualClock();
  const store = new HostileStore(new MemoryStore(), { local });
  const make = () => createSessions({ secretKey, store, now: clock.now, logLevel: "silent", ...options });
  const sessions = make();
  const browser = new Browser(sessions);
  const stored = async () => (await browser.visit((session) => ({ ...session }))).result;
  /** Another process on the same store, with the cookie as it is now. */
  const elsewhere = () => new Browser(make(), browser.cookie);
  return { clock, store, sessions, browser, stored, elsewhere };
}

type Handler = (session: Session<DefaultData>) => unknown;

/** Requests that have all read the session before the first of them changes it. */
async function open(browser: Browser, handlers: readonly Handler[]): Promise<Visit[]> {
  const visits = await Promise.all(handlers.map(() => browser.start()));
  for (const [index, handler] of handlers.entries()) handler((visits[index] as Visit).session);
  return visits;
}

describe("on a local store", () => {
  it("a conflict is resolved without waiting: the response leaves as it would have", async () => {
    const { browser, stored } = start(true);
    await browser.visit((session) => session.set("n", 0));
    const [one, two] = (await open(browser, [(s) => s.increment("n"), (s) => s.increment("n")])) as [Visit, Visit];
    await one.end();
    expect(two.exchange.commit()).toBeUndefined();
    expect(await stored()).toEqual({ n: 2 });
  });

  it("conflicts without end are an answer after storeTimeout, which names the field", async () => {
    const { browser, store } = start(true, { storeTimeout: 0.05 });
    await browser.visit((session) => session.set("n", 0));
    const visit = await browser.start();
    visit.session.increment("n");
    let other = 0;
    store.alter("commit", () => ({ ok: false, reason: "conflict", current: { n: String((other += 1)) } }));
    await expect(visit.session.saveSession()).rejects.toMatchObject({
      code: "ERR_SESSION_CONFLICT",
      message: expect.stringContaining('"n"'),
    });
    // The first ones follow at once, the later ones after a pause.
    expect(other).toBeGreaterThan(8);
    expect(other).toBeLessThan(1000);
  });

  it("what is recorded during the pause goes along", async () => {
    const { browser, store, stored } = start(true);
    await browser.visit((session) => session.set("n", 0));
    const visit = await browser.start();
    visit.session.increment("n");
    let answers = 0;
    let paused: Promise<void> = Promise.resolve();
    store.alter("commit", () => ({ ok: false, reason: "conflict", current: { n: String((answers += 1)) } }));
    paused = visit.session.saveSession();
    store.heal();
    visit.session.set("late", true);
    await expect(paused).resolves.toBeUndefined();
    expect(await stored()).toMatchObject({ late: true });
  });
});

describe.each([
  ["local", true],
  ["remote", false],
])("on a %s store", (_, local) => {
  it("a login applies an increment to what another request wrote meanwhile", async () => {
    const { browser, stored } = start(local);
    await browser.visit((session) => session.set("n", 0));
    const [one, two] = (await open(browser, [(s) => s.increment("n"), (s) => s.increment("n")])) as [Visit, Visit];
    await one.end();
    await two.session.login("ann");
    expect(two.session["n"]).toBe(2);
    browser.keep(await two.end());
    expect(await stored()).toEqual({ n: 2 });
    expect((await browser.visit((session) => session.info.userId)).result).toBe("ann");
  });

  it("a commit that is known to have failed is not made again: the next one carries what is there by then", async () => {
    const { browser, store, stored } = start(local);
    await browser.visit((session) => session.set("n", 0));
    const [visit] = (await open(browser, [(s) => s.set("n", 1)])) as [Visit];
    store.fail("commit", new FastSessionError("ERR_SESSION_STORE", "out of memory"));
    await expect(visit.session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
    store.heal();
    visit.session.set("m", 2);
    store.takeCalls();
    await visit.end();
    expect(store.takeCalls()).toEqual(["commit"]);
    expect(await stored()).toEqual({ n: 1, m: 2 });
  });

  it("a request over maxSessionBytes is refused before the store is asked", async () => {
    const { browser, store, stored } = start(local, { maxSessionBytes: 1000 });
    await browser.visit((session) => session.set("n", 0));
    const [visit] = (await open(browser, [(s) => s.set("large", "x".repeat(1000))])) as [Visit];
    store.takeCalls();
    await expect(visit.session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
    expect(store.takeCalls()).toEqual([]);
    expect(await stored()).toEqual({ n: 0 });
  });

  it('with onConflict: "reject" the refusal names the fields', async () => {
    const { browser } = start(local, { onConflict: "reject" });
    await browser.visit((session) => Object.assign(session, { theme: "dark", 'a "b"': 1 }));
    const [one, two] = (await open(browser, [
      (s) => Object.assign(s, { theme: "light", 'a "b"': 2 }),
      (s) => Object.assign(s, { theme: "blue", 'a "b"': 3 }),
    ])) as [Visit, Visit];
    await one.end();
    await expect(two.session.saveSession()).rejects.toThrow(JSON.stringify('a "b"'));
  });

  it("a use is recorded at the time of the last of those who changed the session", async () => {
    const { browser, clock, store } = start(local);
    await browser.visit((session) => session.set("n", 0));
    clock.advance(3 * 3_600_000);
    const [one, two, three] = (await open(browser, [
      (s) => s.increment("n"),
      (s) => s.increment("n"),
      (s) => s.increment("n"),
    ])) as [Visit, Visit, Visit];
    if (local) {
      for (const visit of [one, two, three]) {
        clock.advance(1000);
        await visit.end();
      }
    } else {
      const held = store.hold("commit");
      const ends = [one.end()];
      await held.arrived;
      for (const visit of [two, three]) {
        clock.advance(1000);
        ends.push(visit.end());
      }
      clock.advance(-500);
      held.release();
      await Promise.all(ends);
    }
    const { result } = await browser.visit(({ info }) => [info.lastUsedAt, info.expiresAt]);
    const last = clock.now() + (local ? 0 : 500);
    expect(result).toEqual([last, last + 12 * 3_600_000]);
  });
});

describe("on a remote store", () => {
  it("a plain assignment over another process's takes one call", async () => {
    const { browser, store, elsewhere, stored } = start(false);
    await browser.visit((session) => session.set("theme", "dark"));
    const [visit] = (await open(browser, [(s) => s.set("theme", "light")])) as [Visit];
    await elsewhere().visit((session) => session.set("theme", "blue"));
    store.takeCalls();
    await visit.end();
    expect(store.takeCalls()).toEqual(["commit"]);
    expect(await stored()).toEqual({ theme: "light" });
  });

  it("an assignment that is to be refused is refused by the second call of those it went with", async () => {
    const { browser, store, elsewhere, stored } = start(false, { onConflict: "reject" });
    await browser.visit((session) => Object.assign(session, { theme: "dark", n: 0 }));
    const visits = await open(browser, [(s) => s.increment("n"), (s) => s.set("theme", "light"), (s) => s.set("k", 1)]);
    await elsewhere().visit((session) => session.set("theme", "blue"));
    store.takeCalls();
    const results = await Promise.allSettled(visits.map((visit) => visit.end()));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(store.takeCalls()).toEqual(["commit", "commit", "commit"]);
    expect(await stored()).toEqual({ theme: "blue", n: 1, k: 1 });
  });

  it("a session that expired while others' commit was under way takes nothing more", async () => {
    const { browser, store, clock } = start(false);
    await browser.visit((session) => session.set("n", 0));
    const [one, ...others] = await open(browser, [
      (s) => s.increment("n"),
      (s) => s.increment("n"),
      (s) => s.increment("n"),
    ]);
    const held = store.hold("commit");
    const first = one?.session.saveSession();
    await held.arrived;
    clock.advance(12 * 3_600_000);
    const late = others.map(({ session }) => session.saveSession());
    held.release();
    await first;
    for (const save of late) await expect(save).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
  });

  it("a request that has the session to itself goes alone among those who wait", async () => {
    const { browser, store, stored } = start(false);
    await browser.visit((session) => session.set("n", 0));
    const visits = await Promise.all(Array.from({ length: 4 }, () => browser.start()));
    await serialize((visits[2] as Visit).session);
    for (const { session } of visits) session.increment("n");
    store.takeCalls();
    await Promise.all(visits.map((visit) => visit.end()));
    expect(store.takeCalls().filter((verb) => verb === "commit")).toHaveLength(4);
    expect(await stored()).toEqual({ n: 4 });
  });

  it("a store that throws where others reject fails those who asked, and the next ones go on", async () => {
    const inner = new MemoryStore();
    Object.assign(inner, { capabilities: { ...inner.capabilities, local: false } });
    const browser = new Browser(createSessions({ secretKey, store: inner, logLevel: "silent" }));
    await browser.visit((session) => session.set("n", 0));
    const [visit] = (await open(browser, [(s) => s.set("n", 1)])) as [Visit];
    const commit = inner.commit.bind(inner);
    inner.commit = () => {
      throw new Error("no connection");
    };
    await expect(visit.session.saveSession()).rejects.toThrow(/failed at "commit"/);
    inner.commit = commit;
    await visit.session.saveSession();
    expect((await browser.visit((session) => session.get("n"))).result).toBe(1);
  });

  it.each([
    ["refused where another was first on a field", "blue", { code: "ERR_SESSION_CONFLICT" }],
    ["made where nobody was", undefined, null],
  ])('with onConflict: "reject", an assignment whose outcome stayed unknown is %s', async (_which, other, refusal) => {
    const { browser, store, stored, elsewhere } = start(false, { onConflict: "reject" });
    await browser.visit((session) => session.set("theme", "dark"));
    const [visit] = (await open(browser, [(s) => s.set("theme", "light")])) as [Visit];
    store.fail("commit");
    await expect(visit.session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_STORE_UNKNOWN" });
    store.heal();
    if (other !== undefined) await elsewhere().visit((session) => session.set("theme", other));
    const save = visit.session.saveSession();
    if (refusal === null) await save;
    else await expect(save).rejects.toMatchObject(refusal);
    expect(await stored()).toEqual({ theme: other ?? "light" });
  });

  it("an operation that goes behind a clear begins with nothing", async () => {
    const { browser, stored } = start(false);
    await browser.visit((session) => session.set("n", 5));
    const visits = await open(browser, [
      (s) => s.set("first", 1),
      (s) => s.clearSession(),
      (s) => s.increment("n"),
      (s) => s.append("list", "x"),
    ]);
    await Promise.all(visits.map((visit) => visit.end()));
    expect(await stored()).toEqual({ n: 1, list: ["x"] });
  });

  it("what comes to nothing on top of others' takes nothing away", async () => {
    const { browser, stored } = start(false);
    await browser.visit((session) => Object.assign(session, { x: 1, y: 1, kept: 1 }));
    const visits = await open(browser, [
      (s) => s.set("first", 1),
      (s) => s.set("x", 5),
      (s) => s.update("x", () => 5),
      (s) => void delete s["y"],
      (s) => s.update("y", () => undefined),
    ]);
    await Promise.all(visits.map((visit) => visit.end()));
    expect(await stored()).toEqual({ x: 5, kept: 1, first: 1 });
  });
});

describe("what several changes leave", () => {
  it("is one change, which names no field twice", () => {
    const texts = new KnownTexts();
    texts.apply({ set: { a: "1", b: "2" } });
    texts.apply({ remove: ["a", "c"] });
    texts.apply({ set: { c: "3" } });
    expect(texts.toChange()).toEqual({ clear: false, remove: ["a"], set: { b: "2", c: "3" } });
    expect([texts.of("a"), texts.of("b"), texts.of("unknown")]).toEqual([null, "2", undefined]);
  });

  it("after a clear is what was set since: nothing is left to remove", () => {
    const texts = new KnownTexts();
    texts.apply({ set: { a: "1" } });
    texts.apply({ clear: true, remove: ["b"], set: { c: "3" } });
    expect(texts.toChange()).toEqual({ clear: true, remove: [], set: { c: "3" } });
    expect([texts.of("a"), texts.of("b"), texts.of("c")]).toEqual([null, null, "3"]);
  });

  it("is nothing to begin with", () => {
    expect(new Fold(new KnownTexts()).change()).toMatchObject({ clear: false, remove: [], set: {} });
  });
});

describe("the pause before the next attempt", () => {
  const many = (attempts: number): number[] => Array.from({ length: 1000 }, () => pauseAfter(attempts) as number);

  it("is none for the first ones", () => {
    expect([1, 7].map(pauseAfter)).toEqual([null, null]);
  });

  it("is drawn at random, up to a millisecond for each attempt", () => {
    expect(Math.max(...many(8))).toBeLessThan(8);
    expect(Math.max(...many(8))).toBeGreaterThan(4);
    expect(Math.max(...many(40))).toBeGreaterThan(20);
    expect(Math.min(...many(40))).toBeLessThan(10);
  });

  it("is never longer than 50 ms", () => {
    const longest = Math.max(...many(1_000_000));
    expect(longest).toBeLessThan(50);
    expect(longest).toBeGreaterThan(25);
  });
});
