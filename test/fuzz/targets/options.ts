import { validateHeaderValue } from "node:http";
import { isPromise } from "../../../src/core/awaitable.ts";
import { FastSessionError } from "../../../src/core/errors.ts";
import { createJsonCodec } from "../../../src/core/json-codec.ts";
import { structuredCodec } from "../../../src/core/structured-codec.ts";
import { createSessions } from "../../../src/create-sessions.ts";
import { expressCookie } from "../../../src/http/express-cookie.ts";
import { nativeCookie } from "../../../src/http/native-cookie.ts";
import { pythonCookie } from "../../../src/http/python-cookie.ts";
import { TimedSignatureSerializer } from "../../../src/http/timed-signature-serializer.ts";
import { fromExpressStore } from "../../../src/stores/express-store.ts";
import { MemoryStore } from "../../../src/stores/memory.ts";
import { SqliteStore } from "../../../src/stores/sqlite.ts";
import { Visit } from "../../support/browser.ts";
import type { Random } from "../random.ts";
import { type Target, unpolluted } from "../target.ts";

interface Recipe {
  readonly door: keyof typeof doors;
  /** Names of options, and names of values in the palette. */
  readonly options: readonly (readonly [string, string])[];
}

const SECRET = "a secret of more than thirty-two bytes";
const express = { get: () => undefined, set: () => undefined, destroy: () => undefined };
const schema = { "~standard": { version: 1, vendor: "fuzz", validate: (value: unknown) => ({ value }) } };

/** Values, right ones for some option among them. By name, so that a case is plain JSON. */
const palette: Readonly<Record<string, () => unknown>> = {
  ...Object.fromEntries(
    [
      null,
      true,
      false,
      0,
      -0,
      1,
      -1,
      0.5,
      60,
      3600,
      86_400,
      1e12,
      1e308,
      5e-324,
      2 ** 31,
      2 ** 53,
      "",
      "x",
      "lax",
      "none",
      "strict",
      "/",
      "auto",
      "__Host-sid",
      "__Secure-x",
      "sid; Path=/",
      "a\r\nSet-Cookie: b=c",
      "\u65e5",
      "shop.example",
      "low",
      "/\u00e9",
      "eager",
      "lazy",
      "silent",
      "evict-idle",
      "reject",
      "anonymous",
      "sha512",
      "concat",
      "__proto__",
      "constructor",
      "\0",
      "x".repeat(5000),
      SECRET,
    ].map((value) => [Object.is(value, -0) ? "-0" : JSON.stringify(value).slice(0, 40), () => value]),
  ),
  undefined: () => undefined,
  NaN: () => NaN,
  Infinity: () => Infinity,
  bigint: () => 1n,
  symbol: () => Symbol("fuzz"),
  "new Date(NaN)": () => new Date(NaN),
  "() => undefined": () => () => undefined,
  "() => {throw}": () => () => {
    throw new Error("of the fuzz");
  },
  "() => NaN": () => () => NaN,
  "() => 'x'": () => () => "x",
  "() => now": () => () => 1_800_000_000_000,
  "() => promise": () => () => Promise.resolve(1),
  "[]": () => [],
  "[null]": () => [null],
  "['']": () => [""],
  "['a','']": () => ["a", ""],
  "[SECRET]": () => [SECRET],
  "[[SECRET]]": () => [[SECRET]],
  "{}": () => ({}),
  "create(null)": () => Object.create(null) as object,
  "{__proto__}": () => JSON.parse('{"__proto__":{"polluted":1}}') as object,
  "{keys}": () => ({ keys: [SECRET] }),
  "{keys:['']}": () => ({ keys: [""] }),
  "{max,policy}": () => ({ max: 2, policy: "evict-idle" }),
  "{max:NaN}": () => ({ max: NaN }),
  "{headerName}": () => ({ headerName: "x", headerValue: "*" }),
  "{trustedOrigins}": () => ({ trustedOrigins: ["https://shop.example"] }),
  "{n:schema}": () => ({ n: schema }),
  "{n:null}": () => ({ n: null }),
  schema: () => schema,
  "Uint8Array(0)": () => new Uint8Array(0),
  "Uint8Array(32)": () => new Uint8Array(32).fill(7),
  RegExp: () => /x/g,
  console: () => console,
  Proxy: () => new Proxy({}, {}),
  MemoryStore: () => new MemoryStore(),
  SqliteStore: () => new SqliteStore(":memory:"),
  ExpressStore: () =>
    fromExpressStore({
      ...express,
      get: (_: string, done: (error: null) => void) => done(null),
      set: (_: string, __: never, done: () => void) => done(),
    }),
  jsonCodec: () => createJsonCodec(),
  structuredCodec: () => structuredCodec,
  nativeCookie: () => nativeCookie(),
  "[pythonCookie]": () => [pythonCookie()],
  expressCookie: () => expressCookie(),
};
const values = Object.keys(palette);

const NAMES = [
  "absoluteTimeout",
  "acceptCookies",
  "allowShortSecret",
  "codec",
  "cookieFormat",
  "csrf",
  "domain",
  "encryption",
  "httpOnly",
  "idGenerator",
  "idleTimeout",
  "load",
  "logLevel",
  "maxAge",
  "maxFieldBytes",
  "maxSessionBytes",
  "maxSessionsPerUser",
  "namespace",
  "now",
  "onConflict",
  "onStoreError",
  "partitioned",
  "path",
  "priority",
  "rolling",
  "rotateEvery",
  "rotationGrace",
  "sameSite",
  "saveOnError",
  "saveUninitialized",
  "schema",
  "secretKey",
  "secure",
  "sessionCookie",
  "sessionObject",
  "skip",
  "skipSessionHeader",
  "store",
  "storeTimeout",
  "sweepInterval",
  "trustProxy",
  "logger",
  "secretkey",
  "__proto__",
  "constructor",
  "toString",
];

/** Who takes options, and which names it knows. */
const doors = {
  createSessions: { names: NAMES, open: used },
  pythonCookie: {
    names: ["secretKey", "salt", "digest", "keyDerivation", "leeway", "signAgain"],
    open: (options: never) => used({ cookieFormat: pythonCookie(options) }),
  },
  expressCookie: { names: ["secretKey"], open: (options: never) => used({ cookieFormat: expressCookie(options) }) },
  serializer: {
    names: ["salt", "digest", "keyDerivation", "expiredIn", "leeway", "now"],
    open: (options: never) => void new TimedSignatureSerializer(SECRET, options),
  },
  jsonCodec: { names: ["maxDepth"], open: (options: never) => void createJsonCodec(options) },
  memoryStore: {
    names: ["maxSessions", "maxBytes"],
    open: (options: never) => used({ store: new MemoryStore(options) }),
  },
  expressStore: { names: ["keys", "consistency"], open: (options: never) => void fromExpressStore(express, options) },
  sqliteStore: {
    names: ["durability", "busyTimeout", "busyDeadline"],
    open: (options: never) => used({ store: new SqliteStore(":memory:", options) }),
  },
};

/** Options of programs, right, wrong and absurd: they work, or are a TypeError that names the remedy. */
export const optionObjects: Target<Recipe> = {
  name: "options",
  seeds: Object.keys(doors).map((door) => ({ door: door as Recipe["door"], options: [] })),
  bend(random, { door }) {
    const { names } = doors[random.oneIn(2) ? door : "createSessions"];
    const count = 1 + random.below(random.oneIn(2) ? 2 : 6);
    const chosen = Array.from({ length: count }, () => random.pick(names));
    const options = chosen.map((name) => [name, valueOf(random, name)] as const);
    return { door: names === NAMES ? "createSessions" : door, options };
  },
  async check({ door, options }) {
    const made = Object.fromEntries(options.map(([name, value]) => [name, palette[value]?.()]));
    try {
      await doors[door].open(made as never);
      unpolluted();
      return "works";
    } catch (error) {
      unpolluted();
      if (error instanceof Error && error.message === "of the fuzz") return "failed itself";
      if (error instanceof TypeError && !isOfEngine(error)) return "refused";
      throw error;
    }
  },
};

/** Half of the numbers' values are numbers, so that some combinations get to work. */
function valueOf(random: Random, name: string): string {
  const likely = random.oneIn(2) ? LIKELY.find(([names]) => names.test(name)) : undefined;
  return random.pick(likely?.[1] ?? values);
}

const LIKELY: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /Timeout|Age|Every|Grace|Interval|Bytes|max|leeway|expiredIn/,
    ["0.5", "1", "60", "3600", "86400", "1000000000000", "1e+308", "5e-324", "2147483648"],
  ],
  [/only|secure|partitioned|rolling|save|trust|allow|signAgain|csrf/i, ["true", "false", '"auto"']],
  [/store$/, ["MemoryStore", "SqliteStore", "ExpressStore"]],
];

/** A TypeError that nobody wrote: no remedy in it. */
function isOfEngine({ message }: TypeError): boolean {
  return (
    message.length < 20 ||
    /^(Cannot|Class |Invalid|Reduce|The "|The first|.{0,60} is not (a function|iterable|an object|a constructor|extensible)|.{0,40} is not defined)/.test(
      message,
    )
  );
}

/** Two requests. */
async function used(options: Record<string, unknown>): Promise<void> {
  // What an own function throws or answers is the program's affair.
  const own = Object.values(options).some((value) => typeof value === "function");
  const sessions = createSessions({ secretKey: SECRET, logger: silent, ...options } as never);
  const secrets = [options["secretKey"] ?? SECRET].flat() as { length: number }[];
  if (secrets.length === 0 || secrets.some((secret) => secret.length === 0)) throw new Error("takes an empty secret");
  try {
    const lines = await visited(new Visit(sessions, undefined), 1);
    for (const line of lines) validateHeaderValue("set-cookie", line);
    await visited(new Visit(sessions, lines[0]?.split(";", 1)[0]), 2);
  } catch (error) {
    if (!own && !(error instanceof FastSessionError)) throw error;
  } finally {
    await sessions.close();
  }
}

async function visited(visit: Visit, n: number): Promise<string[]> {
  const ready = visit.exchange.prepare();
  if (isPromise(ready)) await ready;
  const { session } = visit;
  await session.load();
  session.set("n", n);
  const lines = await visit.end();
  const { expiresAt } = session.info;
  // The last instant that a Date has.
  if (expiresAt !== null && !(Math.abs(expiresAt) <= 8.64e15)) throw new Error("a session that ends at no date");
  return lines;
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
