import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fastSession } from "../../src/adapters/fetch.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import { serialize } from "../../src/core/serialize.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser, type Visit } from "../support/browser.ts";
import { repository } from "../support/source-files.ts";
import { documentAt } from "./markdown.ts";

const secretKey = "a secret of these tests, which everybody can read";
const rows = documentAt("README.md").table("Errors");

/** A browser that has a session with one field. */
async function visitor(options: Partial<SessionOptions> = {}): Promise<Browser> {
  const browser = new Browser(createSessions({ secretKey, logLevel: "silent", ...options }));
  await browser.visit((session) => session.set("n", 1));
  return browser;
}

/** Two requests of one session under way at once. */
async function two(options?: Partial<SessionOptions>): Promise<[Visit, Visit]> {
  const browser = await visitor(options);
  const visits: [Visit, Visit] = [await browser.start(), await browser.start()];
  for (const { session } of visits) session.get("n");
  return visits;
}

/** What makes each error come, as its row says. */
const causes: Record<string, () => Promise<unknown>> = {
  async ERR_SESSION_STORE() {
    const store = new HostileStore(new MemoryStore());
    const browser = await visitor({ store });
    store.fail("load");
    await browser.visit((session) => session.get("n"));
  },
  async ERR_SESSION_STORE_UNKNOWN() {
    const store = new HostileStore(new MemoryStore(), { local: false });
    const browser = await visitor({ store, storeTimeout: 0.01 });
    store.hang("commit");
    await browser.visit((session) => session.set("n", 2));
  },
  async ERR_SESSION_STORE_FULL() {
    const sessions = createSessions({ secretKey, store: new MemoryStore({ maxSessions: 1 }) });
    for (const user of ["ann", "bob"]) await new Browser(sessions).visit((session) => session.login(user));
  },
  async ERR_SESSION_UNAVAILABLE() {
    const store = new HostileStore(new MemoryStore());
    const browser = await visitor({ store, onStoreError: "anonymous" });
    store.fail("load");
    await browser.visit((session) => session.set("n", 2));
  },
  async ERR_SESSION_GONE() {
    const [slow, quick] = await two();
    await quick.session.logout();
    slow.session.set("n", 2);
    await slow.session.saveSession();
  },
  async ERR_SESSION_DESTROYED() {
    const browser = await visitor();
    await browser.visit(async (session) => {
      await session.destroy();
      session.get("n");
    });
  },
  async ERR_SESSION_CONFLICT() {
    const [slow, quick] = await two({ onConflict: "reject" });
    quick.session.set("n", 2);
    await quick.end();
    slow.session.set("n", 3);
    await slow.session.saveSession();
  },
  async ERR_SESSION_HEADERS_SENT() {
    const [visit] = await two();
    await visit.end();
    await visit.session.regenerate();
  },
  async ERR_SESSION_VALUE() {
    await (await visitor()).visit((session) => session.set("n", new Date()));
  },
  async ERR_SESSION_TOO_LARGE() {
    await (await visitor({ maxFieldBytes: 10 })).visit((session) => session.set("n", "more than ten bytes"));
  },
  async ERR_SESSION_FIELD_TYPE() {
    await (await visitor()).visit((session) => session.append("n", 2));
  },
  async ERR_SESSION_INVALID() {
    const positive = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) => (Number(value) > 0 ? { value } : { issues: [{ message: "" }] }),
      },
    } as const;
    await (await visitor({ schema: { n: positive } })).visit((session) => session.set("n", -1));
  },
  async ERR_SESSION_NOT_LOADED() {
    const store = new HostileStore(new MemoryStore(), { local: false });
    const browser = new Browser(createSessions({ secretKey, store, load: "lazy" }));
    await browser.visit((session) => session.get("n"));
  },
  async ERR_SESSION_ID() {
    await visitor({ idGenerator: () => "1" });
  },
  async ERR_SESSION_REJECTED() {
    const sessions = createSessions({ secretKey, maxSessionsPerUser: { max: 1, policy: "reject" } });
    for (let device = 0; device < 2; device += 1) await new Browser(sessions).visit((session) => session.login("ann"));
  },
  async ERR_SESSION_LOCKED() {
    const [first, second] = await two();
    await serialize(first.session);
    await serialize(second.session, { wait: 0 });
  },
  async ERR_SESSION_UNSUPPORTED() {
    const objects = new Map<string, Record<string, unknown>>();
    const store = {
      hasSessionId: (id: string) => objects.has(id),
      createStore: (id: string) => objects.set(id, {}),
      getStore: (id: string) => objects.get(id),
      saveStore: (id: string, data: Record<string, unknown>) => objects.set(id, data),
      gc: () => undefined,
    };
    await createSessions({ secretKey, store }).forUser("ann").list();
  },
  async ERR_SESSION_CSRF() {
    const session = fastSession({ secretKey, csrf: true });
    const failed = { error: undefined as unknown };
    const onError = (error: unknown): Response => ((failed.error = error), new Response());
    const serve = session(() => new Response(), { onError });
    await serve(new Request("https://a.example", { method: "POST", headers: { "sec-fetch-site": "cross-site" } }));
    throw failed.error;
  },
};

describe("the README's table of errors", () => {
  test("has every code of the library, once", () => {
    const text = readFileSync(join(repository, "src/core/errors.ts"), "utf8");
    const codes = new Set(text.match(/ERR_SESSION_[A-Z_]+/g));
    expect(rows.map(([code]) => code)).toEqual([...codes].map((code) => `\`${code}\``));
  });

  test.each(rows.map(([code = "", status]) => [code.replaceAll("`", ""), status] as const))(
    "%s comes as it says, with status %s",
    async (code, status) => {
      const error: unknown = await causes[code]?.().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FastSessionError);
      expect(error).toMatchObject({ code, status: Number(status) });
    },
  );
});
