import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/session-id.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import { nativeCookie } from "../../src/http/native-cookie.ts";
import { SessionCookie } from "../../src/http/session-cookie.ts";
import { createCookieWriter } from "../../src/http/set-cookie.ts";

const DAY = 86_400_000;
const NOW = 1_700_000_000_000;

const SECRET = "a secret of more than thirty-two bytes";

function create(secrets: string[] = [SECRET]): {
  cookie: SessionCookie;
  macs: () => number;
} {
  let macs = 0;
  const context = { secrets, sessionCookie: "sid", namespace: "sid", maxAge: 0 };
  const native = nativeCookie()(context);
  const counted = { ...native, read: (value: string, now: number) => (macs++, native.read(value, now)) };
  const writer = createCookieWriter({
    name: "sid",
    path: "/",
    httpOnly: true,
    secure: false,
    sameSite: "lax",
    partitioned: false,
  });
  return { cookie: new SessionCookie("sid", counted, [expressCookie()(context)], writer, 7 * DAY), macs: () => macs };
}

const headerOf = (cookie: SessionCookie, id: string): string =>
  cookie.line(id, NOW, null, false).split(";", 1)[0] as string;

describe("a cookie that was verified once", () => {
  it("costs no second verification, and is the same session", () => {
    const { cookie, macs } = create();
    const id = newId();
    const header = headerOf(cookie, id);
    const first = cookie.read(header, NOW);
    expect(first).toMatchObject({ id, stale: false });
    expect(cookie.read(`a=b; ${header}; c=d`, NOW)).toEqual(first);
    expect(macs()).toBe(1);
  });

  it("vouches for no other: every character of it still counts", () => {
    const { cookie } = create();
    const header = headerOf(cookie, newId());
    expect(cookie.read(header, NOW).id).not.toBeNull();
    for (let at = "sid=".length; at < header.length; at++) {
      const bent = header.slice(0, at) + (header[at] === "A" ? "B" : "A") + header.slice(at + 1);
      expect(cookie.read(bent, NOW).id).toBeNull();
    }
  });

  it("ends with the absolute limit all the same", () => {
    const { cookie } = create();
    const header = headerOf(cookie, newId());
    expect(cookie.read(header, NOW).id).not.toBeNull();
    expect(cookie.read(header, NOW + 7 * DAY + 1000).id).not.toBeNull();
    expect(cookie.read(header, NOW + 7 * DAY + 1001)).toEqual({ id: null, cause: "expired-absolute" });
    expect(cookie.read(header, NOW).id).not.toBeNull();
  });

  it("is remembered for a bounded number of them, the ones used lately", () => {
    const { cookie, macs } = create();
    const busy = headerOf(cookie, newId());
    cookie.read(busy, NOW);
    for (let n = 0; n < 20_000; n++) {
      expect(cookie.read(headerOf(cookie, newId()), NOW).id).not.toBeNull();
      if (n % 1000 === 0) cookie.read(busy, NOW);
    }
    expect(macs()).toBe(20_001);
    const left = headerOf(cookie, newId());
    cookie.read(left, NOW);
    for (let n = 0; n < 9000; n++) cookie.read(headerOf(cookie, newId()), NOW);
    const before = macs();
    expect(cookie.read(left, NOW).id).not.toBeNull();
    expect(macs()).toBe(before + 1);
  });

  it("is forgotten with its secret", () => {
    const old = create();
    const header = headerOf(old.cookie, newId());
    old.cookie.read(header, NOW);
    expect(create(["another secret of more than thirty-two bytes"]).cookie.read(header, NOW)).toEqual({
      id: null,
      cause: "unknown-key",
    });
  });
});

describe("forged cookies", () => {
  it("are verified each time and remembered never", () => {
    const { cookie, macs } = create();
    const header = headerOf(cookie, newId());
    const forged = `${header.slice(0, -1)}${header.endsWith("A") ? "E" : "A"}`;
    for (let n = 0; n < 5; n++) expect(cookie.read(forged, NOW)).toEqual({ id: null, cause: "bad-signature" });
    expect(macs()).toBe(5);
  });
});

describe("a cookie in an accepted format", () => {
  const written = (id: string, secret = SECRET): string =>
    `sid=${expressCookie()({ secrets: [secret], sessionCookie: "sid", namespace: "sid", maxAge: 0 }).write(id, NOW)}`;

  it("is the session, and stale, so that it is answered with one in the written format", () => {
    const id = newId();
    expect(create().cookie.read(written(id), NOW)).toEqual({ id, startedAt: null, stale: true });
  });

  it("is refused for the reason that the written format has", () => {
    const forged = written(newId(), "another secret of more than thirty-two bytes");
    expect(create().cookie.read(forged, NOW)).toEqual({ id: null, cause: "malformed" });
  });
});

describe("of several cookies", () => {
  it("the first that holds counts, and of none that holds the first says why", () => {
    const { cookie } = create();
    const id = newId();
    const good = headerOf(cookie, id);
    const forged = `${good.slice(0, -1)}${good.endsWith("A") ? "E" : "A"}`;
    expect(cookie.read(`${forged}; ${good}; ${headerOf(cookie, newId())}`, NOW).id).toBe(id);
    expect(cookie.read(`${forged}; sid=garbage`, NOW)).toEqual({ id: null, cause: "bad-signature" });
    expect(cookie.read(`sid=garbage; ${forged}`, NOW)).toEqual({ id: null, cause: "malformed" });
    expect([cookie.read(undefined, NOW), cookie.read("a=1", NOW)]).toEqual([
      { id: null, cause: "none" },
      { id: null, cause: "none" },
    ]);
  });
});
