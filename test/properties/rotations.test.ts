/**
 * Logins, logouts, revocations, sweeps and rotations that race with writers, over a store whose calls and answers
 * arrive in any order. The order comes from a number, so that a failure can be repeated.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPromise } from "../../src/core/awaitable.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import type { Key, StoredSession } from "../../src/core/session-record.ts";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser, Visit } from "../support/browser.ts";
import { Turns } from "../support/turns.ts";

const SEED = 20_261_123;
const MINUTE = 60_000;
/** A session that nobody uses ends after twelve hours. */
const HALF_A_DAY = 12 * 60 * MINUTE;

/** A memory store that knows which sessions it ever had, under which keys, until when, and which of them were ended. */
class WitnessStore extends MemoryStore {
  readonly handles = new Map<Key, string>();
  readonly ended = new Set<string>();
  /** Sessions whose deadline has passed once, by the visitors' clock. */
  readonly lapsed = new Set<string>();
  readonly #deadlines = new Map<string, number>();

  override create(...[record, options]: Parameters<MemoryStore["create"]>) {
    const answer = super.create(record, options);
    if (answer.ok) this.handles.set(record.key, record.handle);
    if (answer.ok) this.#deadlines.set(record.handle, record.expiresAt);
    return answer;
  }

  override commit(...[key, change]: Parameters<MemoryStore["commit"]>) {
    const answer = super.commit(key, change);
    if (answer.ok) this.#prolong(key, change.expiresAt);
    return answer;
  }

  override renew(...[key, use]: Parameters<MemoryStore["renew"]>) {
    const renewed = super.renew(key, use);
    if (renewed) this.#prolong(key, use.expiresAt);
    return renewed;
  }

  override rotate(...[oldKey, newKey, change, options]: Parameters<MemoryStore["rotate"]>) {
    const answer = super.rotate(oldKey, newKey, change, options);
    if (answer.ok) this.handles.set(newKey, this.handles.get(oldKey) as string);
    if (answer.ok) this.#prolong(newKey, change.expiresAt);
    return answer;
  }

  override destroy(...[key, at]: Parameters<MemoryStore["destroy"]>) {
    const answer = super.destroy(key, at);
    if (answer) this.ended.add(this.handles.get(key) as string);
    return answer;
  }

  override revokeUser(...[userId, at]: Parameters<MemoryStore["revokeUser"]>) {
    const answer = super.revokeUser(userId, at);
    for (const key of answer.keys) this.ended.add(this.handles.get(key) as string);
    return answer;
  }

  #prolong(key: Key, expiresAt = 0): void {
    const handle = this.handles.get(key) as string;
    this.#deadlines.set(handle, Math.max(expiresAt, this.#deadlines.get(handle) as number));
  }

  /** Whoever has lapsed now has lapsed for good. */
  lapse(now: number): void {
    for (const [handle, deadline] of this.#deadlines) if (deadline <= now) this.lapsed.add(handle);
  }

  live(now: number): StoredSession[] {
    return [...this.handles.keys()].flatMap((key) => {
      const found = super.load(key, now);
      return found?.kind === "session" && found.expiresAt > now ? [found] : [];
    });
  }
}

type Act = "read" | "increment" | "save" | "login" | "regenerate" | "logout" | "revoke" | "sweep" | "minute" | "idle";

/** A browser with a session that is due for a new id, and everything that happens to it. */
class World {
  readonly clock = new ManualClock();
  readonly store = new WitnessStore();
  readonly turns: Turns;
  readonly sessions: Sessions;
  readonly browser: Browser;
  /** Increments that a request was told of as saved, by the session they went to. */
  readonly saved = new Map<string, number>();
  /** Cookies that were sent. */
  readonly sent = new Set<string>();
  /** Sessions whose cookie a response expired. */
  readonly expired = new Set<string>();

  constructor(order: number) {
    this.turns = new Turns(order);
    const store = new HostileStore(this.store, { turn: this.turns.next });
    this.sessions = createSessions({
      secretKey: "a secret of more than thirty-two bytes",
      store,
      now: this.clock.now,
      logLevel: "silent",
      rotateEvery: 60,
    });
    this.browser = new Browser(this.sessions);
  }

  /** All of it at once, after a first visit. */
  async run(acts: readonly Act[]): Promise<void> {
    await this.turns.play([this.#request("save")]);
    this.clock.advance(MINUTE);
    await this.turns.play(acts.map((act) => this.#perform(act)));
  }

  /** One more visit, which nothing disturbs. */
  async look(cookie: string | undefined): Promise<Visit> {
    const visit = new Visit(this.sessions, cookie);
    await this.turns.play([Promise.resolve(visit.exchange.prepare())]);
    return visit;
  }

  async #perform(act: Act): Promise<void> {
    if (act !== "revoke" && act !== "sweep" && act !== "minute" && act !== "idle") return this.#request(act);
    await this.turns.next();
    if (act === "minute" || act === "idle") this.#wait(act === "idle" ? HALF_A_DAY : MINUTE);
    else if (act === "sweep") await this.sessions.gc();
    else await this.sessions.forUser("ann").revokeAll();
  }

  #wait(milliseconds: number): void {
    this.clock.advance(milliseconds);
    this.store.lapse(this.clock.now());
  }

  async #request(act: Act): Promise<void> {
    await this.turns.next();
    const visit = await this.browser.start();
    await this.turns.next();
    const { state } = visit.exchange;
    const { handle } = state;
    let done = false;
    try {
      done = await this.#handle(visit, act);
    } catch (error) {
      if (!(error instanceof FastSessionError) || error.status !== 409) throw error;
    }
    const ended = visit.exchange.commit();
    if (isPromise(ended)) await ended;
    if (act === "increment" && done && state.saved) this.#count(state.handle);
    const lines = await visit.end();
    this.browser.keep(lines);
    for (const line of lines) {
      const [cookie] = line.split(";", 1) as [string];
      if (!cookie.endsWith("=")) this.sent.add(cookie);
      // Without one it came with the cookie of a session that had been ended.
      else if (handle !== "") this.expired.add(handle);
    }
  }

  /** Whether it happened, as far as the handler can know. */
  async #handle({ session, exchange }: Visit, act: Act): Promise<boolean> {
    switch (act) {
      case "increment":
        session.increment("n");
        break;
      case "save":
        session.increment("n");
        await session.saveSession();
        this.#count(exchange.state.handle);
        break;
      case "login":
        await session.login("ann", { since: await this.sessions.generation("ann") });
        break;
      case "regenerate":
        if (session.info.isSaved) await session.regenerate();
        break;
      case "logout":
        await session.logout();
        break;
      default:
        session.get("n");
    }
    return true;
  }

  #count(handle: string): void {
    this.saved.set(handle, (this.saved.get(handle) ?? 0) + 1);
  }
}

const order = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const acts = (...all: Act[]): fc.Arbitrary<Act[]> =>
  fc.array(fc.constantFrom(...all), { minLength: 2, maxLength: 7, size: "max" });

const textOf = (session: StoredSession): number => Number(session.fields["n"] ?? 0);

describe("in any order", () => {
  it("requests that use a session while its id changes share one session, and all reach it with what they are sent", async () => {
    await fc.assert(
      fc.asyncProperty(acts("read", "increment", "save", "sweep"), order, async (all, seed) => {
        const world = new World(seed);
        await world.run(all);
        const live = world.store.live(world.clock.now());
        expect(live).toHaveLength(1);
        const [session] = live as [StoredSession];
        const increments = all.filter((act) => act === "increment" || act === "save").length;
        expect(textOf(session)).toBe(1 + increments);
        for (const cookie of new Set([...world.sent, world.browser.cookie])) {
          const { state } = (await world.look(cookie)).exchange;
          expect([state.cause, state.handle]).toEqual(["resumed", session.handle]);
        }
      }),
      { seed: SEED, numRuns: 3500 },
    );
  }, 60_000);

  it("the browser keeps its session, also where the id changes twice and requests come late", async () => {
    const all = acts("read", "increment", "save", "sweep").map((list): Act[] => [...list, "minute"]);
    await fc.assert(
      fc.asyncProperty(all, order, async (list, seed) => {
        const world = new World(seed);
        await world.run(list);
        const live = world.store.live(world.clock.now());
        expect(live).toHaveLength(1);
        const [session] = live as [StoredSession];
        expect(world.saved).toEqual(new Map([[session.handle, textOf(session)]]));
        const { state } = (await world.look(world.browser.cookie)).exchange;
        expect([state.cause, state.handle]).toEqual(["resumed", session.handle]);
      }),
      { seed: SEED, numRuns: 1500 },
    );
  }, 60_000);

  it("a login is admitted, leaves every earlier id dead, and its own cookie reaches the session", async () => {
    const all = acts("read", "increment", "save", "sweep").map((list): Act[] => [...list, "login"]);
    await fc.assert(
      fc.asyncProperty(all, order, async (list, seed) => {
        const world = new World(seed);
        await world.run(list);
        const live = world.store.live(world.clock.now());
        expect(live.map(({ binding }) => binding?.userId)).toEqual(["ann"]);
        const reaching = [];
        for (const cookie of world.sent) {
          const { state } = (await world.look(cookie)).exchange;
          if (state.cause === "resumed") reaching.push(state.binding?.userId);
          else expect(state.cause).toBe("rotated");
        }
        expect(reaching).toEqual(["ann"]);
      }),
      { seed: SEED, numRuns: 1500 },
    );
  }, 60_000);

  it("no session is resurrected, doubled or lost by logins, logouts, revocations and sweeps", async () => {
    const all: Act[] = [
      "read",
      "increment",
      "save",
      "login",
      "regenerate",
      "logout",
      "revoke",
      "sweep",
      "minute",
      "idle",
    ];
    const every = acts(...all);
    await fc.assert(
      fc.asyncProperty(every, order, async (all, seed) => {
        const world = new World(seed);
        await world.run(all);
        const { store } = world;
        store.lapse(world.clock.now());
        const over = new Set([...store.ended, ...store.lapsed]);
        const handles = store.live(world.clock.now()).map(({ handle }) => handle);
        const begun = new Set(store.handles.values());
        // Each session that is not over is there once; one that somebody ended, or that lapsed, is not.
        expect(handles.toSorted()).toEqual([...begun].filter((handle) => !over.has(handle)).toSorted());
        for (const session of store.live(world.clock.now())) {
          expect(textOf(session)).toBe(world.saved.get(session.handle) ?? 0);
          if (session.binding !== null) expect(session.binding.generation).toBe(store.generation("ann"));
        }
        for (const handle of world.expired) expect(over).toContain(handle);
        const listed = store.listByUser("ann", { now: world.clock.now(), limit: 100 }).sessions;
        const bound = store.live(world.clock.now()).filter(({ binding }) => binding !== null);
        expect(listed.map(({ handle }) => handle).toSorted()).toEqual(bound.map(({ handle }) => handle).toSorted());
      }),
      { seed: SEED, numRuns: 10_000 },
    );
  }, 60_000);
});
