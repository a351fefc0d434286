import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import { jsonCodec } from "../../src/core/json-codec.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { repository } from "../support/source-files.ts";
import { documentAt } from "./markdown.ts";

const secretKey = "a secret of these tests, which everybody can read";
const rows = documentAt("README.md").table("Options");
const names = rows.map(([cell = ""]) => cell.replaceAll("`", ""));

/** What a row calls the default: its code where it has some, else its words. */
function documented(name: string): string {
  const cell = rows[names.indexOf(name)]?.[2] ?? "";
  return /^`([^`]+)`/.exec(cell)?.[1] ?? cell;
}

/** The members of the interfaces that make up `SessionOptions`, as the compiler reads them. */
function declaredOptions(): string[] {
  return [
    ["core/options.ts", "LifeOptions"],
    ["http/cookie-options.ts", "CookieOptions"],
    ["create-sessions.ts", "SessionOptions"],
  ].flatMap(([file = "", name]) => {
    const text = readFileSync(join(repository, "src", file), "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
    const found = source.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name);
    return (found as ts.InterfaceDeclaration).members.map((member) => member.name?.getText() ?? "");
  });
}

describe("the README's table of options", () => {
  test("has every option, once, and none that does not exist", () => {
    expect(names.toSorted()).toEqual(declaredOptions().toSorted());
  });

  test("agrees with what unknown options are told", () => {
    const told = (): unknown => createSessions({ secretKey, unknown: 1 } as never);
    expect(told).toThrow(TypeError);
    try {
      told();
    } catch (error) {
      const known = (error as Error).message.replace(/^.*: known are /, "").split(", ");
      expect(names.toSorted()).toEqual(known.toSorted());
    }
  });

  test("has the defaults of the code", () => {
    const { config, http } = createSessions({ secretKey });
    const { lifetime } = config;
    const line = http.cookie.line("x".repeat(36), 0, null, true);
    const seconds = (milliseconds: number | null): number | null => milliseconds && milliseconds / 1000;
    const actual: Record<string, unknown> = {
      maxAge: lifetime.maxAge,
      rolling: lifetime.rolling,
      idleTimeout: seconds(lifetime.idle),
      absoluteTimeout: seconds(lifetime.absolute),
      rotationGrace: seconds(config.rotationGrace),
      storeTimeout: seconds(config.storeTimeout),
      maxSessionBytes: config.maxSessionBytes,
      saveUninitialized: config.saveUninitialized,
      saveOnError: config.saveOnError,
      onConflict: config.onConflict,
      onStoreError: config.onStoreError,
      load: config.lazy ? "lazy" : "eager",
      sessionCookie: http.cookie.name,
      sessionObject: http.sessionObject,
      secure: http.secure,
      trustProxy: http.trustProxy,
      csrf: http.csrf !== null,
      httpOnly: line.includes("; HttpOnly"),
      sameSite: /; SameSite=(\w+)/.exec(line)?.[1]?.toLowerCase(),
      path: /; Path=([^;]+)/.exec(line)?.[1],
      partitioned: line.includes("; Partitioned"),
    };
    const said = Object.fromEntries(Object.keys(actual).map((name) => [name, JSON.parse(documented(name))]));
    expect(said).toEqual(actual);
  });

  test("has the defaults that are no plain values", () => {
    const { config, http } = createSessions({ secretKey });
    const line = http.cookie.line("x".repeat(36), 0, null, true);
    expect([documented("store"), config.store]).toEqual(["new MemoryStore()", expect.any(MemoryStore)]);
    expect([documented("now"), config.now]).toEqual(["Date.now", Date.now]);
    expect([documented("cookieFormat"), http.cookie.format.name]).toEqual(["nativeCookie()", "native"]);
    expect([documented("namespace"), config.namespace]).toEqual(["the cookie's name", "sid"]);
    expect([documented("codec"), config.codec.encode({ a: 1 }, "")]).toEqual([
      "jsonCodec",
      jsonCodec.encode({ a: 1 }, ""),
    ]);
    expect([documented("domain"), documented("priority"), line]).toEqual([
      "none",
      "none",
      expect.not.stringMatching(/Domain|Priority/),
    ]);
    expect([documented("skip"), documented("skipSessionHeader"), http.skip]).toEqual(["none", "none", null]);
    expect([documented("schema"), config.admit]).toEqual(["none", null]);
    expect([documented("encryption"), config.encryption]).toEqual(["none", null]);
    expect([documented("maxSessionsPerUser"), config.cap]).toEqual(["none", null]);
    expect([documented("rotateEvery"), config.rotateEvery]).toEqual(["none", Infinity]);
    expect([documented("secretKey"), documented("idGenerator")]).toEqual(["required", "192 random bits"]);
  });

  test("has the default size of a field, to the byte", () => {
    const { codec } = createSessions({ secretKey }).config;
    const limit = Number(documented("maxFieldBytes"));
    const text = (bytes: number): string => "x".repeat(bytes - '""'.length);
    expect(codec.encode(text(limit), "a")).toHaveLength(limit);
    expect(() => codec.encode(text(limit + 1), "a")).toThrow(FastSessionError);
  });

  test("has the defaults with maxAge, and with rolling", () => {
    const lifetimeOf = (options: object) => createSessions({ secretKey, ...options }).config.lifetime;
    expect(lifetimeOf({ maxAge: 100 })).toMatchObject({ idle: null, absolute: 100_000 });
    expect(lifetimeOf({ maxAge: 100, rolling: true })).toMatchObject({ idle: 100_000, absolute: 30 * 86_400_000 });
    expect(lifetimeOf({ maxAge: 40 * 86_400, rolling: true })).toMatchObject({ absolute: 40 * 86_400_000 });
  });

  test("has the interval of the sweep that the option's own comment names", () => {
    const text = readFileSync(join(repository, "src/core/options.ts"), "utf8");
    const [, commented] = /@defaultValue (\d+) \*\/\s+readonly sweepInterval/.exec(text) ?? [];
    expect(documented("sweepInterval")).toBe(commented);
  });
});
