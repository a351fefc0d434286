import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { validateHeaderValue } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { inflateSync } from "node:zlib";
import { parseCookie, parseSetCookie, stringifySetCookie } from "cookie";
import { Cookie, CookieJar, MemoryCookieStore } from "tough-cookie";
import { expect, it } from "vitest";
import { cookieCandidates } from "../../src/http/cookie-header.ts";
import { checkCookieAttributes, type CookieAttributes, createCookieWriter } from "../../src/http/set-cookie.ts";
import { TimedSignatureSerializer } from "../../src/http/timed-signature-serializer.ts";
import { bend, Random } from "../fuzz/random.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_123);

/** Whether a request or response with this header value gets through Node at all. */
function passesNode(name: string, value: string): boolean {
  try {
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

const crumbs = [
  "sid=",
  "; ",
  ";",
  "=",
  '"',
  " ",
  "\t",
  "sid",
  "Sid=",
  "x=1",
  "%41",
  "\u00a0",
  "\u00ff",
  "\0",
  "\x0b",
  ",",
  "\\",
  "__proto__=",
  "",
];
const seeds = [
  "sid=a",
  "a=b; sid=c; sid=d",
  'sid="q"; x=""',
  "sid; sid =e",
  "=sid=f; sid=g=h==",
  `sid=${"x".repeat(4097)}; sid=y`,
];

/** Where we read another value than the package `cookie`, and why. Nothing else differs. */
const COOKIE_DIFFERENCES: readonly (readonly [
  why: string,
  ours: (theirs: string | undefined, header: string) => boolean,
])[] = [
  [
    "one pair of quotes is taken off: RFC 6265bis lets a server do so, and Werkzeug and older versions of `cookie` do",
    (theirs) => /^".*"$/s.test(theirs ?? ""),
  ],
  ["values over 4096 octets are dropped: no browser keeps one", (theirs) => (theirs ?? "").length > 4096],
];

it("the Cookie header is read as the package cookie reads it in 200,000 variants, but for two listed differences", () => {
  const random = new Random(SEED);
  const met = new Set<string>();
  let reached = 0;
  for (let run = 0; run < 200_000; run++) {
    const header = bend(random, random.pick(seeds), seeds, crumbs);
    // What Node refuses reaches neither.
    if (!passesNode("cookie", header)) continue;
    const theirs = parseCookie(header, { decode: (text) => text })["sid"];
    const [ours] = cookieCandidates(header, "sid");
    if (ours !== undefined) reached += 1;
    if (ours === theirs) continue;
    const why = COOKIE_DIFFERENCES.find(([, applies]) => applies(theirs, header))?.[0];
    if (why === undefined) expect.fail(`${JSON.stringify(header)}: ${JSON.stringify({ ours, theirs })}`);
    met.add(why);
  }
  expect(reached).toBeGreaterThan(50_000);
  expect([...met].sort()).toEqual(COOKIE_DIFFERENCES.map(([why]) => why).sort());
});

/** Attributes at random, of which those that the library refuses are left out. */
function attributesOf(random: Random): CookieAttributes | null {
  const attributes: CookieAttributes = {
    name: random.pick(["sid", "__Host-sid", "__Secure-sid", "connect.sid", "!#$%&'*+-.^_`|~"]),
    path: random.pick(["/", "/", "/app", "/a%20b/~"]),
    ...(random.oneIn(3) ? { domain: random.pick(["shop.example", ".shop.example", "xn--bcher-kva.example"]) } : {}),
    httpOnly: random.oneIn(2),
    secure: !random.oneIn(4),
    sameSite: random.pick(["lax", "strict", "none"]),
    partitioned: random.oneIn(3),
    ...(random.oneIn(3) ? { priority: random.pick(["low", "medium", "high"]) } : {}),
  };
  try {
    checkCookieAttributes(attributes);
    return attributes;
  } catch {
    return null;
  }
}

const VALUE_CHARACTERS = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).filter(
  (one) => !'",;\\'.includes(one),
);

function valueOf(random: Random): string {
  return Array.from({ length: 1 + random.below(120) }, () => random.pick(VALUE_CHARACTERS)).join("");
}

it("Set-Cookie lines say the same as those of the package cookie, and get through Node", () => {
  const random = new Random(SEED);
  for (let run = 0; run < 20_000; run++) {
    const attributes = attributesOf(random);
    if (attributes === null) continue;
    const secure = attributes.secure === true;
    const value = valueOf(random);
    const maxAge = random.pick([null, 1, 86_400]);
    const ours = createCookieWriter(attributes).line(value, maxAge, secure);
    expect(passesNode("set-cookie", ours)).toBe(true);
    const { name, ...rest } = attributes;
    const given = { ...rest, ...(maxAge === null ? {} : { maxAge }), secure };
    const theirs = stringifySetCookie(name, value, { ...given, encode: (text: string) => text });
    const parts = (line: string): string[] => line.split("; ").toSorted((a, b) => (a < b ? -1 : 1));
    expect(parts(ours)).toEqual(parts(theirs));
    const {
      value: read,
      httpOnly = false,
      partitioned = false,
      ...facts
    } = parseSetCookie(ours, { decode: (text) => text });
    expect({ ...facts, httpOnly, partitioned, value: read }).toEqual({
      ...given,
      name,
      value,
      ...(secure ? {} : { secure: undefined }),
    });
  }
});

it("what a browser (tough-cookie) keeps of our Set-Cookie lines comes back as we wrote it, and goes when we expire it", async () => {
  const random = new Random(SEED);
  const url = "https://www.shop.example/app/page";
  let kept = 0;
  for (let run = 0; run < 3000; run++) {
    const attributes = attributesOf(random);
    // tough-cookie compares paths after decoding the request's; browsers compare them as they stand (RFC 6265bis, 5.1.4).
    if (attributes === null || attributes.path.includes("%") || attributes.domain?.startsWith("xn--")) continue;
    const writer = createCookieWriter(attributes);
    const value = valueOf(random);
    const jar = new CookieJar(new MemoryCookieStore(), { prefixSecurity: "strict", rejectPublicSuffixes: false });
    const stored = await jar.setCookie(writer.line(value, random.pick([null, 60]), attributes.secure === true), url);
    expect(stored, "a line that the browser refuses").toBeInstanceOf(Cookie);
    const sent = await jar.getCookieString(url);
    expect(cookieCandidates(sent, attributes.name)).toEqual([value]);
    await jar.setCookie(writer.expired(attributes.secure === true), url);
    expect(await jar.getCookies(url, { allPaths: true })).toEqual([]);
    kept += 1;
  }
  expect(kept).toBeGreaterThan(1000);
});

it("no character that our writer lets into a value is one that Node, cookie or tough-cookie would alter", () => {
  const attributes = {
    name: "sid",
    path: "/",
    httpOnly: true,
    secure: true,
    sameSite: "lax",
    partitioned: false,
  } as const;
  const writer = createCookieWriter(attributes);
  let written = 0;
  for (let code = 0; code < 0x300; code++) {
    const value = `a${String.fromCharCode(code)}b`;
    let line: string;
    try {
      line = writer.line(value, null, true);
    } catch {
      continue;
    }
    written += 1;
    expect(passesNode("set-cookie", line)).toBe(true);
    expect(parseSetCookie(line, { decode: (text) => text }).value).toBe(value);
    expect(Cookie.parse(line)?.value).toBe(value);
  }
  expect(written).toBe(VALUE_CHARACTERS.length);
});

interface Vector {
  readonly secret: unknown;
  readonly salt: string;
  readonly digest: "sha1" | "sha256" | "sha384" | "sha512";
  readonly key_derivation: string;
  readonly token: string;
}

/** itsdangerous in the order of its source, as lenient as it is: base64 that is not canonical, a payload with a byte order mark. */
function reference(token: string, key: Buffer, digest: string): { readonly data: unknown } | null {
  const [, payload = "", time = "", signature = ""] = /^(.*)\.([^.]*)\.([^.]*)$/s.exec(token) ?? [];
  const mac = createHmac(digest, key).update(`${payload}.${time}`).digest();
  if (!mac.equals(Buffer.from(signature, "base64url"))) return null;
  try {
    const bytes = Buffer.from(payload.replace(/^\./, ""), "base64url");
    return { data: JSON.parse((payload.startsWith(".") ? inflateSync(bytes) : bytes).toString()) as unknown };
  } catch {
    return null;
  }
}

it("tokens that a lenient reader refuses we refuse, and read as it does what we take, in 60,000 bent vectors of itsdangerous", () => {
  const { vectors } = JSON.parse(
    readFileSync(new URL("../golden/itsdangerous-vectors.json", import.meta.url), "utf8"),
  ) as { vectors: Vector[] };
  const usable = vectors.filter(
    (one) => typeof one.secret === "string" && one.key_derivation === "none" && one.token.length < 2000,
  );
  expect(usable.length).toBeGreaterThan(3);
  const random = new Random(SEED);
  let taken = 0;
  let stricter = 0;
  for (let run = 0; run < 60_000; run++) {
    const { secret, salt, digest, token } = random.pick(usable);
    const key = Buffer.from(secret as string);
    const serializer = new TimedSignatureSerializer(key, { salt, digest, keyDerivation: "none" });
    const bent = run < usable.length * 20 ? token : bend(random, token, [token, random.pick(usable).token]);
    const theirs = reference(bent, key, digest);
    const { data, error } = serializer.decode(bent);
    if (error === null) {
      taken += 1;
      if (theirs === null || !isDeepStrictEqual(theirs.data, data)) expect.fail(JSON.stringify({ bent, data, theirs }));
    } else if (theirs !== null) stricter += 1;
  }
  expect(taken).toBeGreaterThan(usable.length);
  // Signatures in another spelling (the last character's spare bits, padding, "+" for "-") are the one difference.
  expect(stricter).toBeGreaterThan(0);
});
