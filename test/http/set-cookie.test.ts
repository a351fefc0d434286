import { parseSetCookie } from "cookie";
import { CookieJar } from "tough-cookie";
import { describe, expect, it } from "vitest";
import { FastSessionError } from "../../src/core/errors.ts";
import { checkCookieAttributes, createCookieWriter } from "../../src/http/set-cookie.ts";
import type { CookieAttributes } from "../../src/http/set-cookie.ts";

const DEFAULTS: CookieAttributes = {
  name: "sid",
  path: "/",
  httpOnly: true,
  secure: true,
  sameSite: "lax",
  partitioned: false,
};

/** Attributes as a program without types could hand them in. */
function attributes(changes: Record<string, unknown>): CookieAttributes {
  return { ...DEFAULTS, ...changes };
}

function check(changes: Record<string, unknown>): void {
  checkCookieAttributes(attributes(changes));
}

const secure = true;

describe("checkCookieAttributes", () => {
  it.each<Record<string, unknown>>([
    {},
    { secure: false },
    { secure: "auto" },
    { httpOnly: false },
    { sameSite: "strict" },
    { sameSite: "none" },
    { partitioned: true },
    { priority: "low" },
    { priority: "medium" },
    { priority: "high" },
    { path: "/app" },
    { path: "/a%20b/~c" },
    { path: `/${"a".repeat(1023)}` },
    { domain: "example.com" },
    { domain: ".example.com" },
    { domain: "xn--bcher-kva.example" },
    { domain: "localhost" },
    { domain: `${"a.".repeat(126)}aa` },
    { domain: "127.0.0.1" },
    { name: "connect.sid" },
    { name: "!#$%&'*+-.^_`|~09azAZ" },
    { name: "__Host-sid" },
    { name: "__Secure-sid", path: "/app", domain: "example.com" },
    { name: "__Http-sid", path: "/app", domain: "example.com" },
    { name: "__Host-Http-sid" },
    { name: "__Host-sid", httpOnly: false },
    { name: "__Secure-sid", httpOnly: false },
    { name: "__Hostsid", secure: false, path: "/app" },
    { name: "a__Host-sid", secure: false, path: "/app" },
  ])("takes %j", (changes) => {
    expect(() => check(changes)).not.toThrow();
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ name: "__Host-sid", secure: false }, /secure: true/],
    [{ name: "__Host-sid", secure: "auto" }, /secure: true/],
    [{ name: "__Host-sid", path: "/app" }, /path: "\/"/],
    [{ name: "__Host-sid", domain: "example.com" }, /leave domain out/],
    [{ name: "__HOST-sid", secure: false }, /secure: true/],
    [{ name: "__host-sid", domain: "example.com" }, /leave domain out/],
    [{ name: "__Secure-sid", secure: false }, /secure: true/],
    [{ name: "__Secure-sid", secure: "auto" }, /secure: true/],
    [{ name: "__secure-sid", secure: false }, /secure: true/],
    [{ name: "__Http-sid", secure: false }, /secure: true/],
    [{ name: "__Http-sid", httpOnly: false }, /httpOnly: true/],
    [{ name: "__hTTP-sid", httpOnly: false }, /httpOnly: true/],
    [{ name: "__Host-Http-sid", secure: false }, /secure: true/],
    [{ name: "__Host-Http-sid", httpOnly: false }, /httpOnly: true/],
    [{ name: "__Host-Http-sid", path: "/app" }, /path: "\/"/],
    [{ name: "__Host-Http-sid", domain: "example.com" }, /leave domain out/],
    [{ name: "__host-http-sid", httpOnly: false }, /httpOnly: true/],
    [{ sameSite: "none", secure: false }, /secure: true/],
    [{ sameSite: "none", secure: "auto" }, /secure: true/],
    [{ partitioned: true, secure: false }, /secure: true/],
    [{ partitioned: true, secure: "auto" }, /secure: true/],
    [{ name: "" }, /cookie name/],
    [{ name: undefined }, /cookie name/],
    [{ name: "s id" }, /cookie name/],
    [{ name: "sid=" }, /cookie name/],
    [{ name: "s\u00efd" }, /cookie name/],
    [{ path: "" }, /percent-encode/],
    [{ path: "app" }, /begin with "\/"/],
    [{ path: undefined }, /path/],
    [{ path: `/${"a".repeat(1024)}` }, /path/],
    [{ domain: "" }, /host name/],
    [{ domain: "https://example.com" }, /host name/],
    [{ domain: "example.com:443" }, /host name/],
    [{ domain: "example.com." }, /host name/],
    [{ domain: "-example.com" }, /host name/],
    [{ domain: "b\u00fccher.example" }, /xn--/],
    [{ domain: "a".repeat(255) }, /host name/],
    [{ domain: 5 }, /host name/],
    [{ domain: ["a.example"] }, /host name/],
    [{ sameSite: "Lax" }, /sameSite/],
    [{ sameSite: true }, /sameSite/],
    [{ sameSite: undefined }, /sameSite/],
    [{ sameSite: "lax; Domain=evil.example" }, /sameSite/],
    [{ sameSite: "toString" }, /sameSite/],
    [{ priority: "High" }, /priority/],
    [{ priority: ["high"] }, /priority/],
    [{ priority: "high\r\nSet-Cookie: a=b" }, /priority/],
    [{ httpOnly: "true" }, /httpOnly must be/],
    [{ partitioned: undefined }, /partitioned must be/],
    [{ secure: "true" }, /secure must be/],
    [{ secure: undefined }, /secure must be/],
  ])("refuses %j and says what to do", (changes, remedy) => {
    expect(() => check(changes)).toThrow(TypeError);
    expect(() => check(changes)).toThrow(remedy);
  });

  const breakers = ["\r", "\n", "\0", "\x1f", "\x7f", ";", ",", " ", "\t", "\u00a0", "\u2028", "\u{1f36a}"];
  it.each(breakers)("lets %j into no name, path or domain", (character) => {
    expect(() => check({ name: `s${character}id` })).toThrow(TypeError);
    expect(() => check({ path: `/a${character}b` })).toThrow(TypeError);
    expect(() => check({ path: `/a${character}` })).toThrow(TypeError);
    expect(() => check({ domain: `a${character}.example` })).toThrow(TypeError);
    expect(() => check({ domain: `a.example${character}` })).toThrow(TypeError);
  });
});

describe("createCookieWriter", () => {
  it("writes a cookie of the browser session with the safe defaults", () => {
    const writer = createCookieWriter(DEFAULTS);
    expect(writer.line("abc", null, secure)).toBe("sid=abc; Path=/; HttpOnly; Secure; SameSite=Lax");
  });

  it("writes every attribute as another implementation reads it", () => {
    const writer = createCookieWriter(
      attributes({ path: "/app", domain: "example.com", sameSite: "none", partitioned: true, priority: "high" }),
    );
    expect(parseSetCookie(writer.line("a.b-c_d", 3600, secure))).toEqual({
      name: "sid",
      value: "a.b-c_d",
      path: "/app",
      domain: "example.com",
      httpOnly: true,
      secure: true,
      sameSite: "none",
      partitioned: true,
      priority: "high",
      maxAge: 3600,
    });
  });

  it("writes Secure as it is told for the request", () => {
    const writer = createCookieWriter(attributes({ secure: "auto", httpOnly: false, sameSite: "strict" }));
    expect(writer.line("abc", 60, false)).toBe("sid=abc; Max-Age=60; Path=/; SameSite=Strict");
    expect(writer.line("abc", 60, true)).toBe("sid=abc; Max-Age=60; Path=/; Secure; SameSite=Strict");
    expect(writer.expired(false)).not.toContain("Secure");
    expect(writer.expired(true)).toContain("; Secure");
  });

  it("writes a lifetime as it is told, in digits alone", () => {
    const writer = createCookieWriter(DEFAULTS);
    expect(writer.line("abc", 3_153_600_000, secure)).toContain("; Max-Age=3153600000;");
    expect(writer.line("abc", Number.MAX_SAFE_INTEGER, secure)).toContain("; Max-Age=9007199254740991;");
  });

  it.each([1.5, 0, -1, 1e21, Number.NaN, Infinity, "3600", true])("refuses %j as Max-Age", (maxAge) => {
    const writer = createCookieWriter(DEFAULTS);
    expect(() => writer.line("abc", maxAge as number, secure)).toThrow(TypeError);
  });

  it("refuses name and value over 4096 octets together, which browsers drop", () => {
    const writer = createCookieWriter(DEFAULTS);
    expect(writer.line("a".repeat(4093), null, secure)).toContain("a;");
    const refusal = expect(() => writer.line("a".repeat(4094), null, secure));
    refusal.toThrow(FastSessionError);
    refusal.toThrow(expect.objectContaining({ code: "ERR_SESSION_TOO_LARGE" }));
  });

  it.each(["\r", "\n", "\0", ";", ",", " ", '"', "\\", "\x7f", "\u00a0", "\u2028"])(
    "lets %j into no value",
    (character) => {
      const writer = createCookieWriter(DEFAULTS);
      expect(() => writer.line(`a${character}b`, null, secure)).toThrow(TypeError);
      expect(() => writer.line(`a${character}`, null, secure)).toThrow(TypeError);
    },
  );
});

describe("an expired cookie", () => {
  const combinations = ["sid", "__Host-sid", "__Secure-sid", "__Host-Http-sid"].flatMap((name) =>
    ["/", "/app"].flatMap((path) =>
      [undefined, "example.com", ".example.com"].flatMap((domain) =>
        (["lax", "none"] as const).flatMap((sameSite) =>
          [true, false].map((partitioned): CookieAttributes => ({
            ...DEFAULTS,
            name,
            path,
            sameSite,
            partitioned,
            ...(domain === undefined ? {} : { domain }),
          })),
        ),
      ),
    ),
  );
  const valid = combinations.filter(
    ({ name, path, domain }) => !name.startsWith("__Host-") || (path === "/" && domain === undefined),
  );

  it.each(valid)(
    "empties a browser's jar: $name, $path, $domain, $sameSite, partitioned $partitioned",
    async (cookie) => {
      checkCookieAttributes(cookie);
      const writer = createCookieWriter(cookie);
      const jar = new CookieJar(undefined, { prefixSecurity: "strict" });
      const url = "https://example.com/app/page";
      await jar.setCookie(writer.line("abc", 3600, secure), url);
      expect(await jar.getCookieString(url)).toBe(`${cookie.name}=abc`);
      await jar.setCookie(writer.expired(secure), url);
      expect(await jar.getCookies(url)).toEqual([]);
    },
  );

  it("differs from the living one in value and lifetime only", () => {
    const writer = createCookieWriter(attributes({ domain: "example.com", partitioned: true, priority: "low" }));
    const living = writer.line("abc", null, secure).split("; ").slice(1);
    const [pair, ...dead] = writer.expired(secure).split("; ");
    expect(pair).toBe("sid=");
    expect(dead).toEqual(["Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT", ...living]);
  });
});
