import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";
const DAY = 86_400_000;
const GRACE = 60_000;
const EVERY = 900_000;

let clock: ManualClock;
let sessions: Sessions;
let reused: number;
let rotated: number;
let owner: Browser;

beforeEach(async () => {
  clock = new ManualClock();
  sessions = createSessions({ secretKey, now: clock.now, logLevel: "silent", sweepInterval: 0, rotateEvery: 900 });
  [reused, rotated] = [0, 0];
  sessions.on("reuse", () => (reused += 1));
  owner = new Browser(sessions);
  await owner.visit((session) => session.login("ann"));
  sessions.on("rotated", () => (rotated += 1));
});

const userOf = async (browser: Browser): Promise<string | null> =>
  (await browser.visit((session) => session.info.userId)).result;

/** What lets its bearer in now, tried with each of them by a browser of its own. */
async function alive(cookies: Iterable<string>): Promise<number> {
  let count = 0;
  for (const cookie of cookies) if ((await userOf(new Browser(sessions, cookie))) !== null) count += 1;
  return count;
}

describe("a copy of a cookie whose session gets new ids in use", () => {
  it("that is not used within rotationGrace of a rotation is dead, and is found out when it comes", async () => {
    const thief = new Browser(sessions, owner.cookie);
    clock.advance(EVERY);
    await userOf(owner);
    clock.advance(GRACE);
    expect([await userOf(thief), reused]).toEqual([null, 1]);
    expect(await userOf(owner)).toBe("ann");
  });

  it("that is used after each rotation is given each new id, is not found out, and lives as long as the session", async () => {
    const thief = new Browser(sessions, owner.cookie);
    const begin = clock.now();
    while (clock.now() < begin + 7 * DAY) {
      expect([await userOf(owner), await userOf(thief)]).toEqual(["ann", "ann"]);
      expect(thief.cookie).toBe(owner.cookie);
      clock.advance(EVERY / 3);
    }
    expect(rotated).toBeGreaterThan(600);
    expect([await userOf(thief), reused]).toEqual([null, 0]);
  });

  it.each<[string, (browser: Browser) => unknown]>([
    ["login", (browser) => browser.visit((session) => session.login("ann"))],
    ["regenerate", (browser) => browser.visit((session) => session.regenerate())],
    ["logout", (browser) => browser.visit((session) => session.logout())],
    ["a revocation", () => sessions.forUser("ann").revokeAll()],
  ])("ends with %s, also where it was given each new id until then", async (_, end) => {
    const thief = new Browser(sessions, owner.cookie);
    const copies = new Set([owner.cookie as string]);
    for (let round = 0; round < 3; round += 1) {
      clock.advance(EVERY);
      for (const browser of [owner, thief]) await userOf(browser);
      copies.add(thief.cookie as string);
    }
    expect(copies.size).toBe(4);
    await end(owner);
    expect(await alive(copies)).toBe(0);
  });
});
