/** Cookies behind which there is no session, and stores that hand out what is over. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import type { SessionEvents } from "../../src/core/events.ts";
import { sealSuccessor } from "../../src/core/sealed-id.ts";
import { newId, shortHash } from "../../src/core/session-id.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

let clock: ManualClock;
let memory: MemoryStore;
let store: HostileStore;
let sessions: Sessions;
let browser: Browser;
let refused: SessionEvents["refused"][];
let logged: string[];

function start(options: Partial<SessionOptions> = {}): void {
  clock = new ManualClock();
  memory = new MemoryStore();
  store = new HostileStore(memory);
  logged = [];
  const write = (message: string): void => void logged.push(message);
  const logger = { debug: write, info: write, warn: write, error: write };
  sessions = createSessions({ secretKey, store, now: clock.now, logger, ...options });
  browser = new Browser(sessions);
  refused = [];
  sessions.on("refused", (event) => void refused.push(event));
}

const cause = async (): Promise<unknown> => (await browser.visit((session) => session.info.cause)).result;

beforeEach(() => start());

describe("a cookie that names no session is told once a request, with the reason:", () => {
  it("none for a visitor without one", async () => {
    expect([await cause(), refused]).toEqual(["none", []]);
  });

  it("a forged or malformed one", async () => {
    browser.cookie = "sid=garbage";
    const reason = await cause();
    expect(reason).not.toBe("none");
    expect(refused).toEqual([{ cause: reason }]);
  });

  it("one of a session that expired, was ended, or is not known", async () => {
    await browser.visit((session) => session.set("n", 1));
    const other = new Browser(sessions, browser.cookie);
    await browser.visit((session) => session.logout());
    browser.cookie = other.cookie;
    expect(await cause()).toBe("revoked");
    clock.advance(61_000);
    expect(await cause()).toBe("unknown");
    browser.cookie = undefined;
    await browser.visit((session) => session.set("n", 1));
    clock.advance(12 * 3_600_000);
    expect(await cause()).toBe("expired-idle");
    expect(refused.map((event) => event.cause)).toEqual(["revoked", "unknown", "expired-idle"]);
  });

  it("one of a login that lasted as long as it had asked for", async () => {
    await browser.visit((session) => session.login("ann", { maxAge: 3600 }));
    clock.advance(3_600_000);
    expect(await cause()).toBe("expired-absolute");
    start({ maxAge: 3600, absoluteTimeout: 7200 });
    await browser.visit((session) => session.login("ann", { maxAge: 7200 }));
    clock.advance(7_200_000);
    expect(await cause()).toBe("expired-absolute");
  });
});

describe("a store that still hands out what is over", () => {
  it("is not believed: at its end a tombstone is forgotten, and an alias leads nowhere", async () => {
    await browser.visit((session) => session.set("n", 1));
    const { result: id } = await browser.visit((session) => session.getSessionId());
    const next = newId();
    const sealedId = sealSuccessor(id, { id: next, until: clock.now() + 1000 });
    const found = { tombstone: { reason: "revoked" }, alias: { to: next, sealedId } };
    for (const [kind, rest] of Object.entries(found)) {
      const read = async (left: number): Promise<unknown> => {
        store.alter("load", () => ({ kind, ...rest, expiresAt: clock.now() + left }));
        return cause();
      };
      expect(await read(0)).toBe("unknown");
      expect(await read(1)).toBe(kind === "alias" ? "rotated" : "revoked");
    }
  });

  it("tells of reuse with no handle where the session behind the alias is over, too", async () => {
    start({ rotateEvery: 900 });
    const reused: SessionEvents["reuse"][] = [];
    sessions.on("reuse", (event) => void reused.push(event));
    for (const end of ["ended", "expired"]) {
      browser.cookie = undefined;
      await browser.visit((session) => session.login("ann"));
      const { result: id } = await browser.visit((session) => session.getSessionId());
      const thief = new Browser(sessions, browser.cookie);
      const next = newId();
      const alias = { kind: "alias", to: next, sealedId: sealSuccessor(id, { id: next, until: clock.now() }) };
      const record = memory.load(id, clock.now());
      let loads = 0;
      store.alter("load", () => {
        if (loads++ === 0) return { ...alias, expiresAt: clock.now() + 1000 };
        return end === "ended" ? null : { ...record, expiresAt: clock.now() };
      });
      expect((await thief.visit((session) => session.info.cause)).result).toBe("rotated");
      store.heal();
      expect(reused.pop()).toEqual({ session: shortHash(next), handle: null, userId: null });
    }
  });
});

it("a field that cannot be read is logged and told with the session's short hash, and no value", async () => {
  await browser.visit((session) => session.set("n", 1));
  const { result: id } = await browser.visit((session) => session.getSessionId());
  memory.commit(id, { operation: "a test's", now: clock.now(), set: { n: "{broken" } });
  const corrupt: unknown[] = [];
  sessions.on("corrupt", (event) => void corrupt.push(event));
  await browser.visit((session) => session.get("n"));
  expect(corrupt).toEqual([{ session: shortHash(id), field: "n" }]);
  expect(logged.filter((line) => line.includes("cannot be read"))).toEqual([
    `[fastsession] session ${shortHash(id)}: field "n" cannot be read; the session is ended`,
  ]);
});

it("with saveUninitialized a visitor's session is new already, and one whose cookie was refused says why", async () => {
  start({ saveUninitialized: true });
  expect(await cause()).toBe("new");
  clock.advance(12 * 3_600_000);
  expect(await cause()).toBe("expired-idle");
});

it("changes after the headers go together in one commit a turn", async () => {
  await browser.visit((session) => session.set("n", 1));
  const { session } = (await browser.visit((one) => one.get("n"))).visit;
  store.takeCalls();
  for (let turn = 0; turn < 2; turn += 1) {
    session["n"] = turn * 10;
    session["m"] = turn * 10;
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.takeCalls()).toEqual(["commit"]);
  }
});
