/**
 * Whole lives of sessions against a model: people with browsers, old cookies, a clock that jumps, a store that fails at
 * times. One thing after another; what happens at once is in the files beside this one. The sentences that are checked
 * are in docs/invariants.md.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FastSessionError } from "../../src/core/errors.ts";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const SEED = 20_261_124;
const IDLE = 600_000;
/** Two waits just short of the idle limit end exactly there. */
const ABSOLUTE = 2 * (IDLE - 1);
const SPACING = IDLE / 5;
const CAP = 2;
const PEOPLE = 2;

/** What a session should be. */
interface Life {
  readonly data: Map<string, number>;
  user: string | null;
  boundAt: number;
  createdAt: number;
  usedAt: number;
  ended: boolean;
}

const ACTS = ["read", "a", "b", "c", "increment", "remove", "clear"] as const;
type Step =
  | { type: "visit"; who: number; acts: (typeof ACTS)[number][] }
  | { type: "throws"; who: number }
  | { type: "login"; who: number; user: "ann" | "bob" }
  | { type: "logout" | "regenerate" | "others" | "failing" | "forged" | "close"; who: number }
  | { type: "old"; pick: number }
  | { type: "revoke"; user: "ann" | "bob" }
  | { type: "handle"; user: "ann" | "bob" }
  | { type: "sweep" }
  | { type: "wait"; milliseconds: number };

const who = fc.nat(PEOPLE - 1);
const user = fc.constantFrom("ann" as const, "bob" as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("visit" as const),
      who,
      acts: fc.array(fc.constantFrom(...ACTS), { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("throws" as const), who }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("login" as const), who, user }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom("logout" as const, "regenerate", "others", "failing", "forged", "close"),
      who,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("old" as const), pick: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("revoke", "handle"), user }) },
  { weight: 1, arbitrary: fc.constant({ type: "sweep" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      milliseconds: fc.constantFrom(1, 60_000, SPACING - 1, SPACING, IDLE - 1, IDLE - 1, IDLE - 1, IDLE),
    }),
  },
);

class World {
  readonly clock = new ManualClock();
  readonly store: HostileStore;
  readonly sessions: Sessions;
  readonly browsers: Browser[];
  /** What each browser should be in. */
  readonly lives: (Life | null)[] = Array.from({ length: PEOPLE }, () => null);
  readonly all = new Set<Life>();
  /** Cookies that a session had once, or whose session ended. */
  readonly old: string[] = [];

  constructor(local: boolean) {
    this.store = new HostileStore(new MemoryStore(), { local });
    this.sessions = createSessions({
      secretKey: "a secret of more than thirty-two bytes",
      store: this.store,
      now: this.clock.now,
      logLevel: "silent",
      idleTimeout: IDLE / 1000,
      absoluteTimeout: ABSOLUTE / 1000,
      maxSessionsPerUser: { max: CAP, policy: "evict-oldest" },
    });
    this.browsers = Array.from({ length: PEOPLE }, () => new Browser(this.sessions));
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const one of steps) {
      await this.#perform(one);
      await this.#checkLists();
    }
    for (const cookie of this.old) await this.#expectNobody(cookie);
  }

  async #perform(one: Step): Promise<void> {
    switch (one.type) {
      case "visit":
        return this.#visit(one.who, one.acts);
      case "throws":
        return this.#throws(one.who);
      case "login":
        return this.#login(one.who, one.user);
      case "logout":
        return this.#logout(one.who);
      case "regenerate":
        return this.#regenerate(one.who);
      case "others":
        return this.#others(one.who);
      case "failing":
        return this.#failing(one.who);
      case "forged":
        return this.#forged(one.who);
      case "close":
        return this.#close(one.who);
      case "old": {
        const cookie = this.old[one.pick % Math.max(1, this.old.length)];
        return cookie === undefined ? undefined : this.#expectNobody(cookie);
      }
      case "revoke":
        await this.sessions.forUser(one.user).revokeAll();
        return this.#end((life) => life.user === one.user);
      case "handle": {
        const [first] = (await this.sessions.forUser(one.user).list()).sessions;
        if (first === undefined) return undefined;
        expect(await this.sessions.revoke(first.handle)).toBe(true);
        const oldest = this.#livesOf(one.user)[0];
        return this.#end((life) => life === oldest);
      }
      case "sweep":
        await this.sessions.gc();
        return undefined;
      case "wait":
        this.clock.advance(one.milliseconds);
    }
  }

  /** The session of that browser, if it is alive. */
  #lifeOf(index: number): Life | null {
    const life = this.lives[index] ?? null;
    return life !== null && this.#isLive(life) ? life : null;
  }

  #isLive(life: Life): boolean {
    return !life.ended && this.clock.now() < Math.min(life.createdAt + ABSOLUTE, life.usedAt + IDLE);
  }

  #livesOf(name: string): Life[] {
    return [...this.all]
      .filter((life) => life.user === name && this.#isLive(life))
      .toSorted((a, b) => a.boundAt - b.boundAt);
  }

  #used(life: Life): void {
    if (this.clock.now() - life.usedAt >= SPACING) life.usedAt = this.clock.now();
  }

  #begin(index: number): Life {
    const now = this.clock.now();
    const life: Life = { data: new Map(), user: null, boundAt: 0, createdAt: now, usedAt: now, ended: false };
    this.all.add(life);
    this.lives[index] = life;
    return life;
  }

  /** Whoever is in a session that ended is told so, and a cookie of his is an old one from now on. */
  #end(which: (life: Life) => boolean): void {
    for (const life of this.all) if (which(life)) life.ended = true;
  }

  /** A browser whose session was ended from elsewhere can write again when that is forgotten, or by signing in. */
  #isRefused(cause: string): boolean {
    return cause === "revoked" || cause === "rotated";
  }

  async #visit(index: number, acts: readonly string[]): Promise<void> {
    const browser = this.browsers[index] as Browser;
    const before = browser.cookie;
    const life = this.#lifeOf(index);
    const next = new Map(life?.data);
    const { result, lines } = await browser.visit((session) => {
      const seen = { ...session.getSession() };
      const { cause, userId } = session.info;
      if (!this.#isRefused(cause)) {
        for (const act of acts) {
          if (act === "increment") next.set("n", session.increment("n"));
          else if (act === "remove") void (session.delete("a"), next.delete("a"));
          else if (act === "clear") void (session.clearSession(), next.clear());
          else if (act !== "read") void (session.set(act, this.clock.now()), next.set(act, this.clock.now()));
        }
      }
      return { seen, cause, userId };
    });
    expect(result.seen).toEqual(Object.fromEntries(life?.data ?? []));
    expect(result.userId).toBe(life?.user ?? null);
    expect(result.cause === "resumed").toBe(life !== null);
    if (life !== null) {
      this.#used(life);
      expect(lines).toEqual([]);
      life.data.clear();
      for (const [name, value] of next) life.data.set(name, value);
      return;
    }
    expect(lines).toHaveLength(next.size > 0 ? 1 : 0);
    if (next.size === 0) return;
    if (before !== undefined) this.old.push(before);
    const made = this.#begin(index);
    for (const [name, value] of next) made.data.set(name, value);
  }

  /** What a failed handler recorded is not there. */
  async #throws(index: number): Promise<void> {
    const browser = this.browsers[index] as Browser;
    const life = this.#lifeOf(index);
    const visit = await browser.start();
    if (!this.#isRefused(visit.session.info.cause)) visit.session["lost"] = true;
    visit.abandon();
    expect(await visit.end()).toEqual([]);
    if (life !== null) this.#used(life);
  }

  async #login(index: number, name: string): Promise<void> {
    const browser = this.browsers[index] as Browser;
    const life = this.#lifeOf(index);
    if (life !== null && life.user !== null && life.user !== name) await this.#logout(index);
    const present = this.#lifeOf(index);
    const before = browser.cookie;
    const visit = await browser.start();
    // A tab that a rotation overtook has a newer cookie in its browser: nobody signs in there.
    if (visit.session.info.cause === "rotated") return void (await visit.end());
    await visit.session.login(name);
    const lines = await visit.end();
    expect(lines).toHaveLength(1);
    browser.keep(lines);
    if (before !== undefined) this.old.push(before);
    const bound = present ?? this.#begin(index);
    const now = this.clock.now();
    Object.assign(bound, { user: name, boundAt: now, createdAt: now, usedAt: now });
    // Bound last, also of those that were bound at the same instant.
    this.all.delete(bound);
    this.all.add(bound);
    for (const extra of this.#livesOf(name).slice(0, -CAP)) extra.ended = true;
  }

  async #logout(index: number): Promise<void> {
    const browser = this.browsers[index] as Browser;
    const life = this.#lifeOf(index);
    const before = browser.cookie;
    const { lines } = await browser.visit((session) => session.logout());
    if (life !== null) expect(lines).toHaveLength(1);
    if (before !== undefined && lines.length > 0) this.old.push(before);
    if (life !== null) life.ended = true;
    this.lives[index] = browser.cookie === undefined ? null : (this.lives[index] ?? null);
  }

  async #regenerate(index: number): Promise<void> {
    const browser = this.browsers[index] as Browser;
    const life = this.#lifeOf(index);
    if (life === null) return;
    const before = browser.cookie as string;
    const { lines } = await browser.visit((session) => session.regenerate());
    expect(lines).toHaveLength(1);
    expect(browser.cookie).not.toBe(before);
    this.old.push(before);
    life.usedAt = this.clock.now();
  }

  async #others(index: number): Promise<void> {
    const life = this.#lifeOf(index);
    if (life === null || life.user === null) return;
    const name = life.user;
    await (this.browsers[index] as Browser).visit((session) => this.sessions.forUser(name).revokeOthers(session));
    this.#used(life);
    this.#end((other) => other.user === name && other !== life);
  }

  /** A store that fails changes nothing: neither the session nor the cookie. */
  async #failing(index: number): Promise<void> {
    const browser = this.browsers[index] as Browser;
    const life = this.#lifeOf(index);
    const { cookie } = browser;
    for (const verb of ["load", "create", "commit", "renew"] as const) this.store.fail(verb);
    const failed = await browser
      .visit((session) => void session.set("a", -1))
      .then(() => null)
      .catch((error: unknown) => error);
    this.store.heal();
    expect(failed).toBeInstanceOf(FastSessionError);
    expect(browser.cookie).toBe(cookie);
    if (life !== null) await this.#visit(index, ["read"]);
  }

  async #forged(index: number): Promise<void> {
    const { cookie } = this.browsers[index] as Browser;
    if (cookie === undefined) return;
    this.store.takeCalls();
    const at = cookie.length - 10;
    await this.#expectNobody(`${cookie.slice(0, at)}${cookie[at] === "A" ? "B" : "A"}${cookie.slice(at + 1)}`);
    expect(this.store.takeCalls()).toEqual([]);
  }

  /** The browser forgets its cookie; the session lives on, and with it its place in the list. */
  async #close(index: number): Promise<void> {
    (this.browsers[index] as Browser).cookie = undefined;
    this.lives[index] = null;
    await Promise.resolve();
  }

  /** An old or forged cookie: nothing to see, nothing sent. */
  async #expectNobody(cookie: string): Promise<void> {
    const browser = new Browser(this.sessions, cookie);
    const { result, lines } = await browser.visit((session) => ({
      data: { ...session.getSession() },
      user: session.info.userId,
      cause: session.info.cause,
    }));
    expect(result.data).toEqual({});
    expect(result.user).toBeNull();
    expect(result.cause).not.toBe("resumed");
    expect(lines).toEqual([]);
  }

  async #checkLists(): Promise<void> {
    for (const name of ["ann", "bob"]) {
      const listed = (await this.sessions.forUser(name).list()).sessions;
      const lives = this.#livesOf(name);
      expect(listed.map(({ createdAt, lastUsedAt }) => [createdAt, lastUsedAt])).toEqual(
        lives.map(({ createdAt, usedAt }) => [createdAt, usedAt]),
      );
      expect(lives.length).toBeLessThanOrEqual(CAP);
    }
  }
}

describe.each([
  ["a local store", true],
  ["a store that answers by promises", false],
])("on %s", (_, local) => {
  it("every history of visits, logins, ends, waits and faults is the model's", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => new World(local).run(steps)),
      { seed: SEED, numRuns: local ? 400 : 150 },
    );
  }, 30_000);
});
