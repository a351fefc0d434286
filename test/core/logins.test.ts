/** Ids, ends and refusals of sessions that begin, sign in and get a new id. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import { tagOf, userTag } from "../../src/core/session-id.ts";
import type { NewSession } from "../../src/core/session-record.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

describe.each([
  ["local", true],
  ["remote", false],
])("on a %s store", (_, local) => {
  let clock: ManualClock;
  let store: HostileStore;
  let sessions: Sessions;
  let browser: Browser;

  function start(options: Partial<SessionOptions> = {}, inner: SessionStore = new MemoryStore()): void {
    clock = new ManualClock();
    store = new HostileStore(inner, { local });
    sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent", ...options });
    browser = new Browser(sessions);
  }

  beforeEach(() => start());

  describe("a login with a maxAge of its own, shorter than the idle limit,", () => {
    let end: number;
    const expiresAt = async (): Promise<unknown> => (await browser.visit((session) => session.info.expiresAt)).result;

    beforeEach(async () => {
      start({ idleTimeout: 3600 });
      end = clock.now() + 1_000_000;
    });

    it.each(["a visitor's first request", "a session that is there"])("ends there, with %s", async (which) => {
      if (which === "a session that is there") await browser.visit((session) => session.set("n", 1));
      await browser.visit((session) => session.login("ann", { maxAge: 1000 }));
      expect(await expiresAt()).toBe(end);
      clock.advance(1_000_000);
      expect((await browser.visit((session) => session.info.userId)).result).toBeNull();
    });

    it("ends there after a new id, a change, a read and a touch, too", async () => {
      await browser.visit((session) => session.login("ann", { maxAge: 1000 }));
      await browser.visit((session) => session.regenerate());
      expect(await expiresAt()).toBe(end);
      clock.advance(730_000);
      await browser.visit((session) => session.set("n", 1));
      expect(await expiresAt()).toBe(end);
      await browser.visit((session) => session.touch());
      expect(await expiresAt()).toBe(end);
      start({ idleTimeout: 3600 });
      await browser.visit((session) => session.login("ann", { maxAge: 1000 }));
      clock.advance(730_000);
      await browser.visit((session) => session.get("n"));
      expect(await expiresAt()).toBe(end);
    });
  });

  it("a renewal sends the cookie again with rolling, and not for a login that asked for a maxAge of its own", async () => {
    start({ maxAge: 3600, rolling: true });
    await browser.visit((session) => session.login("ann", { maxAge: 7200 }));
    clock.advance(800_000);
    expect((await browser.visit((session) => session.touch())).lines).toEqual([]);
    const other = new Browser(sessions);
    await other.visit((session) => session.login("bob"));
    clock.advance(800_000);
    expect((await other.visit((session) => session.touch())).lines).toHaveLength(1);
  });

  it("a renewal sends no cookie again without rolling", async () => {
    start({ maxAge: 3600, idleTimeout: 600 });
    await browser.visit((session) => session.set("n", 1));
    clock.advance(130_000);
    const { lines, visit } = await browser.visit((session) => session.get("n"));
    expect([lines, visit.session.info.lastUsedAt]).toEqual([[], clock.now()]);
  });

  it("a touch counts as a use however soon it comes, also together with a change", async () => {
    await browser.visit((session) => session.set("n", 1));
    const used = async (): Promise<unknown> => (await browser.visit((session) => session.info.lastUsedAt)).result;
    clock.advance(1000);
    await browser.visit((session) => session.touch());
    expect(await used()).toBe(clock.now());
    clock.advance(1000);
    await browser.visit((session) => {
      session.set("n", 2);
      return session.touch();
    });
    expect(await used()).toBe(clock.now());
    clock.advance(1000);
    await browser.visit((session) => session.set("n", 3));
    expect(await used()).toBe(clock.now() - 1000);
  });

  it("a user's ids carry the user's tag, whether the session began before the login or with it", async () => {
    for (const before of [true, false]) {
      const device = new Browser(sessions);
      if (before) await device.visit((session) => session.set("n", 1));
      await device.visit((session) => session.login("ann"));
      const id = async () => (await device.visit((session) => session.getSessionId())).result;
      const first = await id();
      await device.visit((session) => session.regenerate());
      const second = await id();
      expect([tagOf(first), tagOf(second)]).toEqual([userTag("ann"), userTag("ann")]);
      expect(second).not.toBe(first);
    }
  });

  it("an id that was asked for before the session is saved is its id, and not a login's", async () => {
    const { result } = await browser.visit(async (session) => {
      const asked = session.getSessionId();
      session.set("n", 1);
      await session.saveSession();
      return [asked, session.getSessionId()];
    });
    expect(result[1]).toBe(result[0]);
    const { result: login } = await new Browser(sessions).visit(async (session) => {
      const asked = session.getSessionId();
      await session.login("ann");
      return [asked, session.getSessionId()];
    });
    expect(login[1]).not.toBe(login[0]);
  });

  describe("an id that is taken", () => {
    class Taken extends MemoryStore {
      readonly asked: string[] = [];
      readonly free: number;
      constructor(free: number) {
        super();
        this.free = free;
      }
      override create(record: NewSession, options: Parameters<MemoryStore["create"]>[1]) {
        const { size } = new Set([...this.asked, record.key]);
        this.asked.push(record.key);
        return size > this.free
          ? super.create(record, options)
          : ({ ok: false, reason: "duplicate" } as ReturnType<MemoryStore["create"]>);
      }
    }

    it("is not insisted on", async () => {
      const taken = new Taken(2);
      start({}, taken);
      const { result } = await browser.visit((session) => {
        session.set("n", 1);
        return session.getSessionId();
      });
      expect(taken.asked).toHaveLength(3);
      expect(taken.asked[0]).toBe(result);
      expect(new Set(taken.asked).size).toBe(3);
      expect((await browser.visit((session) => session.get("n"))).result).toBe(1);
    });

    it("is not insisted on by a login either", async () => {
      const asked: string[] = [];
      const taken = new (class extends MemoryStore {
        override rotate(...args: Parameters<MemoryStore["rotate"]>): ReturnType<MemoryStore["rotate"]> {
          asked.push(args[1]);
          return asked.length < 3 ? { ok: false, reason: "duplicate" } : super.rotate(...args);
        }
      })();
      start({}, taken);
      await browser.visit((session) => session.set("n", 1));
      await browser.visit((session) => session.login("ann"));
      expect([asked.length, new Set(asked).size]).toEqual([3, 3]);
      expect((await browser.visit((session) => [session.info.userId, session.get("n")])).result).toEqual(["ann", 1]);
    });

    it("is an error after five", async () => {
      const taken = new Taken(Infinity);
      start({}, taken);
      const { session } = await browser.start();
      session.set("n", 1);
      await expect(session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_ID" });
      expect(taken.asked).toHaveLength(5);
    });
  });

  describe("a refusal of the store", () => {
    it("is told where the store is full", async () => {
      start({}, new MemoryStore({ maxSessions: 1 }));
      await browser.visit((session) => session.login("ann"));
      const { session } = await new Browser(sessions).start();
      session.set("n", 1);
      await expect(session.saveSession()).rejects.toMatchObject({
        code: "ERR_SESSION_STORE_FULL",
        message: expect.stringContaining("maxSessions"),
      });
    });

    it.each([true, false])(
      "is told where the user may have no more sessions (visitor's session: %s)",
      async (saved) => {
        start({ maxSessionsPerUser: { max: 1, policy: "reject" } });
        await browser.visit((session) => session.login("ann"));
        const other = new Browser(sessions);
        if (saved) await other.visit((session) => session.set("cart", [1]));
        const visit = await other.start();
        visit.session.get("cart");
        await expect(visit.session.login("ann")).rejects.toMatchObject({
          code: "ERR_SESSION_REJECTED",
          message: expect.stringContaining("maxSessionsPerUser"),
        });
        expect(await visit.end()).toEqual([]);
      },
    );

    it("is told where the user's sessions were revoked meanwhile", async () => {
      await browser.visit((session) => session.set("n", 1));
      const visit = await browser.start();
      visit.session.get("n");
      store.alter("rotate", () => ({ ok: false, reason: "rejected", why: "revoked" }));
      await expect(visit.session.login("ann")).rejects.toMatchObject({
        code: "ERR_SESSION_REJECTED",
        message: expect.stringContaining("sign in again"),
      });
    });

    it("is told where what a login carries is too large, before the store is asked", async () => {
      start({ maxSessionBytes: 1000 });
      await browser.visit((session) => session.set("n", 1));
      const visit = await browser.start();
      visit.session.set("large", "x".repeat(1000));
      store.takeCalls();
      await expect(visit.session.login("ann")).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      expect(store.takeCalls()).toEqual([]);
    });
  });

  it("a call that is known to have failed is not made again: the next one carries what is there by then", async () => {
    const visit = await browser.start();
    visit.session.set("n", 1);
    store.fail("create", new FastSessionError("ERR_SESSION_STORE", "out of memory"));
    await expect(visit.session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
    store.heal();
    visit.session.set("m", 2);
    store.takeCalls();
    browser.keep(await visit.end());
    expect(store.takeCalls()).toEqual(["create"]);
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ n: 1, m: 2 });
  });

  it("the cause turns to new with the save, where nothing was wrong with the cookie", async () => {
    const causes: unknown[] = [];
    const save = async (device: Browser) =>
      device.visit(async (session) => {
        causes.push(session.info.cause);
        session.set("n", 1);
        await session.saveSession();
        causes.push(session.info.cause);
      });
    await save(browser);
    clock.advance(13 * 3_600_000);
    await save(browser);
    expect(causes).toEqual(["none", "new", "expired-idle", "expired-idle"]);
  });
});
