/** One call of a remote store: how long it is waited for, when it is made again, and what its failure is called. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import type { SessionEvents } from "../../src/core/events.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

let memory: MemoryStore;
let store: HostileStore;
let sessions: Sessions;
let browser: Browser;
let told: SessionEvents["store-error"][];

async function start(options: Partial<SessionOptions> = {}): Promise<void> {
  memory = new MemoryStore();
  store = new HostileStore(memory, { local: false });
  sessions = createSessions({ secretKey, store, logLevel: "silent", ...options });
  browser = new Browser(sessions);
  await browser.visit((session) => session.set("n", 0));
  store.takeCalls();
  told = [];
  sessions.on("store-error", (event) => void told.push(event));
}

beforeEach(() => start());

/** A save whose commits end one after the other as told, the last one for all that follow; `null` goes through. */
async function save(...ends: (Error | null)[]): Promise<unknown> {
  const visit = await browser.start();
  visit.session.set("n", 1);
  store.takeCalls();
  let call = 0;
  store.alter("commit", (answer) => {
    const end = ends[Math.min(call++, ends.length - 1)];
    if (end) throw end;
    return answer;
  });
  return visit.session.saveSession().then(
    () => "saved",
    (error: unknown) => error,
  );
}

const lost = (): Error => new Error("connection lost");
const own = (code: "ERR_SESSION_STORE" | "ERR_SESSION_STORE_UNKNOWN"): FastSessionError =>
  new FastSessionError(code, "the store's own words");

describe("a call that may have happened all the same", () => {
  it("is made again twice, and then it stays unknown, with the last failure as its cause", async () => {
    const last = new Error("the last one");
    const error = await save(lost(), lost(), last);
    expect(error).toMatchObject({ code: "ERR_SESSION_STORE_UNKNOWN", status: 503 });
    expect((error as Error).cause).toMatchObject({ message: last.message });
    expect((error as Error).message).toContain('"commit"');
    expect(store.takeCalls()).toEqual(["commit", "commit", "commit"]);
    expect(told.map(({ verb }) => verb)).toEqual(["commit", "commit", "commit"]);
  });

  it("is answered as soon as one gets through", async () => {
    expect(await save(lost(), null)).toBe("saved");
    expect(store.takeCalls()).toEqual(["commit", "commit"]);
    expect((await browser.visit((session) => session.get("n"))).result).toBe(1);
  });

  it("is one also where the store itself says that it does not know", async () => {
    const unknown = own("ERR_SESSION_STORE_UNKNOWN");
    expect(await save(unknown)).toBe(unknown);
    expect(store.takeCalls()).toEqual(["commit", "commit", "commit"]);
  });

  it("stays one where only its repeat is known to have failed", async () => {
    const known = own("ERR_SESSION_STORE");
    const error = await save(lost(), known);
    expect(error).toMatchObject({ code: "ERR_SESSION_STORE_UNKNOWN", cause: known });
  });

  it("is one also where its repeat throws at once", async () => {
    const commit = memory.commit.bind(memory);
    const visit = await browser.start();
    visit.session.set("n", 1);
    let calls = 0;
    const failing: unknown[] = [
      Promise.reject(lost()),
      () => {
        throw lost();
      },
    ];
    const remote = Object.assign(new MemoryStore(), { capabilities: store.capabilities });
    remote.load = memory.load.bind(memory);
    remote.commit = (...args) => {
      const end = failing[calls++];
      if (typeof end === "function") return end() as never;
      return (end ?? Promise.resolve(commit(...args))) as never;
    };
    const there = new Browser(createSessions({ secretKey, store: remote, logLevel: "silent" }), browser.cookie);
    await there.visit((session) => session.set("n", 1));
    expect(calls).toBe(3);
    expect((await browser.visit((session) => session.get("n"))).result).toBe(1);
  });
});

it("a call that the store says has failed is made once, and the error is the store's own", async () => {
  const known = own("ERR_SESSION_STORE");
  expect(await save(known)).toBe(known);
  expect(store.takeCalls()).toEqual(["commit"]);
});

it("a reading that fails is made once, and the cause of its error is what failed", async () => {
  const cause = lost();
  store.fail("load", cause);
  await expect(browser.start()).rejects.toMatchObject({ code: "ERR_SESSION_STORE", cause });
  expect(store.takeCalls()).toEqual(["load"]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ verb: "load" });
});

describe("a call that is not answered within storeTimeout", () => {
  beforeEach(() => start({ storeTimeout: 0.03 }));

  it("that reads has failed, and the message says how long was waited", async () => {
    store.hang("load");
    const message = expect.stringContaining('did not answer "load" within 0.03 s');
    await expect(browser.start()).rejects.toMatchObject({ code: "ERR_SESSION_STORE", message });
    expect(told).toEqual([{ verb: "load", error: expect.objectContaining({ code: "ERR_SESSION_STORE", message }) }]);
  });

  it("that writes stays unknown, and is not made again, also when its failure comes late", async () => {
    const visit = await browser.start();
    visit.session.set("n", 1);
    store.takeCalls();
    let fail = (): void => undefined;
    store.alter("commit", () => new Promise((_, reject) => (fail = () => reject(lost()))));
    await expect(visit.session.saveSession()).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_UNKNOWN",
      message: expect.stringContaining('"commit" within 0.03 s'),
    });
    fail();
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(store.takeCalls()).toEqual(["commit"]);
    expect(told).toHaveLength(1);
  });
});
