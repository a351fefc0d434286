import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fastSession } from "../../src/adapters/fetch.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import type { FastSession } from "../../src/core/session-types.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore, type StoreVerb } from "../../src/testing/hostile-store.ts";

const secretKey = "a secret of these tests, which everybody can read";

const handlers: Record<string, (session: FastSession) => unknown> = {
  "/read": (session) => session.get("n"),
  "/write": (session) => session.update("n", (n) => (n === 2 ? 3 : 2)),
  "/regenerate": (session) => session.regenerate(),
  "/login": (session) => session.login("ann"),
  "/logout": (session) => session.logout(),
  "/destroy": (session) => session.destroy(),
  "/reload": (session) => session.reload(),
  "/touch": (session) => session.touch(),
};

/** Serves the handlers, with a cookie that is a saved session's. */
async function serve(local: boolean, more: Partial<SessionOptions> = {}) {
  const store = new HostileStore(new MemoryStore(), { local });
  const sessions = createSessions({
    secretKey,
    store,
    logLevel: "silent",
    storeTimeout: 0.02,
    sweepInterval: 0,
    ...more,
  });
  const handle = fastSession(sessions)(async (request, session) => {
    const result = await handlers[new URL(request.url).pathname]?.(session as FastSession);
    return Response.json(result ?? null);
  });
  const visit = (path: string, cookie?: string): Promise<Response> =>
    handle(new Request(`https://shop.example${path}`, cookie === undefined ? {} : { headers: { cookie } }));
  const [line = ""] = (await visit("/write")).headers.getSetCookie();
  return { store, sessions, visit, cookie: line.split(";", 1)[0] as string };
}

const verbs: readonly StoreVerb[] = ["load", "create", "commit", "renew", "rotate", "destroy"];

describe("while the store is down", () => {
  it("visitors without a cookie are served, as the store is not asked", async () => {
    const { store, visit } = await serve(false);
    for (const verb of verbs) store.fail(verb);
    store.takeCalls();
    expect((await visit("/read")).status).toBe(200);
    expect(store.calls).toEqual([]);
  });

  it("nothing piles up: every request ends with its own call, and none is kept or sent again", async () => {
    const { store, visit, cookie } = await serve(false);
    for (const verb of verbs) store.hang(verb);
    store.takeCalls();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const answers = await Promise.all(Array.from({ length: 500 }, () => visit("/write", cookie)));
    expect([...new Set(answers.map(({ status }) => status))]).toEqual([503]);
    expect(store.calls).toHaveLength(500);
    expect(timers()).toBeLessThanOrEqual(before);
    store.heal();
    expect((await visit("/read", cookie)).status).toBe(200);
  });
});

const nonsense: readonly unknown[] = [undefined, null, 0, 7, "", "yes", true, false, [], {}, { ok: "maybe" }, () => 1];

describe.each([true, false])("a store (local: %s) whose method", (local) => {
  const tricks: readonly (readonly [string, (store: HostileStore, verb: StoreVerb) => void])[] = [
    ["fails with an error", (store, verb) => store.fail(verb)],
    ["fails with undefined", (store, verb) => store.fail(verb, undefined)],
    ["fails with a text", (store, verb) => store.fail(verb, "down")],
    ...nonsense.map(
      (answer) =>
        [
          `answers ${JSON.stringify(answer)}`,
          (store: HostileStore, verb: StoreVerb) => store.alter(verb, () => answer),
        ] as const,
    ),
    ...(local ? [] : [["never answers", (store: HostileStore, verb: StoreVerb) => store.hang(verb)] as const]),
  ];
  it.each(tricks)("%s takes no request down, and the next one works", async (_name, trick) => {
    for (const verb of verbs) {
      for (const path of Object.keys(handlers)) {
        const { store, visit, cookie } = await serve(local);
        trick(store, verb);
        const answer = await visit(path, cookie);
        expect([200, 409, 500, 503], `${verb} ${path}`).toContain(answer.status);
        if (answer.status !== 200)
          expect(await answer.text()).toMatch(/^(Conflict|Internal Server Error|Service Unavailable)$/);
        store.heal();
        expect((await visit("/read")).status).toBe(200);
        expect((await visit("/read", cookie)).status).toBe(200);
      }
    }
  });
});

describe("sessions.ping()", () => {
  /** A store that can be asked, as those on a server can. */
  const asked = (ping: () => Promise<void>) => {
    const store = Object.assign(new MemoryStore(), { ping });
    const sessions = createSessions({ secretKey, store, storeTimeout: 0.02 });
    const errors: string[] = [];
    sessions.on("store-error", ({ verb }) => void errors.push(verb));
    return { sessions, errors };
  };

  it("resolves where the store answers, and where there is nothing to ask", async () => {
    await createSessions({ secretKey }).ping();
    const { sessions, errors } = asked(() => Promise.resolve());
    await sessions.ping();
    expect(errors).toEqual([]);
  });

  it.each([
    ["fails", () => Promise.reject(new Error("connection refused"))],
    [
      "throws",
      () =>
        ((): never => {
          throw new Error("no connection");
        })(),
    ],
    ["never answers", () => new Promise<void>(() => undefined)],
  ])("rejects in time, and is heard of, where the store %s", async (_name, ping) => {
    const { sessions, errors } = asked(ping);
    await expect(sessions.ping()).rejects.toMatchObject({ code: "ERR_SESSION_STORE", status: 503 });
    expect(errors).toEqual(["ping"]);
  });
});

describe("a record that was changed by somebody else", () => {
  it("in 10,000 ways is read, or is the end of that session: never an error, and the next request works", async () => {
    const { store, sessions, visit, cookie } = await serve(true);
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.json().map((text) => text.slice(0, text.length / 2)),
      fc.constantFrom(
        "",
        "{",
        "[1,",
        "nul",
        "NaN",
        "undefined",
        '{"__proto__":{"polluted":1}}',
        "\u0000",
        "[".repeat(5000),
      ),
    );
    let at = cookie;
    for (const [round, text] of fc.sample(texts, { seed: 20_261_123, numRuns: 10_000 }).entries()) {
      const id = (at.slice("sid=".length).split(".")[0] as string) ?? "";
      const now = Date.now();
      void store.commit(sessions.config.keyOf(id), { operation: `${round}`, now, set: { n: text } });
      const read = await visit("/read", at);
      if (read.status !== 200) throw new Error(`${read.status} for ${JSON.stringify(text)}`);
      const next = await visit("/write", at);
      if (next.status !== 200) throw new Error(`${next.status} after ${JSON.stringify(text)}`);
      at = next.headers.getSetCookie()[0]?.split(";", 1)[0] ?? at;
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
