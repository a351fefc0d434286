/** The sessions of an application as a whole: what administrators, pages of devices and health checks call. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

let clock: ManualClock;
let store: HostileStore;
let sessions: Sessions;
let revoked: unknown[];
let logged: string[];

function start(options: Partial<SessionOptions> = {}, inner: SessionStore = new MemoryStore(), local = true): void {
  clock = new ManualClock();
  store = new HostileStore(inner, { local });
  logged = [];
  const write = (message: string): void => void logged.push(message);
  const logger = { debug: write, info: write, warn: write, error: write };
  sessions = createSessions({ secretKey, store, now: clock.now, logger, ...options });
  revoked = [];
  sessions.on("revoked", (event) => void revoked.push(event));
}

async function signedIn(user: string): Promise<Browser> {
  const browser = new Browser(sessions);
  await browser.visit((session) => session.login(user));
  return browser;
}

const handleOf = async (browser: Browser): Promise<string> =>
  (await browser.visit((session) => session.info.handle)).result as string;

beforeEach(() => start());
afterEach(() => {
  vi.useRealTimers();
});

describe("revoke", () => {
  it("says whether there was such a session, and is told only then", async () => {
    const ann = await signedIn("ann");
    const handle = await handleOf(ann);
    expect([await sessions.revoke(handle), await sessions.revoke(handle), revoked]).toEqual([
      true,
      false,
      [{ count: 1, remote: false }],
    ]);
    expect((await ann.visit((session) => session.info.cause)).result).toBe("revoked");
  });

  it("leaves a late request knowing, for as long as rotationGrace", async () => {
    const ann = await signedIn("ann");
    await sessions.revoke(await handleOf(ann));
    clock.advance(59_999);
    expect((await ann.visit((session) => session.info.cause)).result).toBe("revoked");
    clock.advance(1);
    expect((await ann.visit((session) => session.info.cause)).result).toBe("unknown");
  });

  it("of a user finds a session on a later page, and nobody else's", async () => {
    const few = new (class extends MemoryStore {
      override listByUser(...[user, page]: Parameters<MemoryStore["listByUser"]>) {
        return super.listByUser(user, { ...page, limit: 1 });
      }
    })();
    start({}, few);
    const devices = [await signedIn("ann"), await signedIn("ann"), await signedIn("ann")];
    const bob = await signedIn("bob");
    for (const device of devices) expect(await sessions.forUser("ann").revoke(await handleOf(device))).toBe(true);
    expect(await sessions.forUser("ann").revoke(await handleOf(bob))).toBe(false);
    expect(revoked).toHaveLength(3);
  });
});

describe("revokeAll and revokeOthers", () => {
  it("say how many they ended, and are told only where there were some", async () => {
    expect(await sessions.forUser("ann").revokeAll()).toBe(0);
    expect(revoked).toEqual([]);
    const first = await signedIn("ann");
    await signedIn("ann");
    const { result } = await first.visit((session) => sessions.forUser("ann").revokeOthers(session));
    expect([result, revoked]).toEqual([1, [{ count: 1, remote: false }]]);
    clock.advance(59_999);
    expect((await first.visit((session) => session.info.userId)).result).toBe("ann");
  });

  it("takes no session of somebody else, and none that is not signed in", async () => {
    const bob = await signedIn("bob");
    const message = /a session of that user: call login\(\) first/;
    for (const browser of [bob, new Browser(sessions)]) {
      const { session } = await browser.start();
      await expect(sessions.forUser("ann").revokeOthers(session)).rejects.toThrow(message);
    }
    expect((await bob.visit((session) => session.info.userId)).result).toBe("bob");
  });
});

describe("a store without an index of users", () => {
  it("says so, with what to do", async () => {
    const inner = new MemoryStore() as SessionStore;
    for (const verb of ["listByUser", "revokeHandle", "revokeUser", "generation"] as const) {
      Object.defineProperty(inner, verb, { value: undefined });
    }
    start({}, inner);
    const unsupported = {
      code: "ERR_SESSION_UNSUPPORTED",
      message: expect.stringMatching(/RedisStore.*PostgresStore/),
    };
    const ann = sessions.forUser("ann");
    for (const call of [ann.list(), ann.revokeAll(), sessions.revoke("handle"), sessions.generation("ann")]) {
      await expect(call).rejects.toMatchObject(unsupported);
    }
  });
});

describe("list", () => {
  it.each([
    [0, 1],
    [-5, 1],
    [1.9, 1],
    [2, 2],
    [Infinity, 3],
  ])("with a limit of %d answers %d of three", async (limit, length) => {
    for (let device = 0; device < 3; device += 1) await signedIn("ann");
    expect((await sessions.forUser("ann").list({ limit })).sessions).toHaveLength(length);
  });

  it("asks the store for 100, and for a thousand at most", async () => {
    const limits: number[] = [];
    const counting = new (class extends MemoryStore {
      override listByUser(...[user, page]: Parameters<MemoryStore["listByUser"]>) {
        limits.push(page.limit);
        return super.listByUser(user, page);
      }
    })();
    start({}, counting);
    for (const limit of [undefined, 5000]) {
      await sessions.forUser("ann").list(limit === undefined ? {} : { limit });
    }
    await sessions.forUser("ann").list();
    expect(limits).toEqual([100, 1000, 100]);
  });
});

describe("generation", () => {
  it("refuses a sign-in that began before the user's sessions were revoked", async () => {
    const since = await sessions.generation(42);
    await sessions.forUser(42).revokeAll();
    const { session } = await new Browser(sessions).start();
    await expect(session.login(42, { since })).rejects.toMatchObject({ code: "ERR_SESSION_REJECTED" });
    await expect(session.login(42, { since: await sessions.generation("42") })).resolves.toBeUndefined();
  });
});

describe("ping", () => {
  it("resolves where the store serves, or has nothing to be asked, and says where it does not", async () => {
    await expect(sessions.ping()).resolves.toBeUndefined();
    start({}, Object.assign(new MemoryStore(), { ping: () => undefined }));
    await expect(sessions.ping()).resolves.toBeUndefined();
    expect(store.takeCalls()).toEqual(["ping"]);
    store.fail("ping");
    await expect(sessions.ping()).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
  });
});

describe("expired records", () => {
  class Swept extends MemoryStore {
    left = 0;
    batches: number[] = [];
    override sweep(now: number, limit: number): number {
      this.batches.push(limit);
      const removed = Math.min(this.left, limit);
      this.left -= removed;
      return removed + super.sweep(now, limit - removed);
    }
  }
  let swept: Swept;

  function open(options: Partial<SessionOptions> = {}): Browser {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    swept = new Swept();
    start(options, swept);
    return new Browser(sessions);
  }

  it("are removed by gc() as often as there is a batch of them, and counted", async () => {
    open();
    swept.left = 120;
    expect(await sessions.gc()).toBe(120);
    expect(swept.batches).toEqual([50, 50, 50]);
  });

  it("are removed once a minute from the first record on, by one timer", async () => {
    const browser = open();
    expect(vi.getTimerCount()).toBe(0);
    await browser.visit((session) => session.set("n", 1));
    await new Browser(sessions).visit((session) => session.set("n", 1));
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(swept.batches).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(swept.batches).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(swept.batches).toHaveLength(2);
    await sessions.close();
    expect(vi.getTimerCount()).toBe(0);
    await new Browser(sessions).visit((session) => session.set("n", 1));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are removed every sweepInterval, and not at all by themselves with 0", async () => {
    const browser = open({ sweepInterval: 5 });
    await browser.visit((session) => session.set("n", 1));
    await vi.advanceTimersByTimeAsync(5000);
    expect(swept.batches).toHaveLength(1);
    await open({ sweepInterval: 0 }).visit((session) => session.set("n", 1));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(swept.batches).toHaveLength(0);
  });

  it("have no timer on a store that removes them itself", async () => {
    open();
    const inner = new MemoryStore() as SessionStore;
    Object.defineProperty(inner, "sweep", { value: undefined });
    start({}, inner);
    await new Browser(sessions).visit((session) => session.set("n", 1));
    expect(vi.getTimerCount()).toBe(0);
    expect(await sessions.gc()).toBe(0);
  });

  it("that cannot be removed are tried again, with a warning, and one sweep is under way at a time", async () => {
    const browser = open();
    await browser.visit((session) => session.set("n", 1));
    store.fail("sweep");
    store.takeCalls();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(logged).toEqual([expect.stringContaining("sweeping expired sessions failed; it is tried again")]);
    const held = store.hold("sweep");
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.takeCalls()).toEqual(["sweep", "sweep"]);
    held.release();
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(60_000);
      expect(store.takeCalls()).toEqual(["sweep"]);
    });
  });
});

describe("close", () => {
  it("closes the store, where it can be closed", async () => {
    await expect(sessions.close()).resolves.toBeUndefined();
    const close = vi.fn();
    start({}, Object.assign(new MemoryStore(), { close }));
    await sessions.close();
    expect(close).toHaveBeenCalledOnce();
  });
});
