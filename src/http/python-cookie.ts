import type { Digest } from "../core/crypto.ts";
import type { Seconds } from "../core/units.ts";
import type { CookieFormat, CookieFormatFactory, CookieReading } from "./cookie-format.ts";
import type { SecretKey } from "./secrets.ts";
import { createTimedTokens } from "./timed-token.ts";
import type { KeyDerivation } from "./timed-token.ts";

export interface PythonCookieOptions {
  /**
   * The Python application's `secret_key`: a list in its order, the **last** signs.
   *
   * @defaultValue the middleware's `secretKey`
   */
  readonly secretKey?: SecretKey;
  /** @defaultValue `"itsdangerous"` */
  readonly salt?: string;
  /** @defaultValue `"sha1"` */
  readonly digest?: Digest;
  /** @defaultValue `"django-concat"` */
  readonly keyDerivation?: KeyDerivation;
  /**
   * How far ahead of this server's clock the signing one may be; only where `maxAge` is set.
   *
   * @defaultValue 60; the original has none and logs out at one second
   */
  readonly leeway?: Seconds;
  /**
   * Answers a cookie of an older secret with one of the newest, so that the old secret can be removed. The original
   * does not.
   *
   * @defaultValue true
   */
  readonly signAgain?: boolean;
}

/**
 * The cookie of the Python FastSession: `{sessionCookie: id}` in a token of itsdangerous, readable by both sides.
 *
 * Use it while Python and TypeScript servers share a domain, or to read a Python application's cookies. The signature
 * is shared with every other use of the secret under the same salt; the native format's is not.
 *
 * @example
 * createSessions({ secretKey, cookieFormat: pythonCookie() });
 *
 * @throws TypeError when made, for an empty secret or a wrong option
 */
export function pythonCookie(options: PythonCookieOptions = {}): CookieFormatFactory {
  return ({ secrets, sessionCookie, maxAge }) => {
    const { leeway = 60, secretKey = secrets, signAgain = true, ...rest } = options;
    if (typeof leeway !== "number" || !(leeway >= 0))
      throw new TypeError("leeway must be a number of seconds, 0 or more");
    const tokens = createTimedTokens(secretKey, "secretKey", rest);

    const format: CookieFormat = {
      name: "python",
      // The original compares whole seconds and lets a session live through its last one.
      wholeSeconds: true,
      write: (id, startedAt) => tokens.write({ [sessionCookie]: id }, Math.floor(startedAt / 1000)),
      read(value, now) {
        const reading = tokens.read(value);
        if (!reading.ok) return reading;
        const age = Math.floor(now / 1000) - reading.signedAt;
        // itsdangerous calls both ends of the window "expired", and so does the original.
        if (maxAge > 0 && (age > maxAge || age < -leeway)) return { ok: false, reason: "expired-absolute" };
        return identify(reading.data, sessionCookie, reading.signedAt * 1000, signAgain && !reading.newestKey);
      },
    };
    return format;
  };
}

function identify(payload: unknown, sessionCookie: string, startedAt: number, stale: boolean): CookieReading {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    return { ok: false, reason: "malformed" };
  }
  const id: unknown = Object.hasOwn(payload, sessionCookie)
    ? (payload as Record<string, unknown>)[sessionCookie]
    : null;
  return typeof id === "string" && id !== "" ? { ok: true, id, startedAt, stale } : { ok: false, reason: "unknown" };
}
