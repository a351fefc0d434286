import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function setUp(options: Partial<SessionOptions> = {}) {
  const store = new HostileStore(new MemoryStore());
  return { store, sessions: createSessions({ secretKey, store, ...options }) };
}

/** Ids out of a list, in that order. */
function idsOf(...numbers: number[]): () => string {
  return () => `an-id-of-this-test-${numbers.shift() ?? "none"}`;
}

describe("an id", () => {
  it("says nothing: those of one visitor, made in one millisecond, share no more than their format", async () => {
    const { sessions } = setUp({ now: () => 1_700_000_000_000 });
    const ids = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const { result } = await new Browser(sessions).visit(
          (session) => (session.set("n", 1), session.getSessionId()),
        );
        return result;
      }),
    );
    expect(new Set(ids).size).toBe(500);
    // After the character that names the format, a place that all had in common would be no chance.
    for (let at = 1; at < 36; at++) expect(new Set(ids.map((id) => id[at])).size).toBeGreaterThan(20);
    // Nor do neighbours grow: of a counter or a clock each would be larger than the one before.
    const larger = ids.filter((id, at) => at > 0 && id > (ids[at - 1] as string)).length;
    expect(larger).toBeGreaterThan(150);
    expect(larger).toBeLessThan(350);
  });

  it("of one user share three characters from a login on, and nothing else", async () => {
    const { sessions } = setUp();
    const idOf = async (user: string): Promise<string> => {
      const { result } = await new Browser(sessions).visit(async (session) => {
        await session.login(user);
        return session.getSessionId();
      });
      return result;
    };
    const ids: string[] = [];
    for (let login = 0; login < 300; login++) ids.push(await idOf("ann"));
    expect(new Set(ids.map((id) => id.slice(0, 4))).size).toBe(1);
    for (let at = 4; at < 36; at++) expect(new Set(ids.map((id) => id[at])).size).toBeGreaterThan(20);
    // The three are of her name, not of her rank among users or of the time.
    const others = await Promise.all(Array.from({ length: 300 }, (_, at) => idOf(`user ${at}`)));
    for (const at of [1, 2, 3]) expect(new Set(others.map((id) => id[at])).size).toBeGreaterThan(20);
  });

  it("that is taken is never taken over: another is drawn", async () => {
    const { sessions } = setUp({ idGenerator: idsOf(1, 2, 1, 2, 3) });
    const browsers = [new Browser(sessions), new Browser(sessions), new Browser(sessions)];
    for (const [at, browser] of browsers.entries()) await browser.visit((session) => session.set("owner", at));
    for (const [at, browser] of browsers.entries()) {
      expect((await browser.visit((session) => session.get("owner"))).result).toBe(at);
    }
  });

  it("that is taken ends in a typed error after some attempts, and nobody's session changes hands", async () => {
    const numbers = Array.from({ length: 20 }, (_, at) => (at % 2) + 1);
    const { sessions } = setUp({ idGenerator: idsOf(...numbers) });
    const [one, two, three] = [new Browser(sessions), new Browser(sessions), new Browser(sessions)];
    await one.visit((session) => session.set("owner", 1));
    await two.visit((session) => session.set("owner", 2));
    await expect(three.visit((session) => session.set("owner", 3))).rejects.toMatchObject({ code: "ERR_SESSION_ID" });
    expect((await one.visit((session) => session.get("owner"))).result).toBe(1);
  });

  it("that is taken is not taken over by regenerate or login either", async () => {
    const { sessions } = setUp({ idGenerator: idsOf(1, 2, 1, 3, 1, 4) });
    const [victim, other] = [new Browser(sessions), new Browser(sessions)];
    await victim.visit((session) => session.set("owner", "victim"));
    await other.visit((session) => session.set("owner", "other"));
    await other.visit((session) => session.regenerate());
    await other.visit((session) => session.login("ann"));
    expect((await victim.visit((session) => [session.get("owner"), session.info.userId])).result).toEqual([
      "victim",
      null,
    ]);
    expect((await other.visit((session) => [session.get("owner"), session.info.userId])).result).toEqual([
      "other",
      "ann",
    ]);
  });

  it.each([
    "../../etc/passwd-and-more",
    "a'; DROP TABLE sessions; --",
    "%00%2e%2e%2fsessions",
    "an-id-with\u0000-in-it",
    "sess:*-every-one-of-them",
    "an id with blanks in it",
    "é".repeat(20),
    "short",
    "x".repeat(129),
    "x".repeat(3000),
  ])("that no generator of ours makes never reaches a store, however well it is signed: %j", async (id) => {
    const { sessions, store } = setUp({ cookieFormat: expressCookie() });
    const cookie = `sid=${sessions.http.cookie.format.write(id, 0)}`;
    const { result } = await new Browser(sessions, cookie).visit((session) => session.info.cause);
    expect(["unknown", "malformed", "bad-signature"]).toContain(result);
    expect(store.calls).toEqual([]);
  });

  it("is not in the file of a durable store, nor is anything that it could be made from", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fastsession-ids-"));
    folders.push(folder);
    const store = new SqliteStore(join(folder, "sessions.sqlite"));
    const sessions = createSessions({ secretKey, store, sweepInterval: 0 });
    const browser = new Browser(sessions);
    const { result: id } = await browser.visit((session) => (session.set("n", "a marker"), session.getSessionId()));
    const { result: later } = await browser.visit(async (session) => {
      await session.login("ann");
      return session.getSessionId();
    });
    const cookie = browser.cookie as string;
    await sessions.close();
    const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), "latin1"));
    expect(existsSync(join(folder, "sessions.sqlite"))).toBe(true);
    expect(texts.some((text) => text.includes("a marker"))).toBe(true);
    const signature = cookie.slice(cookie.lastIndexOf(".") + 1);
    for (const secret of [id, id.slice(4), later, later.slice(4), signature, secretKey]) {
      expect(texts.some((text) => text.includes(secret))).toBe(false);
    }
  });
});

describe("visitors who write nothing", () => {
  it("leave no record and get no cookie: 6,000 without a cookie, with unknown ids, and signing out of nothing", async () => {
    const { sessions, store } = setUp();
    const elsewhere = createSessions({ secretKey });
    const browser = new Browser(elsewhere);
    await browser.visit((session) => session.set("n", 1));
    const lines: string[] = [];
    for (let count = 0; count < 2000; count++) {
      lines.push(...(await new Browser(sessions).visit((session) => session.get("n"))).lines);
      lines.push(...(await new Browser(sessions, browser.cookie).visit((session) => session.get("n"))).lines);
      lines.push(...(await new Browser(sessions).visit((session) => session.logout())).lines);
    }
    expect(lines).toEqual([]);
    expect([...new Set(store.calls)]).toEqual(["load"]);
    expect(store.calls).toHaveLength(2000);
  });
});

describe("the cookie's default name", () => {
  it("does not name the product", () => {
    expect(createSessions({ secretKey }).http.cookie.name).toBe("sid");
  });
});
