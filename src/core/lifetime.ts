import type { StoreCapabilities } from "./session-store.ts";
import type { EpochMilliseconds, Milliseconds, Seconds } from "./units.ts";

/** 400 days: browsers shorten a longer `Max-Age` to it. RFC 6265bis, 5.5. */
export const LONGEST_COOKIE: Seconds = 400 * 86_400;

/** How long sessions live: pure arithmetic on instants. */
export interface Lifetime {
  /** Without a use for this long, the session ends. `null`: no such limit. */
  readonly idle: Milliseconds | null;
  /** This long after its start the session ends, whatever happens. */
  readonly absolute: Milliseconds;
  /** A use is recorded at most this often: a session may end up to a fifth of the idle window early, never late. */
  readonly spacing: Milliseconds;
  /** `Max-Age` of the cookie; 0: none, the cookie ends with the browser. */
  readonly maxAge: Seconds;
  readonly rolling: boolean;
  /** The original counts in whole seconds and lets a session live through the last one. */
  readonly wholeSeconds: boolean;
}

/** The part of a record that its lifetime is judged by. */
export interface Age {
  readonly createdAt: EpochMilliseconds;
  readonly lastUsedAt: EpochMilliseconds;
  readonly expiresAt: EpochMilliseconds;
}

/** When the absolute limit ends a session that started at `createdAt`; `maxAge` is what its login asked for. */
export function absoluteDeadline(
  life: Lifetime,
  createdAt: EpochMilliseconds,
  maxAge: Seconds | null,
): EpochMilliseconds {
  const start = life.wholeSeconds ? Math.floor(createdAt / 1000) * 1000 + 1000 : createdAt;
  // Without a login's own, a fixed maxAge ends it: the absolute limit may be longer for logins that ask for more.
  const seconds = maxAge ?? (life.rolling ? 0 : life.maxAge);
  return start + (seconds === 0 ? life.absolute : seconds * 1000);
}

/** `min(start + absolute, last use + idle)`. A login that asked for its own `maxAge` has no idle limit. */
export function deadline(
  life: Lifetime,
  createdAt: EpochMilliseconds,
  lastUsedAt: EpochMilliseconds,
  maxAge: Seconds | null,
): EpochMilliseconds {
  const absolute = absoluteDeadline(life, createdAt, maxAge);
  return life.idle === null || (maxAge !== null && maxAge > 0) ? absolute : Math.min(absolute, lastUsedAt + life.idle);
}

/** Whether a use at `now` is worth recording. */
export function renewalDue(life: Lifetime, age: Age, now: EpochMilliseconds): boolean {
  return life.idle !== null && now - age.lastUsedAt >= life.spacing;
}

/**
 * How often a session in use gets a new id.
 *
 * @throws TypeError where that could lose sessions
 */
export function rotationInterval(
  seconds: Seconds | undefined,
  grace: Seconds,
  { consistency, feed }: StoreCapabilities,
): Milliseconds {
  if (seconds === undefined) return Infinity;
  if (seconds < grace) {
    throw new TypeError(
      `rotateEvery (${seconds} s) is shorter than rotationGrace (${grace} s): requests in flight would chase ids; raise it`,
    );
  }
  // A near cache, which has a feed, may answer an earlier record, but knows of every new key.
  if (consistency === "eventual" && feed === null) {
    throw new TypeError(
      "rotateEvery needs a store that reads what was written: on this one a new id may be unknown to the next request",
    );
  }
  return seconds * 1000;
}

/** Which limit ended a session whose deadline is past. */
export function expiryCause(life: Lifetime, age: Age, maxAge: Seconds | null): "expired-idle" | "expired-absolute" {
  return age.expiresAt >= absoluteDeadline(life, age.createdAt, maxAge) ? "expired-absolute" : "expired-idle";
}

/** `Max-Age` to send now: the seconds until only time can end the session. `null`: a cookie of the browser session. */
export function cookieMaxAge(
  life: Lifetime,
  createdAt: EpochMilliseconds,
  expiresAt: EpochMilliseconds,
  maxAge: Seconds | null,
  now: EpochMilliseconds,
): Seconds | null {
  const wanted = maxAge ?? life.maxAge;
  if (wanted === 0) return null;
  const end = life.rolling && maxAge === null ? expiresAt : absoluteDeadline(life, createdAt, maxAge);
  // The original sends its max_age as it stands and leaves the shortening to the browser.
  const longest = life.wholeSeconds ? wanted : Math.min(wanted, LONGEST_COOKIE);
  return Math.max(1, Math.min(longest, Math.ceil((end - now) / 1000)));
}
