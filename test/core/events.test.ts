/** What `sessions.on` tells, and in which words the log says it. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import type { SessionEventName } from "../../src/core/events.ts";
import { shortHash } from "../../src/core/session-id.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const NAMES: readonly SessionEventName[] = [
  "created",
  "renewed",
  "rotated",
  "destroyed",
  "revoked",
  "overwritten",
  "conflict",
  "gone",
];
const HOUR = 3_600_000;

describe.each([
  ["local", true],
  ["remote", false],
])("on a %s store", (_, local) => {
  let clock: ManualClock;
  let store: HostileStore;
  let sessions: Sessions;
  let browser: Browser;
  let heard: [SessionEventName, unknown][];
  let logged: string[];

  function start(options: Partial<SessionOptions> = {}): void {
    clock = new ManualClock();
    store = new HostileStore(new MemoryStore(), { local });
    logged = [];
    const write = (level: string) => (message: string) => void logged.push(`${level} ${message}`);
    const logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
    const quiet = { secretKey, store, now: clock.now, logger, logLevel: "info" as const };
    sessions = createSessions({ ...quiet, ...options });
    browser = new Browser(sessions);
    heard = [];
    for (const name of NAMES) sessions.on(name, (event) => void heard.push([name, event]));
  }

  const secretKey = "a secret of more than thirty-two bytes";
  const hashOf = async (): Promise<string> =>
    shortHash((await browser.visit((session) => session.getSessionId())).result);

  beforeEach(() => start());

  it("a session's life is told under one name until its id changes", async () => {
    await browser.visit((session) => session.set("n", 1));
    const first = await hashOf();
    clock.advance(3 * HOUR);
    await browser.visit((session) => session.get("n"));
    await browser.visit((session) => session.get("n"));
    await browser.visit((session) => session.regenerate());
    const second = await hashOf();
    await browser.visit((session) => session.login("ann"));
    const third = await hashOf();
    await browser.visit((session) => session.logout());
    expect(heard).toEqual([
      ["created", { session: first }],
      ["renewed", { session: first }],
      ["rotated", { session: second, previous: first, userId: null }],
      ["rotated", { session: third, previous: second, userId: "ann" }],
      ["destroyed", { session: third }],
    ]);
  });

  it("a change that records a use is a renewal, too, and one soon after is none", async () => {
    await browser.visit((session) => session.set("n", 1));
    heard = [];
    clock.advance(HOUR);
    await browser.visit((session) => session.set("n", 2));
    expect(heard).toEqual([]);
    clock.advance(3 * HOUR);
    await browser.visit((session) => session.set("n", 3));
    expect(heard).toEqual([["renewed", { session: await hashOf() }]]);
  });

  it("operations that are applied again are a conflict, which overwrites nothing", async () => {
    await browser.visit((session) => session.set("n", 0));
    heard = [];
    const [one, two] = [await browser.start(), await browser.start()];
    for (const { session } of [one, two]) session.increment("n");
    await one.end();
    await two.end();
    expect(heard).toEqual([["conflict", { session: await hashOf(), fields: ["n"] }]]);
  });

  it("a field that was assigned beside an operation is told as overwritten where the store is at hand", async () => {
    await browser.visit((session) => Object.assign(session, { n: 0, theme: "dark" }));
    heard = [];
    const [one, two] = [await browser.start(), await browser.start()];
    for (const [index, { session }] of [one, two].entries()) {
      session.increment("n");
      session.set("theme", index);
    }
    await one.end();
    await two.end();
    const session = await hashOf();
    const told = [
      ["overwritten", { session, fields: ["theme"] }],
      ["conflict", { session, fields: ["n"] }],
    ];
    expect(heard).toEqual(local ? told : told.slice(1));
    expect((await browser.visit((last) => ({ ...last }))).result).toEqual({ n: 2, theme: 1 });
  });

  it("who writes to a session that ended is told once, by its name", async () => {
    await browser.visit((session) => session.set("n", 0));
    const session = await hashOf();
    const late = await browser.start();
    late.session.set("n", 1);
    await browser.visit((last) => last.logout());
    heard = [];
    await late.end();
    expect(heard).toEqual([["gone", { session }]]);
  });

  it("what a login evicts is told with its number, and a login that evicts nothing is silent", async () => {
    start({ maxSessionsPerUser: 1 });
    await browser.visit((session) => session.login("ann"));
    expect(heard.map(([name]) => name)).toEqual(["created"]);
    await new Browser(sessions).visit((session) => session.login("ann"));
    expect(heard.slice(1)).toEqual([
      ["created", expect.anything()],
      ["revoked", { count: 1, remote: false }],
    ]);
  });

  describe("with rotateEvery", () => {
    beforeEach(async () => {
      start({ rotateEvery: 900 });
      await browser.visit((session) => session.set("n", 1));
      clock.advance(900_000);
      heard = [];
    });

    it("a new id that could not be had is warned about, and nothing else", async () => {
      store.fail("rotate");
      await browser.visit((session) => session.get("n"));
      expect(logged).toEqual(["warn [fastsession] a session could not be given a new id; it keeps the one it has"]);
      store.heal();
      await browser.visit((session) => session.get("n"));
      expect(heard.map(([name]) => name)).toEqual(["rotated"]);
    });

    it("of readers at once one rotates, and the others have nothing to save or to warn about", async () => {
      const visits = [await browser.start(), await browser.start()];
      for (const { session } of visits) session.get("n");
      store.takeCalls();
      for (const visit of visits) expect(await visit.end()).toHaveLength(1);
      expect(store.takeCalls()).toEqual(["rotate", "rotate"]);
      expect([heard.map(([name]) => name), logged]).toEqual([["rotated"], []]);
    });

    it("a session that ended is told by who had something to save, and not by who only read", async () => {
      const [reader, writer] = [await browser.start(), await browser.start()];
      reader.session.get("n");
      writer.session.set("n", 2);
      await browser.visit((session) => session.logout());
      heard = [];
      expect(await reader.end()).toEqual([]);
      expect([heard, logged]).toEqual([[], []]);
      expect(await writer.end()).toEqual([]);
      expect(heard.map(([name]) => name)).toEqual(["gone"]);
    });
  });
});

describe("listeners", () => {
  const secretKey = "a secret of more than thirty-two bytes";

  it("hear nothing any more once they are taken off, and the others still do", async () => {
    const sessions = createSessions({ secretKey });
    const heard: string[] = [];
    const off = sessions.on("created", () => void heard.push("first"));
    sessions.on("created", () => void heard.push("second"));
    off();
    await new Browser(sessions).visit((session) => session.set("n", 1));
    expect(heard).toEqual(["second"]);
  });

  it("that throw break nothing, and are logged without what they threw", async () => {
    const errors: string[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => void errors.push(message) };
    const sessions = createSessions({ secretKey, logger });
    const heard: unknown[] = [];
    for (const thrown of [new RangeError("a token"), "a token"]) {
      sessions.on("created", () => {
        throw thrown as Error;
      });
    }
    sessions.on("created", (event) => void heard.push(event));
    const { lines } = await new Browser(sessions).visit((session) => session.set("n", 1));
    expect([lines.length, heard.length]).toEqual([1, 1]);
    expect(errors).toEqual([
      '[fastsession] a listener of "created" threw RangeError',
      '[fastsession] a listener of "created" threw string',
    ]);
  });
});
