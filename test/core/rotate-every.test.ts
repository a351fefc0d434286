import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import type { SessionEvents } from "../../src/core/events.ts";
import { createHandle } from "../../src/core/session-handle.ts";
import type { Session } from "../../src/core/session-types.ts";
import { FetchExchange } from "../../src/http/fetch-exchange.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const SECOND = 1000;
const MINUTE = 60 * SECOND;

let clock: ManualClock;
let store: HostileStore;
let memory: MemoryStore;
let sessions: Sessions;
let browser: Browser;
let reused: SessionEvents["reuse"][];

function start(options: Partial<SessionOptions> = {}, local = true): void {
  clock = new ManualClock();
  memory = new MemoryStore();
  store = new HostileStore(memory, { local });
  sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent", rotateEvery: 900, ...options });
  browser = new Browser(sessions);
  reused = [];
  sessions.on("reuse", (event) => reused.push(event));
}

/** The same browser, with the cookie it has now. */
function copyOf(other: Browser): Browser {
  return new Browser(sessions, other.cookie);
}

/** Driven by the original's five methods, since it has one of its own. */
class OriginalStore extends MemoryStore {
  override getStore(id: string): ReturnType<MemoryStore["getStore"]> {
    return super.getStore(id);
  }
}

const read = (session: { get(field: string): unknown }): unknown => session.get("n");

for (const local of [true, false]) {
  describe(`a session in use on a ${local ? "local" : "remote"} store`, () => {
    beforeEach(async () => {
      start({}, local);
      await browser.visit((session) => void (session["n"] = 1));
      store.takeCalls();
    });

    it("keeps its id until rotateEvery has gone by", async () => {
      clock.advance(15 * MINUTE - 1);
      const { lines, result } = await browser.visit(read);
      expect([lines, result]).toEqual([[], 1]);
      expect(store.takeCalls()).toEqual(["load"]);
    });

    it("gets a new one then, with one write of the store and nothing lost", async () => {
      const old = browser.cookie;
      clock.advance(15 * MINUTE);
      const { lines } = await browser.visit((session) => void session.increment("n"));
      expect(lines).toHaveLength(1);
      expect(browser.cookie).not.toBe(old);
      expect(store.takeCalls()).toEqual(["load", "rotate"]);
      expect(await browser.visit(read)).toMatchObject({ result: 2, lines: [] });
      expect(memory.size).toBe(1);
    });

    it("gets a new one from a request that only reads, too, and counts as used", async () => {
      clock.advance(4 * 60 * MINUTE);
      const { lines, visit } = await browser.visit(read);
      expect(lines).toHaveLength(1);
      expect(store.takeCalls()).toEqual(["load", "rotate"]);
      expect(visit.session.info.lastUsedAt).toBe(clock.now());
      expect(visit.session.info.expiresAt).toBe(clock.now() + 12 * 60 * MINUTE);
    });

    it("keeps its start, its handle and its user", async () => {
      await browser.visit((session) => session.login("ann"));
      const before = (await browser.visit((session) => session.info)).result;
      const known = [before.createdAt, before.handle, before.userId];
      clock.advance(15 * MINUTE);
      await browser.visit(read);
      const { info } = (await browser.visit(read)).visit.session;
      expect([info.createdAt, info.handle, info.userId]).toEqual(known);
      expect((await sessions.forUser("ann").list()).sessions).toHaveLength(1);
    });

    it("is not rotated by a request that leaves it alone", async () => {
      clock.advance(15 * MINUTE);
      const { lines } = await browser.visit(() => undefined);
      expect(lines).toEqual([]);
      expect(store.takeCalls()).not.toContain("rotate");
    });

    it("is not rotated where the client has left", async () => {
      clock.advance(15 * MINUTE);
      const leave = new AbortController();
      const headers = { cookie: browser.cookie as string };
      const exchange = new FetchExchange(
        sessions,
        new Request("https://shop.example/", { headers, signal: leave.signal }),
      );
      await exchange.prepare();
      const session = createHandle(exchange.state) as unknown as Session<{ n: number }>;
      session.increment("n");
      leave.abort();
      await exchange.commit();
      expect(store.takeCalls()).toEqual(["load", "commit"]);
    });

    it("is not rotated by a handler that threw, by open() or by peek()", async () => {
      clock.advance(15 * MINUTE);
      const visit = await browser.start();
      read(visit.session);
      visit.abandon();
      expect(await visit.end()).toEqual([]);
      const request = { headers: { cookie: browser.cookie as string } };
      const socket = await sessions.open(request);
      socket["n"] = 2;
      await socket.saveSession();
      expect(await sessions.peek(request)).toEqual({ n: 2 });
      expect(store.takeCalls()).not.toContain("rotate");
    });

    it("goes on for a request in flight with the old id, which is told the new one", async () => {
      const late = copyOf(browser);
      clock.advance(15 * MINUTE);
      await browser.visit(read);
      clock.advance(59 * SECOND);
      store.takeCalls();
      const { lines, result, visit } = await late.visit((session) => session.increment("n"));
      expect([result, visit.session.info.cause]).toEqual([2, "resumed"]);
      expect(store.takeCalls()).toEqual(["load", "load", "commit"]);
      expect(lines).toHaveLength(1);
      expect(late.cookie).toBe(browser.cookie);
      expect((await browser.visit(read)).result).toBe(2);
    });

    it("tells a request in flight no id that died before its response", async () => {
      const late = copyOf(browser);
      clock.advance(15 * MINUTE);
      await browser.visit(read);
      const visit = await late.start();
      read(visit.session);
      await browser.visit((session) => session.login("ann"));
      // It reaches the browser after the login's.
      expect(await visit.end()).toEqual([]);
    });

    it("goes on for a request that was under way, however long it takes", async () => {
      const visit = await browser.start();
      visit.session.increment("n");
      clock.advance(15 * MINUTE);
      await browser.visit((session) => session.increment("n"));
      clock.advance(10 * MINUTE);
      browser.keep(await visit.end());
      expect((await browser.visit(read)).result).toBe(3);
      expect(memory.size).toBe(1);
    });

    it("ends in one id when twenty requests rotate it at once", async () => {
      clock.advance(15 * MINUTE);
      const visits = await Promise.all(Array.from({ length: 20 }, () => browser.start()));
      for (const { session } of visits) session.increment("n");
      store.takeCalls();
      const cookies = await Promise.all(
        visits.map(async (visit) => {
          const own = copyOf(browser);
          own.keep(await visit.end());
          return own.cookie;
        }),
      );
      expect(new Set(cookies).size).toBe(1);
      expect(cookies[0]).not.toBe(browser.cookie);
      const { length } = store.takeCalls().filter((verb) => verb === "rotate");
      expect(length).toBe(20);
      expect((await new Browser(sessions, cookies[0]).visit(read)).result).toBe(21);
      expect(memory.size).toBe(1);
    });

    it("follows a second alias, too", async () => {
      start({ rotateEvery: 60 }, local);
      await browser.visit((session) => void (session["n"] = 1));
      const under = await browser.start();
      read(under.session);
      clock.advance(MINUTE);
      await browser.visit(read);
      const late = copyOf(browser);
      clock.advance(MINUTE);
      await browser.visit(read);
      under.session.increment("n");
      clock.advance(59 * SECOND);
      browser.keep(await under.end());
      expect((await late.visit(read)).result).toBe(2);
      expect(late.cookie).toBe(browser.cookie);
    });

    it("reports an old id after the grace, with what is needed to end the session", async () => {
      await browser.visit((session) => session.login("ann"));
      const thief = copyOf(browser);
      clock.advance(15 * MINUTE);
      const handle = (await browser.visit((session) => session.info.handle)).result;
      clock.advance(MINUTE);
      const { lines, visit } = await thief.visit((session) => session.info.cause);
      const { info } = visit.session;
      expect([info.cause, info.userId, { ...visit.session }, lines]).toEqual(["rotated", null, {}, []]);
      expect(() => (visit.session["n"] = 2)).toThrow(expect.objectContaining({ code: "ERR_SESSION_GONE" }));
      expect(reused).toEqual([{ session: expect.stringMatching(/^[\w-]{8}$/), handle, userId: "ann" }]);
      expect(await sessions.revoke(handle as string)).toBe(true);
      expect((await browser.visit((session) => session.info.cause)).result).toBe("revoked");
    });

    it("says nothing of an old id within the grace, and forgets it in the end", async () => {
      const late = copyOf(browser);
      clock.advance(15 * MINUTE);
      await browser.visit(read);
      clock.advance(MINUTE - 1);
      await copyOf(late).visit(read);
      expect(reused).toEqual([]);
      clock.advance(15 * MINUTE + 1);
      expect((await copyOf(late).visit((session) => session.info.cause)).result).toBe("unknown");
      expect(reused).toEqual([]);
    });

    it("lets the browser that missed its newer cookie sign in, and sign out", async () => {
      const stray = copyOf(browser);
      clock.advance(15 * MINUTE);
      await browser.visit(read);
      clock.advance(2 * MINUTE);
      const { lines } = await copyOf(stray).visit((session) => session.logout());
      expect(lines).toEqual([expect.stringContaining("Max-Age=0")]);
      await stray.visit((session) => session.login("ann"));
      expect((await stray.visit((session) => session.info.userId)).result).toBe("ann");
    });

    it("ends by a logout with the old id, and by one that was under way", async () => {
      for (const begin of ["before", "after"]) {
        start({}, local);
        await browser.visit((session) => void (session["n"] = 1));
        const late = copyOf(browser);
        clock.advance(15 * MINUTE);
        const under = await late.start();
        read(under.session);
        await browser.visit(read);
        const visit = begin === "before" ? under : await late.start();
        await visit.session.logout();
        expect(await visit.end()).toEqual([expect.stringContaining("Max-Age=0")]);
        expect((await browser.visit((session) => session.info.cause)).result).toBe("revoked");
        expect(memory.size).toBe(0);
      }
    });

    it("leaves every old id dead after a login, also where it came with an alias", async () => {
      const old = copyOf(browser);
      clock.advance(15 * MINUTE);
      await browser.visit(read);
      const middle = copyOf(browser);
      const user = copyOf(old);
      await user.visit((session) => session.login("ann"));
      for (const dead of [old, middle]) {
        const { lines, result } = await dead.visit((session) => session.info.cause);
        expect([result, lines]).toEqual(["rotated", []]);
      }
      expect((await user.visit((session) => session.info.userId)).result).toBe("ann");
    });

    it("is signed in by a login that was under way", async () => {
      clock.advance(15 * MINUTE);
      const login = await browser.start();
      read(login.session);
      const other = copyOf(browser);
      await other.visit(read);
      const middle = copyOf(other);
      await login.session.login("ann");
      browser.keep(await login.end());
      expect((await browser.visit((session) => [session.info.userId, session.get("n")])).result).toEqual(["ann", 1]);
      expect((await middle.visit((session) => session.info.cause)).result).toBe("rotated");
      expect(memory.size).toBe(1);
    });

    it("is renewed, reloaded and touched under its newer id", async () => {
      const request = { headers: { cookie: browser.cookie as string } };
      const socket = await sessions.open(request);
      clock.advance(15 * MINUTE);
      await browser.visit((session) => session.increment("n"));
      clock.advance(MINUTE);
      await socket.touch();
      expect(socket.info.lastUsedAt).toBe(clock.now());
      expect((await browser.visit((session) => session.info.lastUsedAt)).result).toBe(clock.now());
      const other = await sessions.open({ headers: { cookie: browser.cookie as string } });
      clock.advance(15 * MINUTE);
      await browser.visit((session) => session.increment("n"));
      await other.reload();
      expect(other["n"]).toBe(3);
    });

    it("is ended by a socket's logout, however old the socket is", async () => {
      await browser.visit((session) => session.login("ann"));
      const socket = await sessions.open({ headers: { cookie: browser.cookie as string } });
      for (let round = 0; round < 3; round += 1) {
        clock.advance(15 * MINUTE);
        await browser.visit(read);
      }
      await sessions.gc();
      await socket.logout();
      expect((await browser.visit((session) => session.info.cause)).result).toBe("revoked");
    });

    it("keeps its id where the store fails at a rotation that saves nothing", async () => {
      clock.advance(15 * MINUTE);
      store.fail("rotate");
      expect(await browser.visit(read)).toMatchObject({ result: 1, lines: [] });
      store.heal();
      expect((await browser.visit(read)).lines).toHaveLength(1);
    });

    it("does not answer as if it were saved where the store fails at one that does", async () => {
      clock.advance(15 * MINUTE);
      store.fail("rotate");
      const visit = await browser.start();
      visit.session["n"] = 7;
      await expect(async () => visit.end()).rejects.toMatchObject({ status: 503 });
      store.heal();
      expect((await browser.visit(read)).result).toBe(1);
    });

    it("stays ended where it was ended while a rotation was due", async () => {
      clock.advance(15 * MINUTE);
      const [reader, writer] = [await browser.start(), await browser.start()];
      read(reader.session);
      writer.session["n"] = 2;
      await browser.visit((session) => session.logout());
      expect([await reader.end(), await writer.end()]).toEqual([[], []]);
      expect(memory.size).toBe(0);
    });

    it("reports what a rotation overwrote, and refuses it where it is to", async () => {
      const overwritten: unknown[] = [];
      sessions.on("overwritten", ({ fields }) => overwritten.push(...fields));
      clock.advance(15 * MINUTE);
      const visit = await browser.start();
      visit.session["n"] = 5;
      await browser.visit((session) => void (session["n"] = 2));
      browser.keep(await visit.end());
      if (local) expect(overwritten).toEqual(["n"]);
      expect((await browser.visit(read)).result).toBe(5);
    });
  });
}

describe("a session in use, whatever the store,", () => {
  const stores = {
    "SQLite, which knows hashes of ids": () => new SqliteStore(":memory:"),
    "a store with the original's five methods": () => new OriginalStore(),
  };
  it.each(Object.entries(stores))("goes on under new ids on %s", async (_, make) => {
    clock = new ManualClock();
    sessions = createSessions({ secretKey, store: make(), now: clock.now, logLevel: "silent", rotateEvery: 900 });
    browser = new Browser(sessions);
    reused = [];
    sessions.on("reuse", (event) => reused.push(event));
    await browser.visit((session) => session.increment("n"));
    for (let round = 1; round <= 3; round += 1) {
      clock.advance(15 * MINUTE);
      const [late, under] = [copyOf(browser), await browser.start()];
      read(under.session);
      expect((await browser.visit((session) => session.increment("n"))).lines).toHaveLength(1);
      under.session.increment("n");
      await under.end();
      const { result, lines } = await late.visit((session) => session.increment("n"));
      expect([result, lines.length]).toEqual([3 * round + 1, 1]);
      expect(late.cookie).toBe(browser.cookie);
      const thief = copyOf(browser);
      thief.cookie = under.exchange.cookieHeader();
      clock.advance(MINUTE);
      expect((await thief.visit((session) => session.info.cause)).result).toBe("rotated");
      expect(reused).toHaveLength(round);
    }
    await browser.visit((session) => session.logout());
  });
});

describe("the option rotateEvery", () => {
  it("is off by default", async () => {
    start();
    sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent" });
    browser = new Browser(sessions);
    await browser.visit((session) => void (session["n"] = 1));
    clock.advance(11 * 60 * MINUTE);
    expect((await browser.visit(read)).lines).toEqual([]);
    expect(store.takeCalls()).toEqual(["create", "load", "renew"]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "900"])("is no %s", (rotateEvery) => {
    expect(() => createSessions({ secretKey, rotateEvery: rotateEvery as number })).toThrow(TypeError);
  });

  it("is not shorter than rotationGrace", () => {
    expect(() => createSessions({ secretKey, rotateEvery: 59 })).toThrow(/rotationGrace \(60 s\)/);
    expect(() => createSessions({ secretKey, rotateEvery: 5, rotationGrace: 5 })).not.toThrow();
  });

  it("needs a store that reads what was written", () => {
    const make = (feed: "fleet" | null): Sessions => {
      const eventual = new MemoryStore();
      Object.assign(eventual, { capabilities: { ...eventual.capabilities, consistency: "eventual", feed } });
      return createSessions({ secretKey, rotateEvery: 900, store: eventual });
    };
    expect(() => make(null)).toThrow(/rotateEvery needs a store/);
    // A near cache: what it does not have, it reads.
    expect(() => make("fleet")).not.toThrow();
  });

  it("leaves an alias that shows a reader of the store no id", async () => {
    start();
    await browser.visit((session) => void (session["n"] = 1));
    const hashed = browser.cookie as string;
    clock.advance(15 * MINUTE);
    await browser.visit(read);
    const [oldId, newId] = [hashed, browser.cookie as string].map((cookie) => cookie.slice(4).split(".")[0] as string);
    const alias = memory.load(oldId as string, clock.now());
    expect(alias).toMatchObject({ kind: "alias", to: newId, expiresAt: clock.now() + 16 * MINUTE });
    expect((alias as { sealedId: string }).sealedId).not.toContain(newId);
  });
});
