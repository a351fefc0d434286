/** What a hostile cookie makes the server compute, counted: with eight secrets in the list, and whatever it says. */
import type * as crypto from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import type { CookieFormatFactory } from "../../src/http/cookie-format.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import { nativeCookie } from "../../src/http/native-cookie.ts";
import { pythonCookie } from "../../src/http/python-cookie.ts";

const counts = vi.hoisted(() => ({ hashes: 0 }));

/** The real module, with its calls counted: it has to be there before anything takes its functions. */
vi.mock("node:crypto", async (load) => {
  const real = await load<typeof crypto>();
  const counted =
    <A extends unknown[], R>(call: (...given: A) => R) =>
    (...given: A): R => {
      counts.hashes += 1;
      return call(...given);
    };
  return {
    ...real,
    ...(real.hash !== undefined && { hash: counted(real.hash as (...given: unknown[]) => unknown) }),
    createHmac: counted(real.createHmac as (...given: unknown[]) => unknown),
    createHash: counted(real.createHash as (...given: unknown[]) => unknown),
  };
});

const SECRETS = Array.from({ length: 8 }, (_, at) => `secret number ${at} of these tests, which everybody can read`);
const ID = "1abcdefghijklmnopqrstuvwxyzABCDEFGHI";
/** Candidates that are looked at, of as many cookies as somebody sends. */
const CANDIDATES = 4;
/** Native: two one-shot hashes where Node has them. The others' formats: one, under a key that is kept. */
const MAC = "hash" in (await import("node:crypto")) ? 2 : 1;

const formats: readonly (readonly [name: string, make: () => CookieFormatFactory, atMost: number])[] = [
  // The key id names the key.
  ["native", nativeCookie, MAC],
  ["python", () => pythonCookie(), SECRETS.length],
  ["express", () => expressCookie(), SECRETS.length],
];

describe.each(formats)("with eight secrets, the format %s", (_, make, atMost) => {
  const sessions = createSessions({ secretKey: SECRETS, cookieFormat: make() });
  const { cookie } = sessions.http;
  const now = Date.now();
  const valid = cookie.format.write(ID, now);
  const forged = valid.slice(0, -2) + (valid.endsWith("AA") ? "EE" : "AA");

  function hashesFor(header: string): number {
    counts.hashes = 0;
    expect(cookie.read(header, now).id).toBeNull();
    return counts.hashes;
  }

  it("computes nothing for what cannot be valid", () => {
    const hopeless = [
      "",
      "x",
      "sid",
      "x".repeat(8192),
      valid + "x".repeat(8192),
      valid.slice(0, -1),
      `${valid}A`,
      valid.slice(0, 20),
      ".".repeat(3000),
      "A".repeat(4096),
    ];
    for (const value of hopeless)
      expect([value.slice(0, 60), hashesFor(`sid=${value}`)]).toEqual([value.slice(0, 60), 0]);
  });

  it("computes a bounded number of MACs for what is forged, however much of it comes", () => {
    const one = hashesFor(`sid=${forged}`);
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThanOrEqual(atMost);
    const many = Array.from({ length: 1000 }, () => `sid=${forged}`).join("; ");
    expect(hashesFor(many)).toBeLessThanOrEqual(atMost * CANDIDATES);
  });
});

it("a cookie that names a key which is not in the list costs no MAC, and one that names one costs one", () => {
  const { cookie } = createSessions({ secretKey: SECRETS }).http;
  const now = Date.now();
  const values = Array.from(
    { length: 1000 },
    (_, at) => `${ID}.s44we8.${String(at).padStart(4, "_")}${"A".repeat(43)}`,
  );
  counts.hashes = 0;
  for (const value of values) expect(cookie.read(`sid=${value}`, now)).toMatchObject({ cause: "unknown-key" });
  expect(counts.hashes).toBe(0);
  const last = createSessions({ secretKey: SECRETS.slice(-1) }).http.cookie.format.write(ID, now);
  counts.hashes = 0;
  expect(cookie.read(`sid=${last}`, now)).toMatchObject({ id: ID, stale: true });
  expect(counts.hashes).toBe(MAC);
});
