import { describe, expect, it } from "vitest";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import { nativeCookie } from "../../src/http/native-cookie.ts";
import { pythonCookie } from "../../src/http/python-cookie.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser, Visit } from "../support/browser.ts";
import { readSource } from "../support/source-files.ts";

const secretKey = "a secret of these tests, which everybody can read";

/** What a session behind a raw header says, past the Fetch API, which refuses some of what Node lets through. */
function causeOf(sessions: Sessions, header: string): string {
  const visit = new Visit(sessions, undefined);
  visit.exchange.cookieHeader = () => header;
  return visit.session.info.cause;
}

const formats = { native: nativeCookie, python: pythonCookie, express: expressCookie };
type Format = keyof typeof formats;
const names = Object.keys(formats) as Format[];
const pairs = names.flatMap((written) => names.map((configured) => [written, configured] as const));

describe("a cookie in one format", () => {
  it.each(pairs)("%s is read where %s is configured only if they are the same", async (written, configured) => {
    const store = new MemoryStore();
    const writing = createSessions({ secretKey, store, cookieFormat: formats[written]() });
    const browser = new Browser(writing);
    await browser.visit((session) => session.set("n", 1));
    const reading = createSessions({ secretKey, store, cookieFormat: formats[configured]() });
    const { result } = await new Browser(reading, browser.cookie).visit((session) => session.get("n"));
    expect(result).toBe(written === configured ? 1 : undefined);
  });

  it.each(names)("%s counts for nothing unsigned, half signed or signed with nothing", async (name) => {
    const sessions = createSessions({ secretKey, cookieFormat: formats[name]() });
    const browser = new Browser(sessions);
    const { result: id } = await browser.visit((session) => (session.set("n", 1), session.getSessionId()));
    const value = (browser.cookie as string).slice("sid=".length);
    const json = JSON.stringify({ sid: id });
    const forged = [id, `s:${id}`, `s:${id}.`, json, btoa(json), `${id}.0.`, `${id}..`, value.slice(0, -10)];
    for (const text of forged) expect(causeOf(sessions, `sid=${text}`)).toMatch(/malformed|bad-signature|unknown-key/);
  });
});

describe("signatures", () => {
  it("are compared in constant time, by one function, wherever one is computed", () => {
    // Aside from what derives keys and leaves the comparison to AES-GCM.
    const computing = readSource().filter(
      ({ path, text }) =>
        !/^core\/(crypto|encryption|sealed-id)\.ts$/.test(path) && /\b(createMac|hmac|deriveKey)\(/.test(text),
    );
    expect(computing.length).toBeGreaterThanOrEqual(4);
    for (const { path, text } of computing)
      expect([path, text]).toEqual([path, expect.stringContaining("equalInConstantTime")]);
    const crypto = readSource().find(({ path }) => path === "core/crypto.ts")?.text ?? "";
    expect(crypto.match(/timingSafeEqual\(/g)).toHaveLength(2);
  });
});

describe("of two valid cookies of one name", () => {
  it("the first counts, whichever session it is of", async () => {
    const sessions = createSessions({ secretKey });
    const [one, two] = [new Browser(sessions), new Browser(sessions)];
    await one.visit((session) => session.set("n", "one"));
    await two.visit((session) => session.set("n", "two"));
    const read = async (...cookies: (string | undefined)[]): Promise<unknown> =>
      (await new Browser(sessions, cookies.join("; ")).visit((session) => session.get("n"))).result;
    expect(await read(one.cookie, two.cookie)).toBe("one");
    expect(await read(two.cookie, one.cookie)).toBe("two");
    expect(await read("sid=x", "sid=y", "sid=z", two.cookie)).toBe("two");
    // More are not tried: whoever planted so many gets nothing but a visitor without a session.
    expect(await read(...Array.from({ length: 100 }, () => "sid=x"), two.cookie)).toBeUndefined();
  });
});

describe("what looks like our cookie and is not", () => {
  const good = async (): Promise<{ sessions: Sessions; value: string }> => {
    const sessions = createSessions({ secretKey, sessionCookie: "__Host-sid" });
    const browser = new Browser(sessions);
    await browser.visit((session) => session.set("n", 1));
    return { sessions, value: (browser.cookie as string).slice("__Host-sid=".length) };
  };

  it.each([
    "%5F%5FHost-sid=",
    "__host-sid=",
    "=__Host-sid=",
    "\u00a0__Host-sid=",
    "\u2000__Host-sid=",
    "\ufeff__Host-sid=",
    "\u000b__Host-sid=",
    "$__Host-sid=",
  ])("as %j is no session", async (prefix) => {
    const { sessions, value } = await good();
    expect(causeOf(sessions, `__Host-sid=${value}`)).toBe("resumed");
    expect(causeOf(sessions, `${prefix}${value}`)).toBe("none");
  });

  it("because of octal escapes is no session, while one pair of plain quotes is", async () => {
    const { sessions, value } = await good();
    expect(causeOf(sessions, `__Host-sid="${value}"`)).toBe("resumed");
    expect(causeOf(sessions, `__Host-sid="${value.replaceAll(".", "\\056")}"`)).toBe("malformed");
  });

  it("because of $Version and an open quote swallows no cookie behind it", async () => {
    const { sessions, value } = await good();
    expect(causeOf(sessions, `$Version=1; other="open; __Host-sid=${value}; last=shut"`)).toBe("resumed");
  });
});

describe("a refused cookie", () => {
  it("is told to listeners by its reason, each once, never by its value", async () => {
    let now = Date.UTC(2030, 0, 1);
    const store = new MemoryStore();
    const options: SessionOptions = { secretKey, store, now: () => now, sweepInterval: 0 };
    const sessions = createSessions(options);
    const causes: string[] = [];
    sessions.on("refused", (event) => {
      expect(Object.keys(event)).toEqual(["cause"]);
      causes.push(event.cause);
    });
    const browser = new Browser(sessions);
    await browser.visit((session) => session.set("n", 1));
    const value = (browser.cookie as string).slice("sid=".length);
    const told = (header: string, by = sessions): string => {
      causes.length = 0;
      const cause = causeOf(by, header);
      expect(causes).toEqual(by === sessions ? [cause] : []);
      return cause;
    };
    expect(told("sid=garbage")).toBe("malformed");
    expect(told(`sid=${value.slice(0, -1)}${value.endsWith("A") ? "B" : "A"}`)).toBe("bad-signature");
    const other = new Browser(createSessions({ ...options, secretKey: `another ${secretKey}` }));
    await other.visit((session) => session.set("n", 1));
    expect(told(other.cookie as string)).toBe("unknown-key");
    const elsewhere = new Browser(createSessions({ ...options, store: new MemoryStore() }));
    await elsewhere.visit((session) => session.set("n", 1));
    expect(told(elsewhere.cookie as string)).toBe("unknown");
    now += 13 * 3_600_000;
    expect(told(`sid=${value}`)).toBe("expired-idle");
    now += 8 * 86_400_000;
    expect(told(`sid=${value}`)).toBe("expired-absolute");
  });

  it("raises a count for who guesses, and costs no store call", async () => {
    const store = new HostileStore(new MemoryStore());
    const sessions = createSessions({ secretKey, store });
    let guesses = 0;
    sessions.on("refused", () => (guesses += 1));
    for (let guess = 0; guess < 1000; guess++)
      causeOf(sessions, `sid=${"x".repeat(40)}.1.${"y".repeat(46)}${guess % 10}`);
    expect([guesses, store.calls]).toEqual([1000, []]);
  });

  it("writes nothing that a client chose into a log: no line break, no escape", async () => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const logger = { debug: write, info: write, warn: write, error: write };
    const store = new HostileStore(new MemoryStore());
    const sessions = createSessions({ secretKey, store, logger, logLevel: "debug", onStoreError: "anonymous" });
    const browser = new Browser(sessions);
    await browser.visit((session) => session.set("n\r\nforged line", 1));
    store.fail("load");
    for (const text of ["\r\nforged line", "\u001b[31mforged", "\u2028forged", "%0d%0aforged"]) {
      causeOf(sessions, `sid=${text}`);
      causeOf(sessions, `${browser.cookie as string}; sid=${text}`);
    }
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("")).not.toMatch(/forged|\p{Cc}|\p{Zl}/u);
  });
});
