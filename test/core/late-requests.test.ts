/** Requests that are under way while their session ends, moves or is lost. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MOST_HOPS } from "../../src/core/alias-limit.ts";
import type { SessionEvents } from "../../src/core/events.ts";
import { sealSuccessor } from "../../src/core/sealed-id.ts";
import { newId } from "../../src/core/session-id.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser, type Visit } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const MINUTE = 60_000;
const EXPIRES = [expect.stringContaining("Max-Age=0")];

describe.each([
  ["local", true],
  ["remote", false],
])("on a %s store", (_, local) => {
  let clock: ManualClock;
  let memory: MemoryStore;
  let store: HostileStore;
  let sessions: Sessions;
  let browser: Browser;
  let destroyed: SessionEvents["destroyed"][];
  let logged: string[];

  function start(options: Partial<SessionOptions> = {}, inner?: SessionStore): void {
    clock = new ManualClock();
    memory = new MemoryStore();
    store = new HostileStore(inner ?? memory, { local });
    logged = [];
    const write = (message: string): void => void logged.push(message);
    const logger = { debug: write, info: write, warn: write, error: write };
    sessions = createSessions({ secretKey, store, now: clock.now, logger, logLevel: "info", ...options });
    browser = new Browser(sessions);
    destroyed = [];
    sessions.on("destroyed", (event) => void destroyed.push(event));
  }

  /** A request that has read its session. */
  async function underWay(): Promise<Visit> {
    const visit = await browser.start();
    visit.session.get("n");
    return visit;
  }

  const copy = (): Browser => new Browser(sessions, browser.cookie);

  beforeEach(async () => {
    start();
    await browser.visit((session) => session.set("n", 1));
  });

  describe("a logout", () => {
    it("of a session that expired while the request was under way expires the cookie", async () => {
      const late = await underWay();
      clock.advance(12 * 60 * MINUTE);
      await late.session.logout();
      expect([await late.end(), destroyed.length]).toEqual([EXPIRES, 1]);
    });

    it("of a session that another request ended so long ago that nothing is known of it leaves the cookie alone", async () => {
      const late = await underWay();
      await browser.visit((session) => session.logout());
      destroyed = [];
      clock.advance(2 * MINUTE);
      await sessions.gc();
      await late.session.logout();
      expect([await late.end(), destroyed]).toEqual([[], []]);
    });

    it("of a session that another one ended is one end, and is told by both", async () => {
      const late = await underWay();
      await browser.visit((session) => session.logout());
      await late.session.logout();
      expect(await late.end()).toEqual(EXPIRES);
      expect(destroyed).toHaveLength(2);
      expect(destroyed[1]).toEqual(destroyed[0]);
    });
  });

  describe("with rotateEvery, a request with an older id", () => {
    beforeEach(async () => {
      start({ rotateEvery: 900 });
      await browser.visit((session) => session.set("n", 1));
    });

    it.each(["logged out", "signed in"])("that signs out after the newer id was %s", async (end) => {
      const late = await underWay();
      clock.advance(15 * MINUTE);
      await browser.visit((session) => session.get("n"));
      await browser.visit((session) => (end === "signed in" ? session.login("ann") : session.logout()));
      destroyed = [];
      await late.session.logout();
      const lines = await late.end();
      expect([lines, destroyed.length]).toEqual(end === "signed in" ? [[], 0] : [EXPIRES, 1]);
      const { result } = await browser.visit((session) => session.info.userId);
      expect(result).toBe(end === "signed in" ? "ann" : null);
    });

    it("that signs a visitor out when the alias is forgotten asks for nobody's handle", async () => {
      const late = await underWay();
      for (let round = 0; round < 3; round += 1) {
        clock.advance(15 * MINUTE);
        await browser.visit((session) => session.get("n"));
      }
      await sessions.gc();
      store.takeCalls();
      await late.session.logout();
      expect([await late.end(), destroyed]).toEqual([[], []]);
      expect(store.takeCalls()).not.toContain("revokeHandle");
      expect((await browser.visit((session) => session.get("n"))).result).toBe(1);
    });

    it("that signs a user out when the alias is forgotten ends the session by its handle, and tells so", async () => {
      await browser.visit((session) => session.login("ann"));
      const late = await underWay();
      for (let round = 0; round < 3; round += 1) {
        clock.advance(15 * MINUTE);
        await browser.visit((session) => session.get("n"));
      }
      await sessions.gc();
      await late.session.logout();
      expect(await late.end()).toEqual(EXPIRES);
      expect(destroyed).toEqual([{ session: expect.stringMatching(/^[\w-]{8}$/) }]);
      expect((await browser.visit((session) => session.info.cause)).result).toBe("revoked");
    });

    it("that signs a user out whose session is gone, too, leaves the cookie alone", async () => {
      await browser.visit((session) => session.login("ann"));
      const late = await underWay();
      await sessions.forUser("ann").revokeAll();
      clock.advance(2 * MINUTE);
      await sessions.gc();
      await late.session.logout();
      expect([await late.end(), destroyed]).toEqual([[], []]);
    });

    it("is told under its newer id after a reload", async () => {
      const late = await underWay();
      clock.advance(15 * MINUTE);
      await browser.visit((session) => session.increment("n"));
      await late.session.reload();
      const { result } = await browser.visit((session) => session.getSessionId());
      expect([late.session["n"], late.session.getSessionId()]).toEqual([2, result]);
    });

    it("that came after two rotations is told as reuse, with the handle of the session that lives on", async () => {
      start({ rotateEvery: 60 });
      const reused: SessionEvents["reuse"][] = [];
      sessions.on("reuse", (event) => void reused.push(event));
      await browser.visit((session) => session.login("ann"));
      const thief = copy();
      const { result: handle } = await browser.visit((session) => session.info.handle);
      for (let round = 0; round < 2; round += 1) {
        clock.advance(MINUTE);
        await browser.visit((session) => session.get("n"));
      }
      clock.advance(MINUTE / 2);
      expect((await thief.visit((session) => session.info.cause)).result).toBe("rotated");
      expect(reused).toEqual([{ session: expect.any(String), handle, userId: "ann" }]);
    });

    it("whose renewal is due is renewed under the newer one, and nothing is said where the session ended", async () => {
      start({ rotateEvery: 86_400 });
      await browser.visit((session) => session.set("n", 1));
      clock.advance(3 * 60 * MINUTE);
      const late = await underWay();
      await browser.visit((session) => session.logout());
      expect([await late.end(), logged]).toEqual([[], []]);
    });
  });

  it("without rotateEvery, a renewal that finds no session costs no further call", async () => {
    clock.advance(3 * 60 * MINUTE);
    const late = await underWay();
    await browser.visit((session) => session.logout());
    store.takeCalls();
    expect([await late.end(), store.takeCalls()]).toEqual([[], ["renew"]]);
  });

  it("a renewal that fails is warned about, and the response leaves", async () => {
    clock.advance(3 * 60 * MINUTE);
    store.fail("renew");
    expect(await browser.visit((session) => session.get("n"))).toMatchObject({ result: 1, lines: [] });
    expect(logged).toEqual([expect.stringContaining("a session's renewal failed")]);
  });

  it("a request that leaves the session alone records no use", async () => {
    clock.advance(3 * 60 * MINUTE);
    store.takeCalls();
    await browser.visit(() => undefined);
    expect(store.takeCalls()).toEqual(local ? [] : ["load"]);
  });

  describe("reload", () => {
    it("tells that the session ended, be it over, expired or forgotten", async () => {
      const gone = expect.objectContaining({ code: "ERR_SESSION_GONE" });
      const [over, forgotten] = [await underWay(), await underWay()];
      await browser.visit((session) => session.logout());
      await expect(over.session.reload()).rejects.toEqual(gone);
      clock.advance(2 * MINUTE);
      await sessions.gc();
      await expect(forgotten.session.reload()).rejects.toEqual(gone);
      await browser.visit((session) => session.set("n", 1));
      const expired = await underWay();
      clock.advance(12 * 60 * MINUTE);
      await expect(expired.session.reload()).rejects.toEqual(gone);
      expect(await expired.end()).toEqual([]);
    });

    it("of a session that is not saved forgets what was recorded, and asks nobody", async () => {
      const { session } = await new Browser(sessions).start();
      session.set("n", 5);
      store.takeCalls();
      await session.reload();
      expect([session.get("n"), store.takeCalls()]).toEqual([undefined, []]);
    });

    it("waits for the login that is under way, and reads what it left", async () => {
      const visit = await underWay();
      await browser.visit((session) => session.set("n", 2));
      const login = visit.session.login("ann");
      await visit.session.reload();
      await login;
      expect([visit.session["n"], visit.session.info.userId]).toEqual([2, "ann"]);
    });
  });

  describe("with saveUninitialized", () => {
    beforeEach(() => start({ saveUninitialized: true }));

    it("a request that comes late begins no session in the place of the newer one", async () => {
      await browser.visit((session) => session.set("n", 1));
      const late = copy();
      await browser.visit((session) => session.login("ann"));
      store.takeCalls();
      const { lines } = await late.visit((session) => session.get("n"));
      expect([lines, store.takeCalls()]).toEqual([[], ["load"]]);
    });

    it("destroy() is not followed by a session for every visitor", async () => {
      await browser.visit((session) => session.set("n", 1));
      const { lines } = await browser.visit((session) => session.destroy());
      expect([lines, memory.size]).toEqual([EXPIRES, 0]);
    });
  });

  it("what a request writes after its session could not be read begins a new one", async () => {
    const { result: id } = await browser.visit((session) => session.getSessionId());
    memory.commit(id, { operation: "a test's", now: clock.now(), set: { n: "{broken" } });
    const { lines } = await browser.visit((session) => {
      expect(session["n"]).toBeUndefined();
      session.set("m", 2);
    });
    expect(lines).toHaveLength(1);
    expect(memory.size).toBe(1);
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ m: 2 });
  });

  it("a change after the headers that cannot be saved is an error of the log, with its code and no value", async () => {
    const { visit } = await browser.visit((session) => session.get("n"));
    store.fail("commit");
    visit.session["n"] = "a value";
    await expect
      .poll(() => logged)
      .toEqual([expect.stringMatching(/after the response's headers.*: ERR_SESSION_STORE/)]);
    expect(logged[0]).not.toContain("a value");
  });

  describe("aliases that somebody wrote to the store", () => {
    /** Every key is an alias; sealed by who knows the ids, or not at all. */
    class Maze extends MemoryStore {
      readonly sealed: (key: string) => string;
      loads = 0;
      commits = 0;
      on = false;
      constructor(sealed: (key: string) => string) {
        super();
        this.sealed = sealed;
      }
      #alias(key: string) {
        return { kind: "alias" as const, to: newId(), sealedId: this.sealed(key), expiresAt: clock.now() + MINUTE };
      }
      override load(key: string, now: number): ReturnType<MemoryStore["load"]> {
        this.loads += 1;
        return this.on ? this.#alias(key) : super.load(key, now);
      }
      override commit(...args: Parameters<MemoryStore["commit"]>): ReturnType<MemoryStore["commit"]> {
        this.commits += 1;
        return this.on ? { ok: false, reason: "moved", ...this.#alias(args[0]) } : super.commit(...args);
      }
    }
    const endless = (key: string): string => sealSuccessor(key, { id: newId(), until: clock.now() + MINUTE });

    it.each([
      ["without an end", endless],
      ["that are not sealed", () => "not sealed at all"],
    ])("lead nowhere, %s", async (which, sealed) => {
      const maze = new Maze(sealed);
      start({ rotateEvery: 900 }, maze);
      await browser.visit((session) => session.set("n", 1));
      const late = await underWay();
      const reload = await underWay();
      late.session.set("n", 2);
      maze.on = true;
      await expect(late.session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
      expect(maze.commits).toBe(which === "without an end" ? MOST_HOPS + 1 : 1);
      await expect(reload.session.reload()).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
      maze.loads = 0;
      const { result, lines } = await copy().visit((session) => [session.get("n"), session.info.userId]);
      expect([result, lines]).toEqual([[undefined, null], []]);
      expect(maze.loads).toBe(which === "without an end" ? MOST_HOPS + 1 : 1);
    });
  });
});
