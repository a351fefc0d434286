import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";
import { type Calls, counting } from "../support/counting-store.ts";

const secretKey = "a secret of more than thirty-two bytes";
const HOUR = 3_600_000;

let clock: ManualClock;
let calls: Calls;
let store: MemoryStore;
let sessions: Sessions;
let browser: Browser;

function start(options: Partial<SessionOptions> = {}): void {
  clock = new ManualClock();
  ({ store, calls } = counting(new MemoryStore()));
  sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent", ...options });
  browser = new Browser(sessions);
}

beforeEach(() => start());

describe("store calls", () => {
  it("are none for a visitor who touches nothing", async () => {
    const { lines } = await browser.visit(() => undefined);
    expect(calls.take()).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("are none for a visitor without a cookie who reads", async () => {
    const { lines } = await browser.visit((session) => session.get("theme"));
    expect(calls.take()).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("are one create for a first write", async () => {
    const { lines } = await browser.visit((session) => void (session["theme"] = "dark"));
    expect(calls.take()).toEqual(["create"]);
    expect(lines).toHaveLength(1);
  });

  it("are none for a returning request that touches nothing", async () => {
    await browser.visit((session) => void (session["theme"] = "dark"));
    calls.take();
    const { lines } = await browser.visit(() => undefined);
    expect(calls.take()).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("are one load for a read, and one more commit for a write", async () => {
    await browser.visit((session) => void (session["theme"] = "dark"));
    calls.take();
    expect((await browser.visit((session) => session["theme"])).result).toBe("dark");
    expect(calls.take()).toEqual(["load"]);
    const { lines } = await browser.visit((session) => void (session["theme"] = "light"));
    expect(calls.take()).toEqual(["load", "commit"]);
    expect(lines).toEqual([]);
  });

  it("are one load and one renewal when a renewal is due, and then none for a while", async () => {
    await browser.visit((session) => void (session["theme"] = "dark"));
    calls.take();
    clock.advance(3 * HOUR);
    await browser.visit((session) => session["theme"]);
    expect(calls.take()).toEqual(["load", "renew"]);
    await browser.visit((session) => session["theme"]);
    expect(calls.take()).toEqual(["load"]);
  });

  it("are one load and one rotation for a login, and one load and one end for a logout", async () => {
    await browser.visit((session) => session.login("ann"));
    expect(calls.take()).toEqual(["create"]);
    const visitor = new Browser(sessions);
    await visitor.visit((session) => void (session["cart"] = [1]));
    calls.take();
    await visitor.visit((session) => session.login("ann"));
    expect(calls.take()).toEqual(["load", "rotate"]);
    await visitor.visit((session) => session.logout());
    expect(calls.take()).toEqual(["load", "destroy"]);
  });

  it("are one for a page of a user's sessions, and one for ending them all", async () => {
    await browser.visit((session) => session.login("ann"));
    calls.take();
    await sessions.forUser("ann").list();
    await sessions.forUser("ann").revokeAll();
    expect(calls.take()).toEqual(["listByUser", "revokeUser"]);
  });

  it("are none for forged and malformed cookies", async () => {
    for (const cookie of [
      "sid=garbage",
      "sid=",
      "sid=a.b.c",
      `sid=${"1".repeat(36)}.toz2fc.${"A".repeat(47)}`,
      "sid",
    ]) {
      const visitor = new Browser(sessions, cookie);
      await visitor.visit((session) => session.get("theme"));
    }
    expect(calls.take()).toEqual([]);
  });

  it("are none for a value that is assigned as it was", async () => {
    await browser.visit((session) => void (session["cart"] = [1, 2]));
    calls.take();
    await browser.visit((session) => void (session["cart"] = [1, 2]));
    expect(calls.take()).toEqual(["load"]);
  });
});

describe("lifetimes", () => {
  it("end a session that is idle for 12 hours, to the millisecond", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const other = new Browser(sessions, browser.cookie);
    clock.advance(12 * HOUR - 1);
    expect((await other.visit((session) => session.info.cause)).result).toBe("resumed");
    // The visit was recorded: the window starts again.
    clock.advance(12 * HOUR);
    expect((await other.visit((session) => session.info.cause)).result).toBe("expired-idle");
  });

  it("end a session after 7 days however much it is used", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    for (let hour = 0; hour < 7 * 24 - 6; hour += 6) {
      clock.advance(6 * HOUR);
      expect((await browser.visit((session) => session.info.cause)).result).toBe("resumed");
    }
    clock.advance(6 * HOUR);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("expired-absolute");
  });

  it("let no id older than the absolute limit reach the store", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    calls.take();
    clock.advance(8 * 24 * HOUR);
    await browser.visit((session) => session.get("n"));
    expect(calls.take()).toEqual([]);
  });

  it("give a session of maxAge its end at its start, and Max-Age to the cookie", async () => {
    start({ maxAge: 3600 });
    const { lines } = await browser.visit((session) => void (session["n"] = 1));
    expect(lines[0]).toContain("; Max-Age=3600;");
    clock.advance(HOUR - 1);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("resumed");
    clock.advance(1);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("expired-absolute");
  });

  it("end a session of maxAge there, also where absoluteTimeout allows logins more", async () => {
    start({ maxAge: 3600, absoluteTimeout: 24 * 3600 });
    await browser.visit((session) => void (session["n"] = 1));
    const keeper = new Browser(sessions);
    await keeper.visit((session) => session.login("ann", { maxAge: 24 * 3600 }));
    clock.advance(HOUR);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("expired-absolute");
    expect((await keeper.visit((session) => session.info.userId)).result).toBe("ann");
  });

  it("send the cookie again with each renewal when rolling, and not in between", async () => {
    start({ maxAge: 3600, rolling: true });
    await browser.visit((session) => void (session["n"] = 1));
    clock.advance(11 * 60_000);
    expect((await browser.visit((session) => session["n"])).lines).toEqual([]);
    clock.advance(60_000);
    const { lines } = await browser.visit((session) => session["n"]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("; Max-Age=3600;");
    clock.advance(50 * 60_000);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("resumed");
  });

  it("survive a clock that is set back", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    clock.advance(-HOUR);
    expect((await browser.visit((session) => session["n"])).result).toBe(1);
  });

  it("of a login are what it asked for", async () => {
    const { lines } = await browser.visit((session) => session.login("ann", { maxAge: 3 * 24 * 3600 }));
    expect(lines[0]).toContain(`; Max-Age=${3 * 24 * 3600};`);
    clock.advance(2 * 24 * HOUR);
    expect((await browser.visit((session) => session.info.userId)).result).toBe("ann");
    clock.advance(24 * HOUR);
    expect((await browser.visit((session) => session.info.userId)).result).toBeNull();
  });
});

describe("parallel requests of one session", () => {
  it("keep each other's fields", async () => {
    await browser.visit((session) => void (session["a"] = 0));
    const visits = await Promise.all(Array.from({ length: 50 }, () => browser.start()));
    for (const [index, visit] of visits.entries()) visit.session[`field${index}`] = index;
    for (const visit of visits.toReversed()) await visit.end();
    const { result } = await browser.visit((session) => Object.keys(session.getSession()).length);
    expect(result).toBe(51);
  });

  it("lose no increment", async () => {
    await browser.visit((session) => void (session["n"] = 0));
    const visits = await Promise.all(Array.from({ length: 200 }, () => browser.start()));
    for (const visit of visits) expect(visit.session.increment("n")).toBe(1);
    for (const visit of visits) await visit.end();
    expect((await browser.visit((session) => session["n"])).result).toBe(200);
  });

  it("keep all that was appended, and apply an update to the latest value", async () => {
    await browser.visit((session) => void (session["list"] = ["a"]));
    const [one, two, three] = await Promise.all([browser.start(), browser.start(), browser.start()]);
    one.session.append("list", "b");
    two.session.append("list", "c");
    three.session.update("list", (list: string[] = []) => list.map((item) => item.toUpperCase()));
    await one.end();
    await two.end();
    await three.end();
    expect((await browser.visit((session) => session["list"])).result).toEqual(["A", "B", "C"]);
  });

  it("let a reader who ends late overwrite nothing", async () => {
    await browser.visit((session) => void (session["cart"] = [1]));
    const slow = await browser.start();
    expect(slow.session["cart"]).toEqual([1]);
    await browser.visit((session) => session["cart"].push(2));
    await slow.end();
    expect((await browser.visit((session) => session["cart"])).result).toEqual([1, 2]);
  });

  it("report which fields a plain assignment overwrote, and keep the later one", async () => {
    await browser.visit((session) => void (session["theme"] = "dark"));
    const reported: unknown[] = [];
    sessions.on("overwritten", ({ fields }) => reported.push(fields));
    const [one, two] = await Promise.all([browser.start(), browser.start()]);
    one.session["theme"] = "light";
    two.session["theme"] = "blue";
    await one.end();
    await two.end();
    expect(reported).toEqual([["theme"]]);
    expect((await browser.visit((session) => session["theme"])).result).toBe("blue");
  });

  it('refuse the later assignment with onConflict: "reject"', async () => {
    start({ onConflict: "reject" });
    await browser.visit((session) => void (session["theme"] = "dark"));
    const [one, two] = await Promise.all([browser.start(), browser.start()]);
    one.session["theme"] = "light";
    two.session["theme"] = "blue";
    await one.end();
    await expect(two.session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_CONFLICT" });
  });

  it("let a clear win over what others added meanwhile, and keep what it set itself", async () => {
    await browser.visit((session) => void (session["a"] = 1));
    const [one, two] = await Promise.all([browser.start(), browser.start()]);
    one.session["b"] = 2;
    two.session.clearSession();
    two.session["c"] = 3;
    await one.end();
    await two.end();
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ c: 3 });
  });
});

describe("a session that ended", () => {
  it("is not brought back by a slow writer, whose response sends no cookie", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const slow = await browser.start();
    slow.session["n"] = 2;
    const gone: unknown[] = [];
    sessions.on("gone", (event) => gone.push(event));
    const before = browser.cookie;
    await browser.visit((session) => session.logout());
    expect(await slow.end()).toEqual([]);
    expect(gone).toHaveLength(1);
    const late = new Browser(sessions, before);
    expect((await late.visit((session) => session.info.cause)).result).toBe("revoked");
  });

  it("tells saveSession so", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const slow = await browser.start();
    slow.session["n"] = 2;
    await browser.visit((session) => session.destroy());
    await expect(slow.session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
  });

  it("gives a late request an empty session that takes no write and sends no cookie", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const old = browser.cookie;
    await browser.visit((session) => session.regenerate());
    const late = await new Browser(sessions, old).start();
    expect(late.session.info.cause).toBe("rotated");
    expect(late.session["n"]).toBeUndefined();
    expect(() => (late.session["n"] = 2)).toThrow(expect.objectContaining({ code: "ERR_SESSION_GONE" }));
    expect(await late.end()).toEqual([]);
  });

  it("lets a late request sign in after a revocation", async () => {
    await browser.visit((session) => session.login("ann"));
    await sessions.forUser("ann").revokeAll();
    await browser.visit((session) => session.login("ann"));
    expect((await browser.visit((session) => session.info.userId)).result).toBe("ann");
  });

  it("keeps a visitor's data through a sign-in that is sent twice", async () => {
    await browser.visit((session) => void (session["cart"] = [1]));
    const [first, second] = await Promise.all([browser.start(), browser.start()]);
    await first.session.login("ann");
    await expect(second.session.login("ann")).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
    for (const visit of [first, second]) browser.keep(await visit.end());
    expect((await browser.visit((session) => [session.info.userId, session["cart"]])).result).toEqual(["ann", [1]]);
  });

  it("gives its revoked cookie up when the user signs out", async () => {
    await browser.visit((session) => session.login("ann"));
    await sessions.forUser("ann").revokeAll();
    const { lines } = await browser.visit(async (session) => {
      await session.logout();
      session.flash("notice", "bye");
    });
    expect(lines).toHaveLength(1);
    expect((await browser.visit((session) => session.flash("notice"))).result).toBe("bye");
  });

  it("is forgotten after the grace, so that a stray cookie may begin anew", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const old = new Browser(sessions, browser.cookie);
    await browser.visit((session) => session.destroy());
    clock.advance(61_000);
    const { result, lines } = await old.visit((session) => {
      session["n"] = 5;
      return session.info.cause;
    });
    expect(result).toBe("unknown");
    expect(lines).toHaveLength(1);
  });
});

describe("changes of identity", () => {
  it("give regenerate a new id with the same data, start and public name", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const before = await browser.visit((session) => [
      session.getSessionId(),
      session.info.createdAt,
      session.info.handle,
    ]);
    clock.advance(1000);
    const { lines } = await browser.visit((session) => session.regenerate());
    expect(lines).toHaveLength(1);
    const after = await browser.visit((session) => [
      session.getSessionId(),
      session.info.createdAt,
      session.info.handle,
    ]);
    expect(after.result[0]).not.toBe(before.result[0]);
    expect(after.result.slice(1)).toEqual(before.result.slice(1));
    expect((await browser.visit((session) => session["n"])).result).toBe(1);
  });

  it("keep none or some of the data when asked", async () => {
    const data = { a: 1, b: 2, c: 3 };
    await browser.visit((session) => void Object.assign(session, data));
    await browser.visit((session) => session.regenerate({ keep: ["a", "c"] }));
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ a: 1, c: 3 });
    await browser.visit((session) => session.regenerate({ keep: false }));
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({});
  });

  it("bind a user at login, keep a visitor's data, and start a new absolute period", async () => {
    await browser.visit((session) => void (session["cart"] = [7]));
    const anonymous = new Browser(sessions, browser.cookie);
    clock.advance(10 * HOUR);
    await browser.visit((session) => session.login(42, { metadata: { label: "phone" } }));
    const { result } = await browser.visit(({ info, cart }) => [info.userId, info.metadata, cart, info.age]);
    expect(result).toEqual(["42", { label: "phone" }, [7], 0]);
    expect((await anonymous.visit((session) => session.info.cause)).result).toBe("rotated");
  });

  it("drop another user's data at login", async () => {
    await browser.visit((session) => session.login("ann"));
    await browser.visit((session) => void (session["secret"] = 1));
    await browser.visit((session) => session.login("bob"));
    expect((await browser.visit((session) => [session.info.userId, session.get("secret")])).result).toEqual([
      "bob",
      undefined,
    ]);
  });

  it("leave a fresh session after logout, which gets a new id when written to", async () => {
    await browser.visit((session) => session.login("ann"));
    const id = (await browser.visit((session) => session.getSessionId())).result;
    const { lines } = await browser.visit(async (session) => {
      await session.logout();
      session.flash("notice", "bye");
    });
    expect(lines).toHaveLength(1);
    const next = await browser.visit((session) => [
      session.getSessionId(),
      session.info.userId,
      session.flash("notice"),
    ]);
    expect(next.result[0]).not.toBe(id);
    expect(next.result.slice(1)).toEqual([null, "bye"]);
  });

  it("allow nothing but info after destroy, and expire the cookie", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const { lines } = await browser.visit(async (session) => {
      await session.destroy();
      expect(session.info.isDestroyed).toBe(true);
      for (const use of [
        () => session["n"],
        () => (session["n"] = 1),
        () => session.getSessionId(),
        () => ({ ...session }),
      ]) {
        expect(use).toThrow(expect.objectContaining({ code: "ERR_SESSION_DESTROYED" }));
      }
      await expect(session.saveSession()).rejects.toMatchObject({ code: "ERR_SESSION_DESTROYED" });
    });
    expect(lines).toEqual([expect.stringMatching(/^sid=; Max-Age=0; Expires=Thu, 01 Jan 1970/)]);
  });

  it("end all sessions of a user but one", async () => {
    const devices = [new Browser(sessions), new Browser(sessions), new Browser(sessions)];
    for (const device of devices) await device.visit((session) => session.login("ann"));
    const [first, ...others] = devices as [Browser, ...Browser[]];
    expect(await sessions.forUser("ann").list()).toMatchObject({ sessions: [{}, {}, {}], after: null });
    const { result } = await first.visit((session) => sessions.forUser("ann").revokeOthers(session));
    expect(result).toBe(2);
    expect((await first.visit((session) => session.info.userId)).result).toBe("ann");
    for (const other of others) expect((await other.visit((session) => session.info.cause)).result).toBe("revoked");
  });

  it("end one session of a user by its public name, and nobody else's", async () => {
    const [ann, bob] = [new Browser(sessions), new Browser(sessions)];
    for (const [device, name] of [
      [ann, "ann"],
      [bob, "bob"],
    ] as const)
      await device.visit((session) => session.login(name));
    const handle = (await bob.visit((session) => session.info.handle)).result as string;
    expect(await sessions.forUser("ann").revoke(handle)).toBe(false);
    expect((await bob.visit((session) => session.info.userId)).result).toBe("bob");
    expect(await sessions.forUser("bob").revoke(handle)).toBe(true);
    expect((await bob.visit((session) => session.info.cause)).result).toBe("revoked");
    expect((await ann.visit((session) => session.info.userId)).result).toBe("ann");
  });

  it("keep at most as many sessions a user as maxSessionsPerUser", async () => {
    start({ maxSessionsPerUser: 2 });
    const devices = [new Browser(sessions), new Browser(sessions), new Browser(sessions)];
    for (const device of devices) {
      clock.advance(1000);
      await device.visit((session) => session.login("ann"));
    }
    const causes = [];
    for (const device of devices) causes.push((await device.visit((session) => session.info.cause)).result);
    expect(causes).toEqual(["revoked", "resumed", "resumed"]);
  });
});

describe("a handler that throws", () => {
  it("saves nothing that was only recorded, and makes no session", async () => {
    const visit = await browser.start();
    visit.session["n"] = 1;
    visit.abandon();
    expect(await visit.end()).toEqual([]);
    expect(calls.take()).toEqual([]);
  });

  it("keeps what was awaited, with its cookie", async () => {
    const visit = await browser.start();
    await visit.session.login("ann");
    visit.session["n"] = 1;
    visit.abandon();
    browser.keep(await visit.end());
    expect((await browser.visit((session) => [session.info.userId, session.get("n")])).result).toEqual([
      "ann",
      undefined,
    ]);
  });

  it("saves what was recorded with saveOnError", async () => {
    start({ saveOnError: true });
    const visit = await browser.start();
    visit.session["n"] = 1;
    visit.abandon();
    expect(await visit.end()).toHaveLength(1);
  });
});

describe("after the first byte", () => {
  it("changes of a saved session are saved, one commit a turn", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const { visit } = await browser.visit((session) => session["n"]);
    calls.take();
    visit.session["n"] = 2;
    visit.session["m"] = 3;
    await Promise.resolve();
    expect(calls.take()).toEqual(["commit"]);
    expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ n: 2, m: 3 });
  });

  it("whatever needs a cookie throws where it is called", async () => {
    const { visit } = await browser.visit((session) => session.get("n"));
    expect(() => (visit.session["n"] = 2)).toThrow(expect.objectContaining({ code: "ERR_SESSION_HEADERS_SENT" }));
    await browser.visit((session) => void (session["n"] = 1));
    const saved = (await browser.visit((session) => session["n"])).visit;
    await expect(saved.session.regenerate()).rejects.toMatchObject({ code: "ERR_SESSION_HEADERS_SENT" });
    await expect(saved.session.login(1)).rejects.toMatchObject({ code: "ERR_SESSION_HEADERS_SENT" });
    await saved.session.destroy();
    expect((await browser.visit((session) => session.info.cause)).result).toBe("revoked");
  });
});

describe("a record that cannot be read", () => {
  it("ends that one session, is reported, and is no error", async () => {
    await browser.visit((session) => void Object.assign(session, { a: 1, b: 2 }));
    const id = (await browser.visit((session) => session.getSessionId())).result;
    store.commit(id, { operation: "test", now: clock.now(), set: { a: "{broken" } });
    const corrupt: unknown[] = [];
    sessions.on("corrupt", ({ field }) => corrupt.push(field));
    const { result, lines } = await browser.visit((session) => [session["a"], session["b"], session.info.cause]);
    expect(result).toEqual([undefined, undefined, "corrupt"]);
    expect(corrupt).toEqual(["a"]);
    expect(lines).toEqual([]);
    expect(store.size).toBe(0);
    await browser.visit((session) => void (session["a"] = 5));
    expect((await browser.visit((session) => session["a"])).result).toBe(5);
  });
});

it("regenerate gives also an unsaved session another id than it was asked for before", async () => {
  const { result } = await browser.visit(async (session) => {
    const before = session.getSessionId();
    await session.regenerate();
    return [before, session.getSessionId()];
  });
  expect(result[1]).not.toBe(result[0]);
});

describe("key rotation", () => {
  it("reads the old key's cookie and signs it anew when the session is used", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const newKey = "another secret of more than thirty-two bytes";
    const both = createSessions({ secretKey: [newKey, secretKey], store, now: clock.now, logLevel: "silent" });
    const mover = new Browser(both, browser.cookie);
    expect((await mover.visit((session) => session["n"])).lines).toHaveLength(1);
    expect((await mover.visit((session) => session["n"])).lines).toEqual([]);
    const only = createSessions({ secretKey: newKey, store, now: clock.now, logLevel: "silent" });
    expect((await new Browser(only, mover.cookie).visit((session) => session["n"])).result).toBe(1);
    expect((await new Browser(only, browser.cookie).visit((session) => session.info.cause)).result).toBe("unknown-key");
  });

  it("signs no id anew that died before the response", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const both = createSessions({
      secretKey: ["another secret of more than thirty-two bytes", secretKey],
      store,
      now: clock.now,
      logLevel: "silent",
    });
    const mover = new Browser(both, browser.cookie);
    for (const wait of [0, 3 * 3_600_000]) {
      mover.cookie = browser.cookie;
      const slow = await mover.start();
      clock.advance(wait);
      expect(slow.session["n"]).toBe(1);
      await browser.visit((session) => session.login("ann"));
      // It reaches the browser after the login's.
      expect(await slow.end()).toEqual([]);
    }
  });
});

describe("saveUninitialized", () => {
  it("keeps the session of a visitor who has one, also where nothing is read before the handler", async () => {
    start({ saveUninitialized: true });
    const remote = new Proxy(store, {
      get: (target, name) =>
        name === "capabilities" ? { ...target.capabilities, local: false } : Reflect.get(target, name, target),
    });
    browser = new Browser(
      createSessions({
        secretKey,
        store: remote,
        now: clock.now,
        saveUninitialized: true,
        load: "lazy",
        logLevel: "silent",
      }),
    );
    expect((await browser.visit(() => undefined)).lines).toHaveLength(1);
    expect((await browser.visit(() => undefined)).lines).toEqual([]);
    expect(store.size).toBe(1);
  });

  it("makes a record and a cookie for every visitor, touched or not", async () => {
    start({ saveUninitialized: true });
    const { lines } = await browser.visit(() => undefined);
    expect(lines).toHaveLength(1);
    expect(calls.take()).toEqual(["create"]);
    expect((await browser.visit((session) => session.info.cause)).result).toBe("resumed");
  });

  it("makes none for a visitor whose handler threw", async () => {
    start({ saveUninitialized: true });
    const visit = await browser.start();
    visit.session["n"] = 1;
    visit.abandon();
    expect(await visit.end()).toEqual([]);
    expect(store.size).toBe(0);
  });

  it("shows the handler the id and cause that the session is going to have", async () => {
    start({ saveUninitialized: true });
    const first = await browser.visit((session) => [session.getSessionId(), session.info.cause]);
    expect(first.result[1]).toBe("new");
    expect((await browser.visit((session) => session.getSessionId())).result).toBe(first.result[0]);
  });
});
