import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser, type Visit } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";
const HOUR = 3_600_000;

function setUp(options: Partial<SessionOptions> = {}) {
  const clock = new ManualClock();
  const store = new HostileStore(new MemoryStore());
  return { clock, store, sessions: createSessions({ secretKey, store, now: clock.now, sweepInterval: 0, ...options }) };
}

describe("a user", () => {
  it("is bound by login alone, and every login changes the id, also of who is signed in", async () => {
    const { sessions } = setUp();
    const browser = new Browser(sessions);
    await browser.visit((session) => Object.assign(session, { userId: "eve", user: "eve", info2: "eve" }));
    expect((await browser.visit((session) => session.info.userId)).result).toBeNull();
    const cookies = new Set([browser.cookie]);
    for (const user of ["ann", "ann", "bob", "bob"]) {
      await browser.visit((session) => session.login(user));
      cookies.add(browser.cookie);
      expect((await browser.visit((session) => session.info.userId)).result).toBe(user);
    }
    expect(cookies.size).toBe(5);
  });

  it("can be asked for the password again after a time, which a login alone resets", async () => {
    const { sessions, clock } = setUp();
    const browser = new Browser(sessions);
    const fresh = async (): Promise<boolean> => (await browser.visit((session) => session.info.isFresh(300))).result;
    await browser.visit((session) => session.set("n", 1));
    expect(await fresh()).toBe(false);
    await browser.visit((session) => session.login("ann"));
    expect(await fresh()).toBe(true);
    clock.advance(300_000);
    expect(await fresh()).toBe(true);
    clock.advance(1);
    expect(await fresh()).toBe(false);
    await browser.visit((session) => session.touch());
    await browser.visit((session) => session.regenerate());
    expect(await fresh()).toBe(false);
    await browser.visit((session) => session.login("ann"));
    expect(await fresh()).toBe(true);
  });

  it("signed in by two tabs as two users gets one session of one user, whatever the order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const { sessions } = setUp();
        const browser = new Browser(sessions);
        await browser.visit((session) => session.set("visitor", true));
        const tab = async (user: string): Promise<string[]> => {
          const visit = await browser.start();
          visit.session.get("visitor");
          await scheduler.schedule(Promise.resolve());
          visit.session.set(`of ${user}`, user);
          try {
            await visit.session.login(user);
          } catch (error) {
            expect(error).toMatchObject({ code: "ERR_SESSION_GONE" });
          }
          await scheduler.schedule(Promise.resolve());
          return visit.end();
        };
        for (const lines of await scheduler.waitFor(Promise.all([tab("ann"), tab("bob")]))) {
          const other = new Browser(sessions);
          other.keep(lines);
          const { result } = await other.visit((session) => [session.info.userId, Object.keys(session)] as const);
          const [user, fields] = result;
          // A tab's cookie is of the user who signed in there, and nothing of the other is in its record.
          expect(fields.filter((field) => field.startsWith("of "))).toEqual(user === null ? [] : [`of ${user}`]);
        }
        const owners = await Promise.all(["ann", "bob"].map((user) => sessions.forUser(user).list()));
        expect(owners.flatMap((page) => page.sessions).length).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 100, seed: 20_261_123 },
    );
  });
});

describe("the cookie of a session that was destroyed", () => {
  it("is worth nothing in a thousand replays, before, during and after", async () => {
    const { sessions } = setUp();
    const browser = new Browser(sessions);
    await browser.visit((session) => session.login("ann"));
    const stolen = browser.cookie;
    const started: Visit[] = [];
    for (let replay = 0; replay < 300; replay++) started.push(await new Browser(sessions, stolen).start());
    for (const visit of started) visit.session.get("n");
    await browser.visit((session) => session.destroy());
    // Those that had read it before: what they write is lost, and they get no cookie.
    for (const visit of started) {
      visit.session.set("n", 1);
      expect(await visit.end()).toEqual([]);
    }
    for (let replay = 0; replay < 700; replay++) {
      const { result, lines } = await new Browser(sessions, stolen).visit((session) => session.info.userId);
      expect([result, lines]).toEqual([null, []]);
    }
    expect((await sessions.forUser("ann").list()).sessions).toEqual([]);
  });
});

describe("a request that is under way when its session expires", () => {
  it.each([true, false])(
    "drops what it recorded, without an error and without a cookie (local store: %s)",
    async (local) => {
      const store = new HostileStore(new MemoryStore(), { local });
      const { sessions, clock } = setUp({ store });
      const gone: unknown[] = [];
      sessions.on("gone", (event) => void gone.push(event));
      const browser = new Browser(sessions);
      await browser.visit((session) => session.set("n", 1));
      const visit = await browser.start();
      expect(visit.session.get("n")).toBe(1);
      clock.advance(12 * HOUR);
      visit.session.set("n", 2);
      expect(await visit.end()).toEqual([]);
      expect(gone).toHaveLength(1);
      expect((await browser.visit((session) => session.get("n"))).result).toBeUndefined();
    },
  );
});

describe("two servers whose clocks differ", () => {
  it.each([-5_000, 5_000, -HOUR, HOUR])("by %d ms end no session early, and let none live on", async (skew) => {
    const store = new MemoryStore();
    const clock = new ManualClock();
    const options: SessionOptions = { secretKey, store, sweepInterval: 0, idleTimeout: 7200, absoluteTimeout: 14_400 };
    const here = createSessions({ ...options, now: clock.now });
    const there = createSessions({ ...options, now: () => clock.now() + skew });
    const browser = new Browser(here);
    await browser.visit((session) => session.set("n", 1));
    const at = async (sessions: typeof here): Promise<unknown> => {
      const visitor = new Browser(sessions, browser.cookie);
      const { result, lines } = await visitor.visit((session) => session.get("n"));
      expect(lines).toEqual([]);
      return result;
    };
    for (let minute = 0; minute < 150; minute += 10) {
      expect([await at(there), await at(here)]).toEqual([1, 1]);
      clock.advance(10 * 60_000);
    }
    // Past the absolute limit by both clocks.
    clock.advance(14_400_000 + 2 * HOUR - 150 * 60_000);
    expect([await at(there), await at(here)]).toEqual([undefined, undefined]);
  });
});

describe("a field of a newer version of the application", () => {
  it("stays through everything that an older one does without knowing it", async () => {
    const store = new MemoryStore();
    const schema = {
      n: { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } },
    } as const;
    const older = createSessions({ secretKey, store, schema });
    const newer = createSessions<Record<string, unknown>>({ secretKey, store });
    const browser = new Browser(newer);
    await browser.visit((session) => session.set("publicKey", { kty: "EC", crv: "P-256" }));
    const old = new Browser(older, browser.cookie);
    await old.visit((session) => session.set("n", 1));
    await old.visit((session) => session.touch());
    await old.visit((session) => session.regenerate());
    await old.visit((session) => session.login("ann"));
    const again = new Browser(newer, old.cookie);
    expect((await again.visit((session) => session.get("publicKey"))).result).toEqual({ kty: "EC", crv: "P-256" });
  });
});

describe("the events of a session's life", () => {
  it("come once each, and a listener that throws breaks no request", async () => {
    const clock = new ManualClock();
    const sessions = createSessions({ secretKey, now: clock.now, sweepInterval: 0, logLevel: "silent" });
    const told: string[] = [];
    for (const name of ["created", "renewed", "rotated", "destroyed", "revoked", "refused", "gone"] as const) {
      sessions.on(name, () => {
        told.push(name);
        throw new Error("a listener's own trouble");
      });
    }
    const browser = new Browser(sessions);
    const step = async (handler: Parameters<typeof browser.visit>[0]): Promise<string[]> => {
      told.length = 0;
      await browser.visit(handler);
      return [...told];
    };
    expect(await step((session) => session.set("n", 1))).toEqual(["created"]);
    expect(await step((session) => session.get("n"))).toEqual([]);
    clock.advance(3 * HOUR);
    expect(await step((session) => session.get("n"))).toEqual(["renewed"]);
    expect(await step((session) => session.regenerate())).toEqual(["rotated"]);
    expect(await step((session) => session.login("ann"))).toEqual(["rotated"]);
    told.length = 0;
    await sessions.forUser("ann").revokeAll();
    expect(told).toEqual(["revoked"]);
    expect(await step((session) => session.get("n"))).toEqual(["refused"]);
    browser.cookie = undefined;
    expect(await step((session) => session.set("n", 1))).toEqual(["created"]);
    expect(await step((session) => session.destroy())).toEqual(["destroyed"]);
  });
});
