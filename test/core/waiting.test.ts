import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

/** What a request does while a store that answers by promises has not answered yet. */
let store: HostileStore;
let sessions: Sessions;
let browser: Browser;

function start(options: Partial<SessionOptions> = {}): void {
  store = new HostileStore(new MemoryStore(), { local: false });
  const secretKey = "a secret of more than thirty-two bytes";
  sessions = createSessions({ secretKey, store, logLevel: "silent", ...options });
  browser = new Browser(sessions);
}

beforeEach(() => start());

async function stored(): Promise<unknown> {
  return (await browser.visit((session) => ({ ...session }))).result;
}

describe("while the response's commit is under way", () => {
  it.each(["a new", "a saved"])("changes of %s session are saved after it", async (kind) => {
    if (kind === "a saved") await browser.visit((session) => void (session["n"] = 1));
    const visit = await browser.start();
    visit.session["n"] = 2;
    const ending = visit.end();
    visit.session["m"] = 3;
    browser.keep(await ending);
    await expect.poll(stored).toEqual({ n: 2, m: 3 });
  });

  it("the id does not change any more", async () => {
    await browser.visit((session) => void (session["n"] = 1));
    const visit = await browser.start();
    visit.session["n"] = 2;
    const ending = visit.end();
    for (const change of [visit.session.regenerate(), visit.session.login("ann")]) {
      await expect(change).rejects.toMatchObject({ code: "ERR_SESSION_HEADERS_SENT" });
    }
    browser.keep(await ending);
    expect(await stored()).toEqual({ n: 2 });
  });
});

describe("while the session is read", () => {
  beforeEach(() => start({ load: "lazy" }));

  it("who reads it, too, waits for the same call and replaces nothing", async () => {
    await browser.visit(async (session) => {
      await session.load();
      session["n"] = 1;
    });
    store.takeCalls();
    const { result } = await browser.visit(async (session) => {
      const first = session.load().then(() => void (session["n"] = 2));
      await session.load();
      await first;
      return [session["n"] as unknown, store.takeCalls()];
    });
    expect(result).toEqual([2, ["load"]]);
  });

  it("a failure reaches all who wait, and the next one reads again", async () => {
    await browser.visit(async (session) => {
      await session.load();
      session["n"] = 1;
    });
    await browser.visit(async (session) => {
      store.fail("load");
      const loads = await Promise.allSettled([session.load(), session.load()]);
      expect(loads.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      store.heal();
      await session.load();
      expect(session["n"]).toBe(1);
    });
  });
});

it("a reload waits for a login under way", async () => {
  await browser.visit((session) => void (session["n"] = 1));
  const { result } = await browser.visit(async (session) => {
    const login = session.login("ann");
    await session.reload();
    await login;
    return [session["n"] as unknown, session.info.userId];
  });
  expect(result).toEqual([1, "ann"]);
  expect((await browser.visit((session) => session.info.userId)).result).toBe("ann");
});

it("a logout says so when the store failed and the session goes on", async () => {
  start({ onStoreError: "anonymous" });
  await browser.visit((session) => session.login("ann"));
  store.fail("load");
  const { lines } = await browser.visit(async (session) => {
    await expect(session.logout()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    await expect(session.destroy()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  });
  expect(lines).toEqual([]);
});

it("what a response could not save is not brought in by a later change", async () => {
  await browser.visit((session) => void (session["n"] = 1));
  const visit = await browser.start();
  visit.session["n"] = 2;
  store.fail("commit");
  await expect(visit.end()).rejects.toMatchObject({ code: "ERR_SESSION_STORE_UNKNOWN" });
  store.heal();
  visit.session["m"] = 3;
  await expect.poll(stored).toEqual({ n: 1, m: 3 });
});

it("a sweep is waited for no longer than any other call", async () => {
  start({ storeTimeout: 0.01 });
  store.hang("sweep");
  await expect(sessions.gc()).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
});
