import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fastSession, type WithSession } from "../../src/adapters/node.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { HostileStore, type StoreVerb } from "../../src/testing/hostile-store.ts";
import { RemoteStore } from "../stores/broken-remote-stores.ts";

/** A listening server whose store is slow, silent or gone. */
const STORE_TIMEOUT = 300;
const LONGEST = STORE_TIMEOUT + 1000;

const secretKey = "a secret of more than thirty-two bytes";

let remote: RemoteStore;
let store: HostileStore;
let sessions: Sessions;
let server: Server;

type Route = (request: WithSession) => unknown;

const routes: Record<string, Route> = {
  "/read": ({ session }) => ({ ...session, cause: session.info.cause }),
  "/count": ({ session }) => session.increment("n"),
  "/name": ({ session, headers }) => (session["name"] = headers["x-name"]),
  "/login": ({ session }) => session.login("ann"),
  "/logout": ({ session }) => session.logout(),
  "/save": ({ session }) => {
    session.increment("n");
    return session.saveSession();
  },
  "/code": async ({ session }) => {
    session.increment("n");
    const error: unknown = await session.saveSession().catch((reason: unknown) => reason);
    await session.reload();
    return (error as { code: string }).code;
  },
  "/go-on": async ({ session }) => {
    session.increment("n");
    await session.saveSession().catch(() => undefined);
    session["later"] = 1;
  },
};

async function listen(options: Partial<SessionOptions> = {}): Promise<void> {
  server?.close();
  remote = new RemoteStore();
  store = new HostileStore(remote);
  const storeTimeout = STORE_TIMEOUT / 1000;
  sessions = createSessions({ secretKey, store, storeTimeout, logLevel: "silent", secure: false, ...options });
  const answer = fastSession(sessions)(async (request, response) => {
    const result = await routes[request.url ?? ""]?.(request);
    response.end(JSON.stringify(result ?? null));
  });
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
}

interface Page {
  readonly status: number;
  readonly cookies: string[];
  readonly body: unknown;
}

/** A request that has to be answered in time, whatever the store does. */
async function visit(path: string, cookie = "", headers: Record<string, string> = {}): Promise<Page> {
  const { port } = server.address() as AddressInfo;
  const begin = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { ...headers, cookie } });
  const text = await response.text();
  expect(performance.now() - begin).toBeLessThan(LONGEST);
  const { status } = response;
  return { status, cookies: response.headers.getSetCookie(), body: status === 200 ? JSON.parse(text) : text };
}

async function signUp(name: string): Promise<string> {
  const { cookies } = await visit("/name", "", { "x-name": name });
  return cookies[0]?.split(";", 1)[0] ?? "no cookie";
}

beforeEach(() => listen());
afterEach(() => server.close());

const VERBS: [StoreVerb, string][] = [
  ["load", "/read"],
  ["create", "/count"],
  ["commit", "/count"],
  ["commit", "/save"],
  ["commit", "/go-on"],
  ["rotate", "/login"],
  ["destroy", "/logout"],
];

describe("a store that accepts and never answers", () => {
  it.each(VERBS)("at %s: %s is answered all the same, and the session is back with the store", async (verb, path) => {
    const cookie = verb === "create" ? "" : await signUp("ann");
    store.hang(verb);
    expect(await visit(path, cookie)).toMatchObject({ status: 503, cookies: [] });
    store.heal();
    if (cookie !== "") expect((await visit("/read", cookie)).body).toMatchObject({ name: "ann", cause: "resumed" });
    expect((await visit("/count", cookie)).status).toBe(200);
  });

  it("keeps none of many requests of one session waiting, nor those that come while it is silent", async () => {
    const cookie = await signUp("ann");
    const later: Promise<Page>[] = [];
    store.hang("commit");
    const stop = sessions.on("store-error", () => later.push(visit("/count", cookie), visit("/go-on", cookie)));
    const pages = await Promise.all(Array.from({ length: 20 }, () => visit("/count", cookie)));
    stop();
    pages.push(...(await Promise.all(later)));
    expect(pages.length).toBeGreaterThan(21);
    expect(pages.map(({ status, cookies }) => [status, cookies])).toEqual(pages.map(() => [503, []]));
    store.heal();
    const after = await Promise.all(Array.from({ length: 20 }, () => visit("/count", cookie)));
    expect(after.map(({ status }) => status)).toEqual(after.map(() => 200));
    expect((await visit("/read", cookie)).body).toMatchObject({ name: "ann", n: 20 });
  });

  it("does not keep other sessions waiting", async () => {
    const cookie = await signUp("ann");
    const other = await signUp("bob");
    const held = store.hold("commit");
    const waiting = visit("/count", cookie);
    await held.arrived;
    store.heal();
    expect((await visit("/count", other)).status).toBe(200);
    held.release();
    expect((await waiting).status).toBe(200);
  });
});

describe("a store that answers after its deadline", () => {
  it.each([
    ["load", "/read"],
    ["commit", "/count"],
    ["rotate", "/login"],
  ] as [StoreVerb, string][])("at %s: nobody gets that answer", async (verb, path) => {
    const names = ["ann", "bob", "eve"];
    const cookies = await Promise.all(names.map(signUp));
    const held = store.hold(verb);
    const late = await Promise.all(cookies.slice(0, 2).map((cookie) => visit(path, cookie)));
    expect(late.map(({ status }) => status)).toEqual([503, 503]);
    const own = visit("/read", cookies[2]);
    held.release();
    expect((await own).body).toMatchObject({ name: "eve" });
    if (verb === "rotate") return;
    const pages = await Promise.all(cookies.map((cookie) => visit("/read", cookie)));
    expect(pages.map(({ body }) => body)).toMatchObject(names.map((name) => ({ name, cause: "resumed" })));
  });
});

describe("an outage", () => {
  const ALL: StoreVerb[] = ["load", "create", "commit", "renew", "rotate", "destroy"];

  it("logs nobody out", async () => {
    const cookie = await signUp("ann");
    for (const verb of ALL) store.fail(verb);
    for (const path of ["/read", "/count", "/name", "/login", "/logout", "/save", "/go-on"]) {
      expect(await visit(path, cookie)).toMatchObject({ status: 503, cookies: [] });
    }
    expect(await visit("/count")).toMatchObject({ status: 503, cookies: [] });
    store.heal();
    expect((await visit("/read", cookie)).body).toEqual({ name: "ann", cause: "resumed" });
  });

  it('shows visitors an empty session with onStoreError: "anonymous", and logs nobody out', async () => {
    await listen({ onStoreError: "anonymous" });
    const cookie = await signUp("ann");
    for (const verb of ALL) store.fail(verb);
    expect(await visit("/read", cookie)).toEqual({ status: 200, cookies: [], body: { cause: "store-error" } });
    for (const path of ["/count", "/login", "/logout"]) {
      expect(await visit(path, cookie)).toMatchObject({ status: 503, cookies: [] });
    }
    store.heal();
    expect((await visit("/read", cookie)).body).toEqual({ name: "ann", cause: "resumed" });
  });
});

it("a conflict without end is an answer, too", async () => {
  const cookie = await signUp("ann");
  store.alter("commit", () => ({ ok: false, reason: "conflict", current: { n: String(Math.random()) } }));
  const pages = await Promise.all(Array.from({ length: 5 }, () => visit("/code", cookie)));
  expect(pages.map(({ body }) => body)).toEqual(pages.map(() => "ERR_SESSION_CONFLICT"));
  store.heal();
  expect((await visit("/count", cookie)).status).toBe(200);
});
