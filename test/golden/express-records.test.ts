import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { jsonCodec } from "../../src/core/json-codec.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { cookieCandidates } from "../../src/http/cookie-header.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import { Browser } from "../support/browser.ts";

/**
 * What README.md in this folder says about the file. The records themselves are not read by the library: here it reads
 * their cookies, and holds their data as it is.
 */
interface Golden {
  readonly redis_records: readonly Stored[];
  readonly redis_faulty: readonly { readonly name: string; readonly value: string }[];
}
interface Stored {
  readonly name: string;
  readonly options: { readonly secret: string | readonly string[]; readonly name?: string };
  readonly store_options: { readonly prefix?: string };
  readonly request_data: string;
  /** Missing where express-session never answered. */
  readonly key?: string;
  readonly value?: string;
  readonly cookie_header?: string;
  readonly after_touch_10s?: { readonly value: string };
}

const golden = JSON.parse(readFileSync(new URL("./express-session-vectors.json", import.meta.url), "utf8")) as Golden;
const answered = golden.redis_records.filter(({ value }) => value !== undefined);
const unanswered = golden.redis_records.filter(({ value }) => value === undefined);
const secretKey = "a secret of more than thirty-two bytes";

/** The user's fields of a record, without express-session's own. */
function fieldsOf(value: string): [field: string, value: unknown][] {
  return Object.entries(JSON.parse(value) as object).filter(([field]) => field !== "cookie");
}

/** Whether a text is JSON without a key that sets prototypes. */
function isPlainJson(text: string): boolean {
  let plain = true;
  try {
    JSON.parse(text, (key, value: unknown) => {
      plain &&= key !== "__proto__";
      return value;
    });
  } catch {
    plain = false;
  }
  return plain;
}

it("the file holds records of each kind", () => {
  for (const kind of [answered, unanswered, golden.redis_faulty]) expect(kind.length).toBeGreaterThan(0);
});

describe.each(answered)("a record of connect-redis: $name", ({ options, store_options, key, value, ...rest }) => {
  it("is found by the id in its cookie", () => {
    const { secret, name = "connect.sid" } = options;
    const context = { secrets: [secret].flat(), sessionCookie: name, namespace: name, maxAge: 0 };
    const format = expressCookie()(context);
    const readings = cookieCandidates(rest.cookie_header, name).map((one) => format.read(one, 0));
    const id = key?.slice((store_options.prefix ?? "sess:").length);
    expect(readings).toEqual([{ ok: true, id, startedAt: null, stale: false }]);
  });

  it("has data that the codec reads and writes as it stands", () => {
    for (const [field, given] of fieldsOf(value as string)) {
      const text = JSON.stringify(given);
      expect(jsonCodec.decode(text)).toEqual(given);
      expect(jsonCodec.encode(jsonCodec.decode(text), field)).toBe(text);
    }
  });

  it("has data that a session of ours holds, a read later too", async () => {
    const browser = new Browser<Record<string, unknown>>(createSessions({ secretKey, cookieFormat: expressCookie() }));
    await browser.visit((session) => {
      for (const [field, given] of fieldsOf(value as string)) session.set(field, given);
    });
    const { result } = await browser.visit((session) => ({ ...session.getSession() }));
    expect(result).toEqual(JSON.parse(rest.request_data));
    if (rest.after_touch_10s !== undefined) {
      expect(result).toEqual(Object.fromEntries(fieldsOf(rest.after_touch_10s.value)));
    }
  });
});

describe.each(unanswered)("data that express-session never answered to: $name", ({ request_data }) => {
  it("is refused at once, by the codec and by the handle", async () => {
    expect(() => jsonCodec.decode(request_data)).toThrow(SyntaxError);
    const browser = new Browser<Record<string, unknown>>(createSessions({ secretKey }));
    const given = Object.entries(JSON.parse(request_data) as object);
    const { result } = await browser.visit((session) =>
      given.map(([field, one]) => {
        try {
          session.set(field, one);
          return field;
        } catch (error) {
          return error;
        }
      }),
    );
    expect(result).toContainEqual(expect.objectContaining({ code: "ERR_SESSION_VALUE" }));
  });
});

describe.each(golden.redis_faulty)("a faulty value: $name", ({ value }) => {
  it("is read as plain JSON, or refused without a word of it", () => {
    if (isPlainJson(value)) {
      expect(jsonCodec.decode(value)).toEqual(JSON.parse(value));
      expect(Object.prototype).not.toHaveProperty("polluted");
      return;
    }
    const decode = () => jsonCodec.decode(value);
    expect(decode).toThrow(SyntaxError);
    if (value !== "") expect(decode).not.toThrow(value);
  });
});
