/** What `session.info` says, and what `login` takes. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { shortHash } from "../../src/core/session-id.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const HOUR = 3_600_000;

let clock: ManualClock;
let store: HostileStore;
let sessions: Sessions;
let browser: Browser;
let logged: string[];

function start(options: Partial<SessionOptions> = {}): void {
  clock = new ManualClock();
  store = new HostileStore(new MemoryStore());
  logged = [];
  const write = (message: string): void => void logged.push(message);
  const logger = { debug: write, info: write, warn: write, error: write };
  sessions = createSessions({ secretKey, store, now: clock.now, logger, ...options });
  browser = new Browser(sessions);
}

beforeEach(() => start());

type Info = Awaited<ReturnType<typeof browser.start>>["session"]["info"];
const NAMES = [
  ...(["cause", "isNew", "isSaved", "isDestroyed", "createdAt", "lastUsedAt", "expiresAt", "age", "timeLeft"] as const),
  ...(["userId", "authenticatedAt", "metadata", "handle", "idHash"] as const),
];
const told = (info: Info): Record<string, unknown> => Object.fromEntries(NAMES.map((name) => [name, info[name]]));

const NOTHING = {
  createdAt: null,
  lastUsedAt: null,
  expiresAt: null,
  age: null,
  timeLeft: null,
  userId: null,
  authenticatedAt: null,
  metadata: {},
  handle: null,
  idHash: null,
};

describe("session.info", () => {
  it("of a visitor says that there is nothing yet, also when its id was asked for", async () => {
    const { result } = await browser.visit((session) => {
      session.getSessionId();
      return told(session.info);
    });
    expect(result).toEqual({ ...NOTHING, cause: "none", isNew: true, isSaved: false, isDestroyed: false });
  });

  it("of a saved session says when it began and ends, in whole seconds, rounded down", async () => {
    const begun = clock.now();
    await browser.visit((session) => session.set("n", 1));
    clock.advance(HOUR + 1700);
    const { result, visit } = await browser.visit((session) => told(session.info));
    expect(result).toEqual({
      cause: "resumed",
      isNew: false,
      isSaved: true,
      isDestroyed: false,
      createdAt: begun,
      lastUsedAt: begun,
      expiresAt: begun + 12 * HOUR,
      age: 3601,
      timeLeft: 11 * 3600 - 2,
      userId: null,
      authenticatedAt: null,
      metadata: {},
      handle: expect.stringMatching(/^[\w-]{16}$/),
      idHash: shortHash(visit.session.getSessionId()),
    });
  });

  it("never says a negative number of seconds", async () => {
    await browser.visit((session) => session.set("n", 1));
    const { session } = (await browser.visit((one) => one.get("n"))).visit;
    clock.advance(-HOUR);
    expect(session.info.age).toBe(0);
    clock.advance(14 * HOUR);
    expect(session.info.timeLeft).toBe(0);
  });

  it("of a login says who, since when and with what", async () => {
    await browser.visit((session) => session.login(7, { metadata: { label: "phone" } }));
    const at = clock.now();
    clock.advance(HOUR);
    const { result } = await browser.visit(({ info }) => [info.userId, info.authenticatedAt, info.metadata]);
    expect(result).toEqual(["7", at, { label: "phone" }]);
  });

  it("says in the request of the login itself what it says later", async () => {
    const visit = await browser.start();
    await visit.session.login("ann", { metadata: { label: "phone" } });
    const now = told(visit.session.info);
    browser.keep(await visit.end());
    const { result } = await browser.visit((session) => told(session.info));
    expect(now).toEqual({ ...result, cause: "new", isNew: true });
  });

  it.each([
    [0, 0, true],
    [299_999, 300, true],
    [300_000, 300, true],
    [300_001, 300, false],
  ])("says %d ms after a login whether that was in the last %d s: %s", async (after, seconds, fresh) => {
    await browser.visit((session) => session.login("ann"));
    clock.advance(after);
    expect((await browser.visit((session) => session.info.isFresh(seconds))).result).toBe(fresh);
  });

  it("knows no fresh login where there was none", async () => {
    await browser.visit((session) => session.set("n", 1));
    expect((await browser.visit((session) => session.info.isFresh(1e9))).result).toBe(false);
  });

  it("after destroy() says that, and nothing of what was", async () => {
    await browser.visit((session) => session.login("ann"));
    const { result } = await browser.visit(async (session) => {
      await session.destroy();
      return told(session.info);
    });
    expect(result).toMatchObject({ ...NOTHING, isDestroyed: true, isSaved: false });
    await browser.visit((session) => session.login("ann"));
    expect((await browser.visit(async (one) => (await one.destroy(), one.info.isFresh(60)))).result).toBe(false);
  });
});

describe("login", () => {
  it.each<unknown>(["", undefined, null, Number.NaN, Infinity, "x".repeat(256), {}, true])(
    "refuses %j as a user's id",
    async (userId) => {
      const { session } = await browser.start();
      await expect(session.login(userId as string)).rejects.toThrow(/a finite number or a string of 1 to 255/);
      expect(() => sessions.forUser(userId as string)).toThrow(TypeError);
    },
  );

  it.each([0, -7, 1.5, "a", "x".repeat(255)])("takes %j as a user's id", async (userId) => {
    await browser.visit((session) => session.login(userId));
    expect((await browser.visit((session) => session.info.userId)).result).toBe(String(userId));
  });

  it.each([-1, 1.5, Number.NaN, Infinity, "60", 604_801])("refuses %j as maxAge", async (maxAge) => {
    const { session } = await browser.start();
    await expect(session.login("ann", { maxAge: maxAge as number })).rejects.toThrow(
      /0 to absoluteTimeout \(604800\): raise absoluteTimeout/,
    );
  });

  it("takes a maxAge as long as absoluteTimeout, and 0 for a cookie that ends with the browser", async () => {
    const { lines } = await browser.visit((session) => session.login("ann", { maxAge: 604_800 }));
    expect(lines[0]).toContain("Max-Age=604800");
    start({ maxAge: 3600, absoluteTimeout: 7200 });
    expect((await browser.visit((session) => session.login("ann", { maxAge: 0 }))).lines[0]).not.toContain("Max-Age");
  });

  it("refuses metadata that is no text, and names it without its value", async () => {
    const { session } = await browser.start();
    const metadata = { label: "phone", pin: 1234 } as unknown as Record<string, string>;
    await expect(session.login("ann", { metadata })).rejects.toThrow(/metadata holds strings: "pin" is a number/);
    await expect(session.login("ann", { metadata })).rejects.not.toThrow(/1234/);
  });
});

describe("an end after the headers", () => {
  it.each(["logout", "destroy"] as const)("by %s is one, and the log says that the cookie stays", async (verb) => {
    await browser.visit((session) => session.set("n", 1));
    const { visit } = await browser.visit((session) => session.get("n"));
    await visit.session[verb]();
    expect(logged).toEqual([expect.stringContaining(`${verb}() after the headers`)]);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("revoked");
  });

  it("of a visitor without a session says nothing", async () => {
    const { visit } = await browser.visit((session) => session.get("n"));
    await visit.session.logout();
    expect([logged, store.takeCalls()]).toEqual([[], []]);
  });
});

describe("with onStoreError: anonymous, while the store does not answer,", () => {
  it.each(["logout", "destroy"] as const)("%s is an error: somebody would be left signed in", async (verb) => {
    start({ onStoreError: "anonymous", logLevel: "silent" });
    await browser.visit((session) => session.login("ann"));
    store.fail("load");
    const visit = await browser.start();
    expect(visit.session.info.userId).toBeNull();
    await expect(visit.session[verb]()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    expect(await visit.end()).toEqual([]);
  });
});
