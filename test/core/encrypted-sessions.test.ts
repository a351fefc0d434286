import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Fields } from "../../src/core/session-record.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { fromSimpleStore, type SimpleData } from "../../src/stores/simple.ts";
import type { Session } from "../../src/core/session-types.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const [ONE, TWO] = ["the first key, of thirty-two bytes and more", "the second key, of thirty-two bytes and more"];
const MARKER = "planted-marker";

const folder = mkdtempSync(join(tmpdir(), "fastsession-encryption-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function objects(): SessionStore {
  const sessions = new Map<string, string>();
  return fromSimpleStore({
    hasSessionId: async (id) => sessions.has(id),
    createStore: async (id) => sessions.set(id, "{}"),
    getStore: async (id) => JSON.parse(sessions.get(id) ?? "null") as SimpleData | null,
    saveStore: async (id, data) => sessions.set(id, JSON.stringify(data)),
    gc: async () => undefined,
  });
}
const STORES = [
  ["memory", () => new MemoryStore()],
  ["SQLite", () => new SqliteStore(join(folder, `${(files += 1)}.sqlite`))],
  ["a store behind promises", () => new HostileStore(new MemoryStore(), { local: false })],
  ["a store of objects", objects],
] as const;

function open(store: SessionStore, keys: readonly string[] | null, more: Partial<SessionOptions> = {}): Sessions {
  const encryption = keys === null ? {} : { encryption: { keys } };
  return createSessions({
    secretKey: "a secret of more than thirty-two bytes",
    logLevel: "silent",
    store,
    ...encryption,
    ...more,
  });
}

/** The fields of a browser's session, as the store has them. */
async function stored(sessions: Sessions, browser: Browser): Promise<Fields> {
  const { visit } = await browser.visit((session) => session.info.isNew);
  const found = await sessions.config.store.load(visit.exchange.state.key as string, Date.now());
  if (found?.kind !== "session") throw new Error("no session");
  return found.fields;
}

/** Puts other texts into a browser's session, past the library. */
async function tamper(sessions: Sessions, browser: Browser, set: Fields): Promise<void> {
  const { visit } = await browser.visit((session) => session.info.isNew);
  await sessions.config.store.commit(visit.exchange.state.key as string, {
    operation: `tampering ${Math.random()}`,
    now: Date.now(),
    set,
  });
}

const data = (browser: Browser): Promise<unknown> =>
  browser.visit((session) => session.getSession()).then(({ result }) => ({ ...(result as object) }));

describe.for(STORES)("with encryption, %s", ([, create]) => {
  test("keeps sessions through changes, another id, a login and a clearing", async () => {
    const sessions = open(create(), [ONE]);
    const browser = new Browser(sessions);
    await browser.visit((session) => void Object.assign(session, { text: "a", cart: { items: [1] }, count: 1 }));
    await browser.visit((session) => {
      session["cart"].items.push(2);
      session.increment("count");
      session.append("list", "x");
      session.flash("notice", "saved");
    });
    expect(await data(browser)).toEqual({ text: "a", cart: { items: [1, 2] }, count: 2, list: ["x"] });
    await browser.visit((session) => session.regenerate());
    await browser.visit((session) => session.login("ann"));
    expect(await data(browser)).toEqual({ text: "a", cart: { items: [1, 2] }, count: 2, list: ["x"] });
    expect((await browser.visit((session) => session.flash("notice"))).result).toBe("saved");
    await browser.visit((session) => {
      session.clearSession();
      session["after"] = 1;
    });
    expect(await data(browser)).toEqual({ after: 1 });
  });

  test("has no text that anybody could read", async () => {
    const sessions = open(create(), [ONE]);
    const browser = new Browser(sessions);
    await browser.visit((session) => void (session["note"] = MARKER));
    await browser.visit((session) => void (session["deep"] = { in: [MARKER] }));
    const fields = await stored(sessions, browser);
    expect(Object.keys(fields).toSorted()).toEqual(["deep", "note"]);
    for (const text of Object.values(fields)) expect(text).toMatch(/^e1\.[\w-]{6}\.[\w-]+$/);
  });

  test("ends a session whose fields were swapped, and tells of it", async () => {
    const sessions = open(create(), [ONE]);
    const corrupt: unknown[] = [];
    sessions.on("corrupt", ({ field }) => corrupt.push(field));
    const browser = new Browser(sessions);
    await browser.visit((session) => void Object.assign(session, { admin: false, member: true }));
    const { admin = "", member = "" } = await stored(sessions, browser);
    await tamper(sessions, browser, { admin: member, member: admin });
    const { result } = await browser.visit((session) => [session["admin"], session.info.cause]);
    expect([result, corrupt]).toEqual([[undefined, "corrupt"], ["admin"]]);
    expect((await browser.visit((session) => session.info.cause)).result).not.toBe("resumed");
  });

  test("ends a session that has another one's field, and the other one lives on", async () => {
    const sessions = open(create(), [ONE]);
    const [ann, eve] = [new Browser(sessions), new Browser(sessions)];
    await ann.visit((session) => void (session["admin"] = true));
    await eve.visit((session) => void (session["admin"] = false));
    await tamper(sessions, eve, await stored(sessions, ann));
    expect((await eve.visit((session) => [session["admin"], session.info.cause])).result).toEqual([
      undefined,
      "corrupt",
    ]);
    expect(await data(ann)).toEqual({ admin: true });
  });

  test("takes no plain field, unless told to", async () => {
    const store = create();
    const [plain, strict] = [open(store, null), open(store, [ONE])];
    const moving = open(store, null, { encryption: { keys: [ONE], acceptPlaintext: true } });
    const browser = new Browser(plain);
    await browser.visit((session) => void Object.assign(session, { a: 1, b: 2 }));
    const moved = new Browser(moving, browser.cookie);
    await moved.visit((session) => session.increment("a"));
    expect(await data(moved)).toEqual({ a: 2, b: 2 });
    expect(await stored(moving, moved)).toEqual({ a: expect.stringMatching(/^e1\./), b: "2" });
    const { result } = await new Browser(strict, browser.cookie).visit((session) => [
      session["a"],
      session["b"],
      session.info.cause,
    ]);
    expect(result).toEqual([2, undefined, "corrupt"]);
  });

  test.for([
    ["another key", [TWO]],
    ["no encryption", null],
  ] as const)("is no session to a process with %s, and nothing of it is a value", async ([, keys]) => {
    const store = create();
    const browser = new Browser(open(store, [ONE]));
    await browser.visit((session) => void Object.assign(session, { admin: false, cart: { items: [] } }));
    const { result } = await new Browser(open(store, keys), browser.cookie).visit((session) => [
      session["admin"],
      session.info.cause,
    ]);
    expect(result).toEqual([undefined, "corrupt"]);
  });

  test("counts every step of processes whose keys are in another order", async () => {
    const store = create();
    const [old, rotated] = [open(store, [ONE, TWO]), open(store, [TWO, ONE])];
    const browser = new Browser(old);
    await browser.visit((session) => void (session["count"] = 0));
    const visits = await Promise.all(
      Array.from({ length: 20 }, (_, n) => new Browser(n % 2 === 0 ? old : rotated, browser.cookie).start()),
    );
    visits.forEach(({ session }, n) => {
      session.increment("count");
      session[`own${n}`] = n;
    });
    await Promise.all(visits.map((visit) => visit.end()));
    const own = Object.fromEntries(visits.map((_, n) => [`own${n}`, n]));
    expect(await data(browser)).toEqual({ count: 20, ...own });
  });

  test("refuses an assignment that another one was first with, if asked to", async () => {
    const sessions = open(create(), [ONE], { onConflict: "reject" });
    const browser = new Browser(sessions);
    await browser.visit((session) => void (session["a"] = 1));
    const late = await browser.start();
    late.session["a"] = 2;
    await new Browser(sessions, browser.cookie).visit((session) => void (session["a"] = 3));
    await expect(late.end()).rejects.toMatchObject({ code: "ERR_SESSION_CONFLICT" });
    expect(await data(browser)).toEqual({ a: 3 });
  });
});

describe("a change of keys", () => {
  const keyOf = (text: string | undefined): string | undefined => text?.slice(0, 10);

  test("moves each field with its next write, also of the same value, and no other", async () => {
    const store = new MemoryStore();
    const old = open(store, [ONE]);
    const browser = new Browser(old);
    await browser.visit(
      (session) => void Object.assign(session, { same: "x", counted: 1, list: [1], read: [1], left: 1 }),
    );
    const before = await stored(old, browser);
    const rotated = open(store, [TWO, ONE]);
    const visitor = new Browser(rotated, browser.cookie);
    await visitor.visit((session) => {
      session["same"] = "x";
      session.increment("counted");
      session["list"].push(2);
      return session["read"].length + session["left"];
    });
    const after = await stored(rotated, visitor);
    expect([keyOf(after["same"]), keyOf(after["counted"])]).toEqual([keyOf(after["list"]), keyOf(after["list"])]);
    expect(keyOf(after["list"])).not.toBe(keyOf(before["list"]));
    expect([after["read"], after["left"]]).toEqual([before["read"], before["left"]]);
    expect(await data(visitor)).toEqual({ same: "x", counted: 2, list: [1, 2], read: [1], left: 1 });
  });

  test("is done when the old key can be taken away", async () => {
    const store = new MemoryStore();
    const browser = new Browser(open(store, [ONE]));
    await browser.visit((session) => void Object.assign(session, { a: 1, b: { c: [1] } }));
    await new Browser(open(store, [TWO, ONE]), browser.cookie).visit((session) => {
      for (const [field, value] of Object.entries(session.getSession())) session[field] = value;
    });
    expect(await data(new Browser(open(store, [TWO]), browser.cookie))).toEqual({ a: 1, b: { c: [1] } });
  });
});

test("a request writes nothing that it did not change, and nothing for the same value again", async () => {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const browser = new Browser(open(store, [ONE]));
  await browser.visit((session) => void Object.assign(session, { text: "a", cart: { items: [1] }, other: { b: 1 } }));
  store.takeCalls();
  await browser.visit((session) => {
    session["text"] = "a";
    session["cart"] = { items: [1] };
    return session["other"].b as number;
  });
  expect(store.takeCalls()).toEqual(["load"]);
});

test("what is recorded after a first save that got no answer is read with what that one saved", async () => {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const browser = new Browser(open(store, [ONE]));
  const visit = await browser.start();
  visit.session["a"] = 1;
  store.alter("create", () => {
    throw new Error("connection lost");
  });
  await expect(visit.session.saveSession()).rejects.toMatchObject({ status: 503 });
  store.heal();
  visit.session["b"] = 2;
  await visit.session.saveSession();
  browser.keep(await visit.end());
  expect(await data(browser)).toEqual({ a: 1, b: 2 });
});

test("a session whose id changes in use is read by those who still have the old one", async () => {
  let now = 1_764_000_000_000;
  const store = new HostileStore(new MemoryStore(), { local: false });
  const sessions = open(store, [ONE], { rotateEvery: 300, now: () => now });
  const browser = new Browser(sessions);
  await browser.visit((session) => void (session["count"] = 1));
  const { cookie } = browser;
  now += 301_000;
  await browser.visit((session) => session.increment("count"));
  expect(browser.cookie).not.toBe(cookie);
  await new Browser(sessions, cookie).visit((session) => session.increment("count"));
  expect(await data(browser)).toEqual({ count: 3 });
});

test("two connections to one file, whose keys are in another order, lose no step", async () => {
  const file = join(folder, "shared.sqlite");
  const old = open(new SqliteStore(file), [ONE, TWO]);
  const rotated = open(new SqliteStore(file), [TWO, ONE]);
  const browser = new Browser(old);
  await browser.visit((session) => void (session["count"] = 0));
  const visits = await Promise.all(
    Array.from({ length: 20 }, (_, n) => new Browser(n % 2 === 0 ? old : rotated, browser.cookie).start()),
  );
  for (const { session } of visits) session.increment("count");
  await Promise.all(visits.map((visit) => visit.end()));
  expect(await data(browser)).toEqual({ count: 20 });
  await Promise.all([old.close(), rotated.close()]);
});

test("a request that signs out and begins anew leaves a session that can be read", async () => {
  const sessions = open(new MemoryStore(), [ONE]);
  const browser = new Browser(sessions);
  await browser.visit((session) => void (session["cart"] = [1]));
  await browser.visit(async (session) => {
    session.append("cart", 2);
    await session.logout();
    session["cart"] = [3];
    await session.login("ann");
    session.append("cart", 4);
  });
  expect(await data(browser)).toEqual({ cart: [3, 4] });
});

test("a SQLite file shows names of fields and users, and no value", async () => {
  const file = join(folder, "dump.sqlite");
  const sessions = open(new SqliteStore(file), [ONE]);
  const browser = new Browser(sessions);
  await browser.visit((session) => session.login("user-of-the-dump"));
  await browser.visit((session) => void Object.assign(session, { fieldname: MARKER, deep: { [MARKER]: [MARKER] } }));
  await sessions.close();
  const dump = readdirSync(folder)
    .filter((name) => name.startsWith("dump.sqlite"))
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("");
  expect([dump.includes("fieldname"), dump.includes("user-of-the-dump"), dump.includes(MARKER)]).toEqual([
    true,
    true,
    false,
  ]);
});

test("the size of a field is that of its own text, and the size of a session that of what is stored", async () => {
  const sessions = open(new MemoryStore(), [ONE], { maxFieldBytes: 100, maxSessionBytes: 250 });
  const browser = new Browser(sessions);
  await browser.visit((session) => void (session["a"] = "x".repeat(98)));
  expect((await stored(sessions, browser))["a"]?.length).toBeGreaterThan(100);
  await expect(browser.visit((session) => void (session["b"] = "x".repeat(98)))).rejects.toMatchObject({
    code: "ERR_SESSION_TOO_LARGE",
  });
});

type Act = { readonly do: string; readonly field: string; readonly value: unknown };

/** What a handler saw that did all of that. */
async function play(session: Session, acts: readonly Act[]): Promise<unknown> {
  const seen: unknown[] = [];
  for (const { do: verb, field, value } of acts) {
    try {
      if (verb === "set") session.set(field, value);
      else if (verb === "delete") session.delete(field);
      else if (verb === "increment") seen.push(session.increment(field));
      else if (verb === "append") session.append(field, value);
      else if (verb === "push") session.get(field)?.push?.(value);
      else if (verb === "clear") session.clearSession();
      else await session.regenerate();
    } catch (error) {
      seen.push((error as { code?: string }).code ?? (error as Error).constructor.name);
    }
  }
  return [seen, { ...session.getSession() }];
}

test("any history reads as it does without encryption", async () => {
  const field = fc.constantFrom("a", "b", "c");
  const act: fc.Arbitrary<Act> = fc.oneof(
    fc.record({ do: fc.constant("set"), field, value: fc.jsonValue({ maxDepth: 2 }) }),
    fc.record({
      do: fc.constantFrom("delete", "increment", "append", "clear", "regenerate", "push"),
      field,
      value: fc.constant(1),
    }),
  );
  const request = fc.record({ acts: fc.array(act, { maxLength: 4 }), rotated: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 6 }), async (requests) => {
      const store = new MemoryStore();
      const plain = new Browser(open(new MemoryStore(), null));
      const sealed = [open(store, [ONE, TWO]), open(store, [TWO, ONE])].map((sessions) => new Browser(sessions));
      for (const { acts, rotated } of requests) {
        const [used, other] = rotated ? sealed.toReversed() : sealed;
        const expected = await plain.visit((session) => play(session, acts));
        const actual = await used!.visit((session) => play(session, acts));
        expect(actual.result).toEqual(expected.result);
        other!.cookie = used!.cookie;
      }
    }),
    { seed: 11, numRuns: 150 },
  );
});
