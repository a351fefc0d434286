import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import session, { MemoryStore as ExpressMemoryStore } from "express-session";
import { Keyv } from "keyv";
import { createStorage, prefixStorage } from "unstorage";
import { describe, expect, expectTypeOf, test } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import { type ExpressStore, fromExpressStore } from "../../src/stores/express-store.ts";
import { fromKeyv } from "../../src/stores/keyv.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { fromUnstorage } from "../../src/stores/unstorage.ts";
import { Browser } from "../support/browser.ts";

const NOW = 1_764_000_000_123;
const HOUR = 3_600_000;
const secretKey = "a secret of more than thirty-two bytes";

function open(options: Partial<SessionOptions>): Sessions {
  return createSessions({ secretKey, logLevel: "silent", ...options });
}

function record(key: string, expiresAt = NOW + HOUR) {
  return { key, fields: { a: "1" }, createdAt: NOW, lastUsedAt: NOW, expiresAt, handle: `handle of ${key}` };
}

let operations = 0;
const at = (now = NOW) => ({ operation: `operation ${(operations += 1)}`, now });

const BACKENDS = [
  ["express-session", () => new ExpressMemoryStore(), fromExpressStore],
  ["unstorage", () => createStorage(), fromUnstorage],
  ["Keyv", () => new Keyv({ throwOnErrors: true }), fromKeyv],
] as const;

describe.for(BACKENDS)("a store of %s", ([, create, wrap]) => {
  const wrapped = (backend: ReturnType<typeof create>, options = {}) => wrap(backend as never, options);

  test("says at start and in its type what it cannot promise", async () => {
    const store = wrapped(create());
    expectTypeOf(store.capabilities.userIndex).toEqualTypeOf<false>();
    expectTypeOf(store.capabilities.feed).toEqualTypeOf<null>();
    expect(store.capabilities).toMatchObject({
      userIndex: false,
      feed: null,
      lock: false,
      durable: false,
      keys: "hash",
    });
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    const logger = { debug: ignore, info: ignore, error: ignore, warn: (text: string) => warnings.push(text) };
    const sessions = createSessions({ secretKey, store, logger });
    expect(warnings).toEqual([expect.stringContaining("lose one of the writes")]);
    await expect(sessions.forUser("ann").revokeAll()).rejects.toMatchObject({ code: "ERR_SESSION_UNSUPPORTED" });
    expect(() => createSessions({ secretKey, store, logger, maxSessionsPerUser: 1 })).toThrow("index of users");
  });

  test("keeps sessions, and loses no step of requests at once", async () => {
    const sessions = open({ store: wrapped(create()) });
    const browser = new Browser(sessions);
    await browser.visit((one) => void Object.assign(one, { count: 0, cart: { items: [1] } }));
    const visits = await Promise.all(Array.from({ length: 20 }, () => new Browser(sessions, browser.cookie).start()));
    for (const visit of visits) visit.session.increment("count");
    await Promise.all(visits.map((visit) => visit.end()));
    await browser.visit((one) => one.login("ann"));
    const { result } = await browser.visit((one) => [{ ...one.getSession() }, one.info.userId]);
    expect(result).toEqual([{ count: 20, cart: { items: [1] } }, "ann"]);
  });

  test("shows another process what ended, which then brings nothing back", async () => {
    const backend = create();
    const [here, there] = [open({ store: wrapped(backend) }), open({ store: wrapped(backend) })];
    const browser = new Browser(here);
    await browser.visit((one) => void (one["a"] = 1));
    const { cookie } = browser;
    const late = await new Browser(there, cookie).start();
    late.session["b"] = 2;
    await browser.visit((one) => one.destroy());
    await late.end();
    const again = await new Browser(there, cookie).visit((one) => [one.has("a"), one.has("b"), one.info.cause]);
    expect(again.result).toEqual([false, false, "revoked"]);
  });

  test("has neither ids nor, with encryption, values", async () => {
    const backend = create();
    const sessions = open({ store: wrapped(backend), encryption: { keys: [secretKey] } });
    const browser = new Browser(sessions);
    const { visit } = await browser.visit((one) => void (one["note"] = "planted-marker".repeat(100)));
    const dump = await dumpOf(backend);
    expect(dump).toContain("note");
    expect(dump).not.toContain("planted-marker");
    expect(dump).not.toContain(visit.exchange.state.id);
    // Once: encrypted texts are no values of the object.
    expect(dump.length).toBeLessThan(2 * 1400 * 1.34);
    expect((await browser.visit((one) => (one["note"] as string).length)).result).toBe(1400);
  });

  test("that fails is an error, and no lost session", async () => {
    const backend = create() as unknown as Record<string, unknown>;
    const store = wrapped(backend as never);
    const browser = new Browser(open({ store }));
    await browser.visit((one) => void (one["a"] = 1));
    const broken = new Error("connection refused");
    const fail = (...args: unknown[]): Promise<never> | void => {
      const callback = args.at(-1);
      return typeof callback === "function"
        ? void (callback as (error: Error) => void)(broken)
        : Promise.reject(broken);
    };
    const { get, getItem } = backend;
    Object.assign(backend, { get: fail, getItem: fail });
    await expect(browser.start()).rejects.toMatchObject({ code: "ERR_SESSION_STORE", cause: broken });
    Object.assign(backend, { get, getItem });
    expect((await browser.visit((one) => one["a"] as number)).result).toBe(1);
  });

  test("that is none is refused at start", () => {
    for (const wrong of [null, undefined, "store", {}, new MemoryStore(), { get: 1 }]) {
      expect(() => wrap(wrong as never)).toThrow(/^a .* is needed here, and this has no /);
    }
    expect(() => wrapped(create(), { keys: "plain" })).toThrow('keys must be "hash" or "id"');
    expect(() => wrapped(create(), { consistency: "strong" })).toThrow('consistency must be "process" or "eventual"');
  });

  test("is written without a look at what is there, where reads are old", async () => {
    const backend = create() as unknown as Record<string, (...args: unknown[]) => unknown>;
    const store = wrapped(backend as never, { consistency: "eventual" });
    expect(store.capabilities).toMatchObject({ consistency: "eventual", limits: expect.stringContaining("older") });
    const calls: string[] = [];
    for (const name of ["get", "getItem"]) {
      const method = backend[name]?.bind(backend);
      if (method) backend[name] = (...args) => (calls.push(name), method(...args));
    }
    await store.create(record("k"), at());
    expect(calls).toEqual([]);
    expect(await store.load("k", NOW)).toMatchObject({ fields: { a: "1" } });
  });
});

/** Everything that is in a backend. */
async function dumpOf(backend: unknown): Promise<string> {
  if (backend instanceof ExpressMemoryStore) return JSON.stringify(backend.sessions);
  if (backend instanceof Keyv) return JSON.stringify([...(backend.opts.store as Map<string, unknown>)]);
  const storage = backend as ReturnType<typeof createStorage>;
  return JSON.stringify(
    await Promise.all((await storage.getKeys()).map(async (key) => [key, await storage.getItem(key)])),
  );
}

describe("a store for express-session", () => {
  test("gets the fields as they are, and a cookie that says how long to keep them, by its own clock", async () => {
    const backend = new ExpressMemoryStore();
    const store = fromExpressStore(backend);
    await store.create(record("k"), at());
    const { cookie, __fastsession__: hidden, ...fields } = JSON.parse(backend.sessions["k"] ?? "{}");
    expect([fields, hidden.expiresAt]).toEqual([{ a: 1 }, NOW + HOUR]);
    expect(cookie.originalMaxAge).toBe(HOUR + 60_000);
    expect(cookie.maxAge).toBe(HOUR + 60_000);
    expect(Math.abs(Date.parse(cookie.expires) - Date.now() - HOUR)).toBeLessThan(2 * 60_000);
  });

  test("may answer with promises, throw, or call a file that is not there an error", async () => {
    const answers: ExpressStore["get"][] = [
      async () => Promise.reject(new Error("by promise")),
      () => {
        throw new Error("by throwing");
      },
      (_, callback) => callback(new Error("by callback")),
      (_, callback) => callback(Object.assign(new Error("no file"), { code: "ENOENT" })),
      (_, callback) => callback(null, undefined),
    ];
    const loads = answers.map(async (get) => {
      const backend = new ExpressMemoryStore();
      return fromExpressStore({ get, set: backend.set, destroy: backend.destroy }).load("k", NOW);
    });
    const settled = await Promise.allSettled(loads);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.value : one.reason.message))).toEqual([
      "by promise",
      "by throwing",
      "by callback",
      null,
      null,
    ]);
  });

  test("keeps its own name for its cookie", async () => {
    const browser = new Browser(open({ store: fromExpressStore(new ExpressMemoryStore()) }));
    const saving = browser.visit((one) => {
      one["cookie"] = "chocolate";
      return one.saveSession();
    });
    await expect(saving).rejects.toMatchObject({ code: "ERR_SESSION_VALUE", path: "cookie" });
  });

  test("goes on with the sessions of express-session, under their ids", async () => {
    const backend = new ExpressMemoryStore();
    const app = express();
    app.use(session({ secret: secretKey, store: backend, resave: false, saveUninitialized: false }));
    app.get("/", (request, response) => {
      Object.assign((request as unknown as { session: object }).session, { user: "ann", cart: [1, 2] });
      response.end();
    });
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.close();
    const [cookie = ""] = response.headers.getSetCookie().map((line) => line.split(";", 1)[0] as string);
    const name = "connect.sid";
    const sessions = open({
      store: fromExpressStore(backend, { keys: "id" }),
      sessionCookie: name,
      cookieFormat: expressCookie(),
    });
    const browser = new Browser(sessions, cookie);
    await browser.visit((one) => one.append("cart", 3));
    const { result } = await browser.visit((one) => ({ ...one.getSession() }));
    expect(result).toEqual({ user: "ann", cart: [1, 2, 3] });
    expect(Object.keys(backend.sessions)).toHaveLength(1);
  });
});

describe("a storage of unstorage", () => {
  test("is swept, if asked to, of what is over, and of nothing else", async () => {
    const storage = createStorage();
    const swept = prefixStorage(storage, "sessions");
    const store = fromUnstorage(swept, { sweep: true });
    await store.create(record("short"), at());
    await store.create(record("long", NOW + 2 * HOUR), at());
    await swept.setItem("other", { record: JSON.stringify({ a: 1 }) });
    await storage.setItem("elsewhere", "x");
    await store.sweep?.(NOW + HOUR + 30_000, 100);
    expect(await swept.getKeys()).toHaveLength(3);
    await store.sweep?.(NOW + HOUR + 60_000, 100);
    expect((await storage.getKeys()).toSorted()).toEqual(["elsewhere", "sessions:long", "sessions:other"]);
  });

  test("gives its driver the seconds to keep a record", async () => {
    const seen: unknown[] = [];
    const storage = createStorage({
      driver: {
        hasItem: () => false,
        getItem: () => null,
        getKeys: () => [],
        setItem: (...args) => void seen.push(args[2]),
      },
    });
    await fromUnstorage(storage).create(record("k", NOW + 1500), at());
    expect(seen).toEqual([expect.objectContaining({ ttl: 62 })]);
  });

  test("gives back fields whose names it would strip", async () => {
    const store = fromUnstorage(createStorage());
    const fields = { a: '{"constructor":{"prototype":{"x":1}}}' };
    await store.create({ ...record("k"), fields }, at());
    expect(await store.load("k", NOW)).toMatchObject({ fields });
  });
});

test("a Keyv that hides failures is refused at start, with the remedy", () => {
  expect(() => fromKeyv(new Keyv())).toThrow("throwOnErrors: true");
});
