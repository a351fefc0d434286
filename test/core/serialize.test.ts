import { beforeEach, describe, expect, it, vi } from "vitest";
import { serialize } from "../../src/core/serialize.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { RemoteStore } from "../stores/broken-remote-stores.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const LOCKED = { code: "ERR_SESSION_LOCKED", status: 409 };

describe.each(["local", "remote"])("a session for one request alone, on a %s store", (kind) => {
  let clock: ManualClock;
  let store: HostileStore;
  let sessions: Sessions;
  let browser: Browser;

  function start(options: Partial<SessionOptions> = {}): void {
    clock = new ManualClock();
    store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent", ...options });
    browser = new Browser(sessions);
  }

  beforeEach(async () => {
    start();
    await browser.visit((session) => void (session["n"] = 0));
  });

  async function stored(): Promise<unknown> {
    return (await browser.visit((session) => ({ ...session }))).result;
  }

  it("is what the one before left, for each who asks", async () => {
    const visits = await Promise.all(Array.from({ length: 20 }, () => browser.start()));
    await Promise.all(
      visits.map(async (visit) => {
        await serialize(visit.session);
        const { n } = visit.session;
        await Promise.resolve();
        visit.session["n"] = n + 1;
        await visit.end();
      }),
    );
    expect(await stored()).toEqual({ n: 20 });
  });

  it("leaves requests that do not ask as they are", async () => {
    const [alone, other] = [await browser.start(), await browser.start()];
    await serialize(alone.session);
    other.session.increment("n");
    await other.end();
    alone.session.increment("n");
    await alone.end();
    expect(await stored()).toEqual({ n: 2 });
  });

  it("is not to be had while another has it", async () => {
    const [first, second] = [await browser.start(), await browser.start()];
    await serialize(first.session);
    await expect(serialize(second.session, { wait: 0 })).rejects.toMatchObject(LOCKED);
    await first.end();
    await serialize(second.session, { wait: 0 });
    await second.end();
  });

  it("is given free also when the handler threw, or when its save failed", async () => {
    const thrown = await browser.start();
    await serialize(thrown.session);
    thrown.abandon();
    await thrown.end();
    const failing = await browser.start();
    await serialize(failing.session, { wait: 1 });
    failing.session["n"] = 1;
    store.fail("commit");
    await expect(failing.end()).rejects.toThrow("store");
    store.heal();
    const next = await browser.start();
    await serialize(next.session, { wait: 1 });
    await next.end();
  });

  it("is given free by what serialize returns, for code without a response", async () => {
    const headers = { cookie: browser.cookie ?? "" };
    const socket = await sessions.open({ headers });
    const release = await serialize(socket);
    const { session } = await browser.start();
    await expect(serialize(session, { wait: 0 })).rejects.toMatchObject(LOCKED);
    await release();
    await release();
    await serialize(session, { wait: 0 });
  });

  it("is this request's already when it asks twice", async () => {
    const { session } = await browser.start();
    await serialize(session);
    store.takeCalls();
    await serialize(session, { wait: 0 });
    expect(store.takeCalls()).toEqual([]);
  });

  it("is kept for as many seconds as lease says", async () => {
    const [slow, other] = [await browser.start(), await browser.start()];
    await serialize(slow.session, { lease: 2 });
    clock.advance(1999);
    await expect(serialize(other.session, { wait: 0 })).rejects.toMatchObject(LOCKED);
    clock.advance(1);
    await serialize(other.session, { wait: 0 });
  });

  it("that cannot be given free fails no response, and the log says when it is free again", async () => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    start({ logger: { debug: write, info: write, warn: write, error: write }, logLevel: "info" });
    await browser.visit((session) => void (session["n"] = 0));
    const releases: (() => unknown)[] = [
      () => {
        throw new Error("connection refused");
      },
      async () => Promise.reject(new Error("connection refused")),
    ];
    for (const release of releases) {
      store.alter("lock", () => ({ fence: 1, release }));
      const visit = await browser.start();
      await serialize(visit.session);
      expect(await visit.end()).toEqual([]);
    }
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    expect(lines[0]).toContain("it is when its lease ends");
  });

  it("refuses what comes after the lease, when another has had it since", async () => {
    const [slow, quick] = [await browser.start(), await browser.start()];
    await serialize(slow.session, { lease: 1 });
    clock.advance(1000);
    await serialize(quick.session, { lease: 1 });
    quick.session["n"] = "quick";
    await quick.end();
    slow.session.update("n", () => "slow");
    slow.session["lost"] = 1;
    await expect(slow.session.saveSession()).rejects.toMatchObject(LOCKED);
    await expect(slow.session.regenerate()).rejects.toMatchObject(LOCKED);
    await expect(slow.end()).rejects.toMatchObject(LOCKED);
    expect(await stored()).toEqual({ n: "quick" });
  });

  it("takes what comes after the lease while nobody else has had it", async () => {
    const visit = await browser.start();
    await serialize(visit.session, { lease: 1 });
    clock.advance(5000);
    visit.session["n"] = 1;
    await visit.end();
    expect(await stored()).toEqual({ n: 1 });
  });

  it("stays this request's through a login", async () => {
    const { result } = await browser.visit(async (session) => {
      await serialize(session);
      await session.login("ann");
      session["n"] = 5;
      return session.info.userId;
    });
    expect([result, await stored()]).toEqual(["ann", { n: 5 }]);
  });

  it("is asked for before it is changed", async () => {
    const { session } = await browser.start();
    session["n"] = 7;
    await expect(serialize(session)).rejects.toThrow(TypeError);
    expect(store.calls).not.toContain("lock");
  });

  it("is this request's already when it is new", async () => {
    await new Browser(sessions).visit(async (session) => {
      await serialize(session);
      session["n"] = 1;
    });
    expect(store.takeCalls()).not.toContain("lock");
  });

  it("that ended while it was waited for says so, and keeps nobody out", async () => {
    const [late, other] = [await browser.start(), await browser.start()];
    late.session.has("n");
    await other.session.logout();
    await expect(serialize(late.session)).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
  });
});

it("that a store gives too late is given back at once", async () => {
  const clock = new ManualClock();
  const store = new HostileStore(new MemoryStore(), { local: false });
  const sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent", storeTimeout: 0.03 });
  const browser = new Browser(sessions);
  await browser.visit((session) => void (session["n"] = 0));
  const visit = await browser.start();
  const held = store.hold("lock");
  await expect(serialize(visit.session, { wait: 0 })).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
  held.release();
  await visit.end();
  // Long before the lease would end.
  const next = await browser.start();
  await vi.waitFor(() => serialize(next.session, { wait: 0 }), { timeout: 2000 });
  await next.end();
});

it("needs a store that has locks, and says so", async () => {
  const browser = new Browser(createSessions({ secretKey, store: new RemoteStore(), logLevel: "silent" }));
  await browser.visit((session) => void (session["n"] = 1));
  const { session } = await browser.start();
  await expect(serialize(session)).rejects.toMatchObject({ code: "ERR_SESSION_UNSUPPORTED" });
});

it("needs a lock that the store also declares, and one that is there where it declares it", async () => {
  for (const broken of [{ capabilities: { ...new MemoryStore().capabilities, lock: false } }, { lock: undefined }]) {
    const store = Object.assign(new MemoryStore(), broken) as unknown as MemoryStore;
    const browser = new Browser(createSessions({ secretKey, store, logLevel: "silent" }));
    await browser.visit((session) => void (session["n"] = 1));
    const { session } = await browser.start();
    await expect(serialize(session)).rejects.toMatchObject({ code: "ERR_SESSION_UNSUPPORTED" });
  }
});

it.each([{ wait: 86_400 }, { lease: 86_400 }, { wait: 0, lease: 0.001 }])("takes %j", async (options) => {
  const { session } = await new Browser(createSessions({ secretKey, logLevel: "silent" })).start();
  await expect(serialize(session, options)).resolves.toBeTypeOf("function");
});

it.each([{ wait: -1 }, { wait: Number.NaN }, { wait: 86_401 }, { lease: 0 }, { lease: 86_401 }, { lease: Infinity }])(
  "refuses %j",
  async (options) => {
    const { session } = await new Browser(createSessions({ secretKey, logLevel: "silent" })).start();
    await expect(serialize(session, options)).rejects.toThrow(TypeError);
  },
);
