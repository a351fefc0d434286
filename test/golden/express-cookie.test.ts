import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { CookieFormat, CookieReading } from "../../src/http/cookie-format.ts";
import { cookieCandidates } from "../../src/http/cookie-header.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";

/** What README.md in this folder says about the file. Records come and go: nothing here knows one by its name. */
interface Golden {
  readonly signed: readonly Signed[];
  readonly unsign: readonly Unsign[];
  readonly middleware: readonly SetUp[];
  readonly redis_records: readonly RedisRecord[];
}
type RecordedSecret = string | { readonly hex: string };
interface Signed {
  readonly id: string;
  readonly session_id: string;
  readonly secret: RecordedSecret;
  readonly value: string;
  readonly cookie_value: string;
}
interface Unsign {
  readonly id: string;
  readonly name: string;
  readonly signed: string;
  readonly secret: RecordedSecret;
  readonly result: string | false;
}
interface Options {
  readonly secret: RecordedSecret | readonly RecordedSecret[];
  readonly name?: string;
}
interface SetUp {
  readonly name: string;
  readonly options: Options;
  readonly sid?: string;
  readonly steps: readonly Step[];
}
interface Step {
  readonly name: string;
  readonly headers: { readonly cookie?: string };
  readonly session_found?: boolean;
  readonly set_cookie: readonly string[];
  readonly body: { readonly id?: string };
}
interface RedisRecord {
  readonly name: string;
  readonly options: Options;
  readonly session_id?: string;
  readonly cookie_header?: string;
}

const golden = JSON.parse(readFileSync(new URL("./express-session-vectors.json", import.meta.url), "utf8")) as Golden;

/** A record without a lifetime or a start: any instant will do. */
const NOW = 1_700_000_000_000;

function secretsOf(secret: Options["secret"]): (string | Uint8Array)[] {
  const list = Array.isArray(secret) ? (secret as readonly RecordedSecret[]) : [secret as RecordedSecret];
  return list.map((one) => (typeof one === "string" ? one : Buffer.from(one.hex, "hex")));
}

function formatOf(secret: Options["secret"]): CookieFormat {
  const context = { secrets: secretsOf(secret), sessionCookie: "connect.sid", namespace: "connect.sid", maxAge: 0 };
  return expressCookie()(context);
}

/** What each value of the header's cookies of that name turns out to be. */
function readings(header: string, { secret, name = "connect.sid" }: Options): CookieReading[] {
  const format = formatOf(secret);
  return cookieCandidates(header, name).map((value) => format.read(value, NOW));
}

const idOf = (reading: CookieReading | undefined): string | null => (reading?.ok === true ? reading.id : null);

it.each(["signed", "unsign", "middleware", "redis_records"] as const)("the file holds records of %s", (kind) => {
  expect(golden[kind].length).toBeGreaterThan(0);
});

describe("values of cookie-signature", () => {
  it.each(golden.signed)("$id is written as express-session writes it", ({ session_id, secret, cookie_value }) => {
    expect(formatOf(secret).write(session_id, NOW)).toBe(cookie_value);
  });

  it.each(golden.signed)("$id is read, encoded and plain", ({ session_id, secret, value, cookie_value }) => {
    const format = formatOf(secret);
    const wanted = session_id === "" ? { ok: false, reason: "unknown" } : { ok: true, id: session_id, stale: false };
    expect(format.read(cookie_value, NOW)).toMatchObject(wanted);
    // A "%" in a plain value would begin an escape, for express-session too.
    if (!value.includes("%")) expect(format.read(value, NOW)).toMatchObject(wanted);
  });
});

describe("what cookie-signature made of a value", () => {
  it.each(golden.unsign)("$id, $name", ({ signed, secret, result }) => {
    // An empty secret verifies nothing here: it is refused before.
    if (secret === "") {
      expect(() => formatOf(secret)).toThrow(TypeError);
      return;
    }
    expect(idOf(formatOf(secret).read(encodeURIComponent(`s:${signed}`), NOW))).toBe(result === false ? null : result);
  });
});

describe.each(golden.middleware)("express-session running: $name", ({ options, sid, steps }) => {
  const asking = steps.filter((step) => step.session_found !== undefined && step.headers.cookie !== undefined);

  it.runIf(asking.length > 0).each(asking)("$name", ({ headers, session_found, body }) => {
    const found = readings(headers.cookie as string, options);
    // It reads the first cookie of the name only; ours tries them all.
    if (session_found === true) expect(idOf(found[0])).toBe(body.id);
    else expect(idOf(found[0])).not.toBe(sid);
  });

  it("sets cookies that are read back and would be written the same", () => {
    for (const { set_cookie, body } of steps) {
      for (const line of set_cookie) {
        const pair = line.split(";", 1)[0] as string;
        const value = pair.slice(pair.indexOf("=") + 1);
        expect(readings(pair, options).map(idOf)).toEqual([body.id]);
        expect(formatOf(options.secret).write(body.id as string, NOW)).toBe(value);
      }
    }
  });
});

describe("cookies of records in Redis", () => {
  const found = golden.redis_records.filter((record) => record.cookie_header !== undefined);

  it("are there", () => {
    expect(found.length).toBeGreaterThan(0);
  });

  it.each(found)("$name", ({ options, session_id, cookie_header }) => {
    expect(readings(cookie_header as string, options).map(idOf)).toEqual([session_id]);
  });
});
