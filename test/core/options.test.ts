import { describe, expect, it, vi } from "vitest";
import { CENTURY } from "../../src/core/check-option.ts";
import { LONGEST_COOKIE } from "../../src/core/lifetime.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";

const secretKey = "a secret of more than thirty-two bytes";
const withoutUsers = (): MemoryStore => {
  const store = new MemoryStore();
  return Object.assign(store, { capabilities: { ...store.capabilities, userIndex: false } });
};
const make = (options: Record<string, unknown>) => () =>
  createSessions({ secretKey, logLevel: "silent", ...options } as unknown as SessionOptions);

describe("options that are wrong fail at the start and say the remedy", () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["no secret", { secretKey: undefined }, /secretKey must be.*randomBytes\(32\)/s],
    ["an empty secret", { secretKey: "" }, /secretKey must be/],
    ["an empty secret in a list", { secretKey: [secretKey, ""] }, /secretKey must be/],
    ["no secrets at all", { secretKey: [] }, /secretKey must be/],
    ["a misspelt option", { maxage: 5 }, /unknown option "maxage"/],
    ["the original's spelling", { max_age: 5 }, /unknown option "max_age".*maxAge/],
    ["a fraction of a second", { maxAge: 1.5 }, /maxAge must be a whole number of seconds/],
    ["a text for seconds", { maxAge: "3600" }, /maxAge must be/],
    ["a negative maxAge", { maxAge: -5 }, /maxAge must be/],
    ["maxAge null", { maxAge: null }, /maxAge must be/],
    ["maxAge NaN", { maxAge: Number.NaN }, /maxAge must be/],
    ["an idle limit of 0", { idleTimeout: 0 }, /idleTimeout must be a number above 0/],
    ["an endless idle limit", { idleTimeout: Infinity }, /idleTimeout must be/],
    ["rolling without maxAge", { rolling: true }, /rolling needs a maxAge/],
    ["idle over absolute", { idleTimeout: 100, absoluteTimeout: 50 }, /raise absoluteTimeout/],
    ["maxAge over absolute", { maxAge: 100, absoluteTimeout: 50 }, /raise absoluteTimeout/],
    ["a cookie name with a space", { sessionCookie: "my sid" }, /sessionCookie/],
    ["an empty cookie name", { sessionCookie: "" }, /sessionCookie/],
    ["__Host- without Secure", { sessionCookie: "__Host-sid", secure: false }, /__Host-.*secure: true/],
    ["__Host- with a domain", { sessionCookie: "__Host-sid", domain: "example.com" }, /__Host-.*domain/],
    ["SameSite=None without Secure", { sameSite: "none", secure: false }, /SameSite=None/],
    ["an unknown SameSite", { sameSite: "Lax" }, /sameSite must be "lax" or "strict" or "none"/],
    ["a header injection by path", { path: "/\r\nSet-Cookie: a=b" }, /path/],
    ["a header injection by domain", { domain: "a.com; Secure" }, /domain/],
    ["a skip rule without a value", { skipSessionHeader: { headerName: "X-Skip" } }, /headerValue: "\*"/],
    ["an empty skip rule", { skipSessionHeader: {} }, /skipSessionHeader/],
    ["a skip path without a slash", { skip: "health" }, /skip takes a path/],
    ["a logger without methods", { logger: {} }, /logger has no method debug/],
    ["a logger that is null", { logger: null }, /logger has no method debug/],
    ["a logger that lacks one method", { logger: { ...console, error: undefined } }, /logger has no method error/],
    ["an unknown log level", { logLevel: "loud" }, /logLevel must be/],
    ["a store without methods", { store: { getStore() {} } }, /missing.*hasSessionId/],
    ["a store for express-session", { store: { get() {}, set() {}, destroy() {} } }, /fromExpressStore\(store\)/],
    ["a store that is a function", { store: () => 1 }, /store must be a store object/],
    ["a clock that is no function", { now: 5 }, /now must be a function/],
    ["a schema that is none", { schema: { a: 5 } }, /schema/],
    ["a cap of 0", { maxSessionsPerUser: 0 }, /maxSessionsPerUser/],
    ["a cap of one and a half", { maxSessionsPerUser: 1.5 }, /maxSessionsPerUser/],
    ["a cap without a policy", { maxSessionsPerUser: { max: 1 } }, /maxSessionsPerUser/],
    ["a cap with another policy", { maxSessionsPerUser: { max: 1, policy: "evict" } }, /maxSessionsPerUser/],
    ["a cap that is null", { maxSessionsPerUser: null }, /maxSessionsPerUser/],
    ["a cap on a store that knows no users", { maxSessionsPerUser: 1, store: withoutUsers() }, /an index of users/],
    ["a maxAge over a hundred years", { maxAge: CENTURY + 1 }, /maxAge must be/],
    ["an idle limit over a hundred years", { idleTimeout: CENTURY + 1 }, /idleTimeout must be/],
    ["a sweep beyond what timers count", { sweepInterval: 3_000_000 }, /sweepInterval must be/],
    ["no time for the store", { storeTimeout: 0 }, /storeTimeout must be/],
    ["a text for the store's time", { storeTimeout: "2" }, /storeTimeout must be/],
    ["a store's time in a list", { storeTimeout: [2] }, /storeTimeout must be/],
    ["a store's time beyond what timers count", { storeTimeout: 3_000_000 }, /storeTimeout must be/],
    ["a codec without methods", { codec: { encode: String, decode: String } }, /codec must be/],
    ["no codec", { codec: null }, /codec must be/],
    ["a property that would reach a prototype", { sessionObject: "__proto__" }, /sessionObject/],
    ["a namespace that is empty", { namespace: "" }, /namespace/],
    ["a format that is none", { cookieFormat: {} }, /cookieFormat/],
  ])("%s", (_name, options, message) => {
    expect(make(options)).toThrow(TypeError);
    expect(make(options)).toThrow(message);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a hundred years", { maxAge: 0, idleTimeout: CENTURY, absoluteTimeout: CENTURY }],
    ["a maxAge of a hundred years", { maxAge: CENTURY }],
    ["a day for the store", { storeTimeout: 86_400 }],
    ["idle as long as absolute", { idleTimeout: 100, absoluteTimeout: 100 }],
    ["maxAge as long as absolute", { maxAge: 100, absoluteTimeout: 100 }],
    ["an idle limit over the default of the absolute one", { idleTimeout: 8 * 86_400 }],
    ["no idle limit beside a short absolute one", { maxAge: 10, absoluteTimeout: 20 }],
    ["a cap as a number", { maxSessionsPerUser: 1 }],
  ])("but %s is none of them", (_name, options) => {
    expect(make(options)).not.toThrow();
  });

  it("no options at all", () => {
    expect(() => createSessions(undefined as unknown as SessionOptions)).toThrow(/secretKey/);
  });
});

describe("short secrets", () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = { debug: write, info: write, warn: write, error: write };
  const short = (more: Partial<SessionOptions> = {}): unknown =>
    createSessions({ secretKey: "short", logger, ...more });

  it("are warned about with the command that makes a good one", () => {
    lines.length = 0;
    short();
    expect(lines.join()).toMatch(/fewer than 32 bytes.*randomBytes\(32\)/);
    expect(lines.join()).not.toContain('"short"');
  });

  it("are refused in production, unless allowed by name", () => {
    const before = process.env["NODE_ENV"];
    process.env["NODE_ENV"] = "production";
    try {
      expect(() => short()).toThrow(/allowShortSecret/);
      expect(() => short({ allowShortSecret: true })).not.toThrow();
      expect(() => short({ secretKey: "é".repeat(16) })).not.toThrow();
    } finally {
      process.env["NODE_ENV"] = before;
    }
  });
});

describe("the default store", () => {
  it.each([
    ["production", {}, 1],
    ["production", { store: new MemoryStore() }, 0],
    ["development", {}, 0],
  ])("in %s, with %j, is warned about %d times: it ends with the process", (mode, options, warnings) => {
    const lines: string[] = [];
    const logger = { debug() {}, info() {}, warn: (line: string) => void lines.push(line), error() {} };
    vi.stubEnv("NODE_ENV", mode);
    try {
      createSessions({ secretKey, logger, ...options });
    } finally {
      vi.unstubAllEnvs();
    }
    expect(lines.filter((line) => line.includes("memory"))).toHaveLength(warnings);
  });
});

describe("stores of two applications", () => {
  it("are never shared by default", () => {
    const [one, two] = [createSessions({ secretKey }), createSessions({ secretKey })];
    expect(one.config.store).not.toBe(two.config.store);
  });
});

describe("a lifetime over 400 days", () => {
  it("is warned about, as browsers shorten it", () => {
    const warned: string[] = [];
    const logger = { debug() {}, info() {}, warn: (line: string) => void warned.push(line), error() {} };
    createSessions({ secretKey, logger, maxAge: LONGEST_COOKIE });
    createSessions({ secretKey, logger, maxAge: 401 * 86_400 });
    expect(warned).toEqual([expect.stringContaining("400 days")]);
  });
});

describe("logLevel", () => {
  it.each([
    ["debug", ["debug", "info", "warn", "error"]],
    ["info", ["info", "warn", "error"]],
    ["warn", ["warn", "error"]],
    [undefined, ["warn", "error"]],
    ["error", ["error"]],
    ["silent", []],
  ])("%s lets through %j, with the library's name", (logLevel, levels) => {
    const lines: string[] = [];
    const write = (level: string) => (line: string) => void lines.push(`${level}: ${line}`);
    const logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
    const { log } = make({ logger, logLevel, store: new MemoryStore() })().config;
    for (const level of ["debug", "info", "warn", "error"] as const) log[level]("a message");
    expect(lines).toEqual(levels.map((level) => `${level}: [fastsession] a message`));
  });

  it("of a logger that throws breaks nothing", () => {
    const fail = (): never => {
      throw new Error("disk full");
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    expect(make({ logger, logLevel: "debug", maxAge: 401 * 86_400 })).not.toThrow();
  });
});
