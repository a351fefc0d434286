import { equalInConstantTime, hmac } from "../core/crypto.ts";
import type { CookieFormat, CookieFormatFactory, CookieReading } from "./cookie-format.ts";
import { secretList } from "./secrets.ts";
import type { Secret, SecretKey } from "./secrets.ts";

export interface ExpressCookieOptions {
  /**
   * The `secret` of express-session: a list in its order, the **first** signs.
   *
   * @defaultValue the middleware's `secretKey`
   */
  readonly secretKey?: SecretKey;
}

const MALFORMED: CookieReading = { ok: false, reason: "malformed" };

/** Base64 of an HMAC-SHA-256 without its padding. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}$/;

/**
 * The cookie of express-session: `s:`, id, ".", signature, percent-encoded. It carries no time.
 *
 * Use it to take an Express application's sessions over, or to share them while both run. Any id that express-session
 * can sign is read, also one that our own generator would not make.
 *
 * @example
 * createSessions({ secretKey, sessionCookie: "connect.sid", cookieFormat: expressCookie() });
 *
 * @throws TypeError when made, for an empty secret
 */
export function expressCookie(options: ExpressCookieOptions = {}): CookieFormatFactory {
  return ({ secrets }) => {
    const keys = secretList(options.secretKey ?? secrets, "secretKey");
    const format: CookieFormat = {
      name: "express",
      write: (id) => encodeURIComponent(`s:${id}.${signature(keys[0], id)}`),
      read(value) {
        const signed = decode(value);
        if (signed === null || !signed.startsWith("s:")) return MALFORMED;
        const end = signed.lastIndexOf(".");
        const given = signed.slice(end + 1);
        // Without a dot that is the whole value, whose colon is in no signature.
        if (!SIGNATURE.test(given)) return MALFORMED;
        const id = signed.slice(2, end);
        const index = keys.findIndex((key) => equalInConstantTime(signature(key, id), given));
        if (index === -1) return { ok: false, reason: "bad-signature" };
        // An empty id can be signed, and is nobody's.
        if (id === "") return { ok: false, reason: "unknown" };
        return { ok: true, id, startedAt: null, stale: index > 0 };
      },
    };
    return format;
  };
}

function signature(key: Secret, id: string): string {
  return hmac("sha256", key, id).toString("base64").slice(0, 43);
}

/** A plain value stands for itself; a broken escape is refused, where express-session would read it as it stands. */
function decode(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}
