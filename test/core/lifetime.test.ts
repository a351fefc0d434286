import { describe, expect, it } from "vitest";
import {
  absoluteDeadline,
  cookieMaxAge,
  deadline,
  expiryCause,
  type Lifetime,
  LONGEST_COOKIE,
  renewalDue,
} from "../../src/core/lifetime.ts";

const HOUR = 3_600_000;
const start = 1_700_000_000_123;
const browserSession: Lifetime = {
  idle: 12 * HOUR,
  absolute: 168 * HOUR,
  spacing: (12 * HOUR) / 5,
  maxAge: 0,
  rolling: false,
  wholeSeconds: false,
};
const fixed: Lifetime = { idle: null, absolute: HOUR, spacing: 0, maxAge: 3600, rolling: false, wholeSeconds: false };
const rolling: Lifetime = { ...browserSession, idle: HOUR, spacing: HOUR / 5, maxAge: 3600, rolling: true };

describe("deadline", () => {
  it("is the idle limit while that comes first", () => {
    expect(deadline(browserSession, start, start + HOUR, null)).toBe(start + 13 * HOUR);
  });

  it("is the absolute limit once that comes first", () => {
    expect(deadline(browserSession, start, start + 160 * HOUR, null)).toBe(start + 168 * HOUR);
  });

  it("is the absolute limit alone where there is no idle limit", () => {
    expect(deadline(fixed, start, start + HOUR / 2, null)).toBe(start + HOUR);
  });

  it("is what the login asked for, without an idle limit", () => {
    expect(deadline(browserSession, start, start, 60)).toBe(start + 60_000);
  });

  it("is the configured one for a login that asked for a browser session", () => {
    expect(deadline(browserSession, start, start, 0)).toBe(start + 12 * HOUR);
  });

  it("lets a session of the original live through its last whole second", () => {
    expect(absoluteDeadline({ ...fixed, maxAge: 10, wholeSeconds: true }, start, null)).toBe(1_700_000_011_000);
  });
});

describe("renewalDue", () => {
  const age = (lastUsedAt: number) => ({ createdAt: start, lastUsedAt, expiresAt: start + 12 * HOUR });

  it("is once in a fifth of the idle window", () => {
    expect(renewalDue(browserSession, age(start), start + (12 * HOUR) / 5 - 1)).toBe(false);
    expect(renewalDue(browserSession, age(start), start + (12 * HOUR) / 5)).toBe(true);
  });

  it("is never without an idle limit", () => {
    expect(renewalDue(fixed, age(start), start + 50 * HOUR)).toBe(false);
  });

  it("is not when the clock was set back", () => {
    expect(renewalDue(browserSession, age(start), start - HOUR)).toBe(false);
  });
});

describe("expiryCause", () => {
  it("tells which limit came first", () => {
    const idle = { createdAt: start, lastUsedAt: start, expiresAt: start + 12 * HOUR };
    const absolute = { createdAt: start, lastUsedAt: start + 167 * HOUR, expiresAt: start + 168 * HOUR };
    expect(expiryCause(browserSession, idle, null)).toBe("expired-idle");
    expect(expiryCause(browserSession, absolute, null)).toBe("expired-absolute");
  });
});

describe("cookieMaxAge", () => {
  it("is none for a cookie that ends with the browser", () => {
    expect(cookieMaxAge(browserSession, start, start + HOUR, null, start)).toBeNull();
  });

  it("is maxAge at the start, and what is left of it later", () => {
    expect(cookieMaxAge(fixed, start, start + HOUR, null, start)).toBe(3600);
    expect(cookieMaxAge(fixed, start, start + HOUR, null, start + 600_000)).toBe(3000);
  });

  it("counts from the last use with rolling", () => {
    expect(cookieMaxAge(rolling, start, start + 3 * HOUR, null, start + 2 * HOUR)).toBe(3600);
    expect(cookieMaxAge(rolling, start, start + 3 * HOUR, null, start + 2 * HOUR + 600_000)).toBe(3000);
  });

  it("is not shortened by an idle limit, which a use moves", () => {
    expect(cookieMaxAge({ ...fixed, idle: HOUR / 2 }, start, start + HOUR / 2, null, start)).toBe(3600);
  });

  it("is what the login asked for", () => {
    expect(cookieMaxAge(browserSession, start, start + 60_000, 60, start)).toBe(60);
    expect(cookieMaxAge(rolling, start, start + HOUR, 7200, start)).toBe(7200);
    expect(cookieMaxAge(fixed, start, start + HOUR, 0, start)).toBeNull();
  });

  it("is 400 days at most, as browsers keep no cookie for longer", () => {
    const days401 = 401 * 24 * HOUR;
    const long: Lifetime = { ...fixed, absolute: days401, maxAge: days401 / 1000 };
    expect(cookieMaxAge(long, start, start + days401, null, start)).toBe(LONGEST_COOKIE);
    expect(LONGEST_COOKIE).toBe(34_560_000);
  });

  it("is the whole maxAge in the original's way to count, which leaves the limit to browsers", () => {
    const days401 = 401 * 24 * HOUR;
    const long: Lifetime = { ...fixed, absolute: days401, maxAge: days401 / 1000, wholeSeconds: true };
    expect(cookieMaxAge(long, start, start + days401, null, start)).toBe(days401 / 1000);
  });

  it("is never 0, which would expire the cookie", () => {
    expect(cookieMaxAge(fixed, start, start + HOUR, null, start + HOUR)).toBe(1);
  });
});
