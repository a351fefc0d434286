/** Form tokens where ids change in use: a page that is open must not be refused for that. */
import { expect, test } from "vitest";
import { verifyCsrf } from "../../src/core/csrf-token.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const QUARTER = 900_000;

function start(options: Partial<SessionOptions> = {}): { clock: ManualClock; browser: Browser; store: HostileStore } {
  const clock = new ManualClock();
  const store = new HostileStore(new MemoryStore());
  const secretKey = "a secret of more than thirty-two bytes";
  const sessions = createSessions({
    secretKey,
    store,
    now: clock.now,
    logLevel: "silent",
    rotateEvery: 900,
    ...options,
  });
  return { clock, browser: new Browser(sessions), store };
}

const token = async (browser: Browser): Promise<string> =>
  (await browser.visit((session) => session.csrfToken())).result;
const holds = async (browser: Browser, text: string): Promise<boolean> =>
  (await browser.visit((session) => verifyCsrf(session, text))).result;

test("a token outlives the changes of the id that rotateEvery makes", async () => {
  const { clock, browser } = start();
  const first = await token(browser);
  expect(await holds(browser, first)).toBe(true);
  clock.advance(QUARTER);
  // Made in the very request whose response changes the id.
  const second = await token(browser);
  clock.advance(QUARTER);
  const cookie = browser.cookie;
  expect([await holds(browser, first), await holds(browser, second)]).toEqual([true, true]);
  expect(browser.cookie).not.toBe(cookie);
});

test("a login, a regenerate and a logout end it all the same", async () => {
  for (const end of ["login", "regenerate", "logout"] as const) {
    const { browser } = start();
    const before = await token(browser);
    const { result } = await browser.visit(async (session) => {
      await (end === "login" ? session.login("ann") : session[end]());
      return verifyCsrf(session, before);
    });
    expect([result, await holds(browser, before)]).toEqual([false, false]);
    const after = await token(browser);
    expect([await holds(browser, after), await holds(browser, before)]).toEqual([true, false]);
  }
});

test("it belongs to one session, and costs one write", async () => {
  const { browser, store } = start();
  await browser.visit((session) => void (session["n"] = 1));
  await token(browser);
  store.takeCalls();
  const text = await token(browser);
  expect(store.takeCalls()).toEqual(["load"]);
  const stranger = start().browser;
  await token(stranger);
  expect(await holds(stranger, text)).toBe(false);
  expect(await holds(start().browser, text)).toBe(false);
  expect((await browser.visit((session) => ({ ...session }))).result).toEqual({ n: 1 });
});

test("pages that ask for a session's first token at the same moment all get one that holds", async () => {
  for (const onConflict of ["overwrite", "reject"] as const) {
    const { browser } = start({ onConflict });
    await browser.visit((session) => void (session["n"] = 1));
    const visits = await Promise.all([browser.start(), browser.start(), browser.start()]);
    const tokens = visits.map(({ session }) => session.csrfToken());
    for (const visit of visits) await visit.end();
    for (const text of tokens) expect(await holds(browser, text)).toBe(true);
    expect(await holds(browser, await token(browser))).toBe(true);
  }
});

/** Signs in, or changes the id, in a request that had read the session before `before` happens in another one. */
async function changeMeanwhile(
  browser: Browser,
  change: "login" | "regenerate",
  before: () => Promise<void>,
): Promise<string> {
  const visit = await browser.start();
  visit.session.get("n");
  await before();
  await (change === "login" ? visit.session.login("ann") : visit.session.regenerate());
  const made = visit.session.csrfToken();
  browser.keep(await visit.end());
  return made;
}

test("a token that another request made while a login was under way ends with it, too", async () => {
  for (const local of [true, false]) {
    for (const change of ["login", "regenerate"] as const) {
      const { browser } = start({ store: new HostileStore(new MemoryStore(), { local }) });
      await browser.visit((session) => void (session["n"] = 1));
      const thief = await browser.start();
      let stolen = "";
      const made = await changeMeanwhile(browser, change, async () => {
        stolen = thief.session.csrfToken();
        await thief.end();
        expect(await holds(browser, stolen)).toBe(true);
      });
      expect([await holds(browser, stolen), await holds(browser, made)]).toEqual([false, true]);
    }
  }
});

test.each([true, false])("nor does it come back with what is repeated after a conflict (local: %s)", async (local) => {
  const { browser } = start({ store: new HostileStore(new MemoryStore(), { local }) });
  await browser.visit((session) => void (session["n"] = 1));
  let stolen = "";
  const visit = await browser.start();
  visit.session.increment("n");
  await browser.visit((session) => {
    stolen = session.csrfToken();
    session.increment("n");
  });
  await Promise.all([visit.session.login("ann"), visit.session.regenerate()]);
  const made = visit.session.csrfToken();
  browser.keep(await visit.end());
  expect((await browser.visit((session) => session.get("n"))).result).toBe(3);
  expect([await holds(browser, stolen), await holds(browser, made)]).toEqual([false, true]);
});

test("of many first tokens at the same moment the last eight hold, as the record does not grow", async () => {
  const { browser } = start();
  await browser.visit((session) => void (session["n"] = 1));
  const visits = await Promise.all(Array.from({ length: 12 }, () => browser.start()));
  const tokens = visits.map(({ session }) => session.csrfToken());
  for (const visit of visits) await visit.end();
  const { result } = await browser.visit((session) => tokens.map((text) => verifyCsrf(session, text)));
  expect(result).toEqual([...Array.from({ length: 4 }, () => false), ...Array.from({ length: 8 }, () => true)]);
});
