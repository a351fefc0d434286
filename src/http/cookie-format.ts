import type { EpochMilliseconds } from "../core/units.ts";

/** What a cookie's value turned out to be. */
export type CookieReading =
  | {
      readonly ok: true;
      readonly id: string;
      /** The session's start as signed; `null` where the format has none. */
      readonly startedAt: EpochMilliseconds | null;
      /** Signed by a key that no longer signs: to be written again. */
      readonly stale: boolean;
    }
  | {
      readonly ok: false;
      /** `unknown`: well signed, but it names no session of ours. */
      readonly reason: "malformed" | "bad-signature" | "unknown-key" | "unknown" | "expired-absolute";
    };

/**
 * How an id is written into the cookie's value, and read back. Reading never throws, whatever it is given, accepts the
 * canonical form only and compares signatures in constant time.
 */
export interface CookieFormat {
  readonly name: string;
  write(id: string, startedAt: EpochMilliseconds): string;
  read(value: string, now: EpochMilliseconds): CookieReading;
  /** Whether this system counts a lifetime in whole seconds and lets a session live through its last one. */
  readonly wholeSeconds?: boolean;
  /** Whether `read` answers the same for a value at any time, and its values hold no quote or backslash. */
  readonly timeless?: boolean;
}

/** What a format is made from. `maxAge` counts from the signed start, 0 where only the record knows the end. */
export interface CookieFormatContext {
  readonly secrets: readonly (string | Uint8Array)[];
  readonly sessionCookie: string;
  readonly namespace: string;
  readonly maxAge: number;
}

/** What the options `cookieFormat` and `acceptCookies` take: `nativeCookie()`, `pythonCookie()`, `expressCookie()`. */
export type CookieFormatFactory = (context: CookieFormatContext) => CookieFormat;
