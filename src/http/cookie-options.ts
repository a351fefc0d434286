import type { Log } from "../core/logger.ts";
import { inProduction } from "../core/production.ts";
import { choice, flag, option } from "../core/check-option.ts";
import type { Seconds } from "../core/units.ts";
import type { CookieFormat, CookieFormatFactory } from "./cookie-format.ts";
import type { CsrfOptions } from "./csrf-check.ts";
import { nativeCookie } from "./native-cookie.ts";
import { type Secret, type SecretKey, secretList } from "./secrets.ts";
import { checkCookieAttributes, type CookieAttributes } from "./set-cookie.ts";
import type { SkipHeader, SkipRule } from "./skip-rules.ts";

/** How a session's id travels. */
export interface CookieOptions {
  /**
   * Signs the cookie: a secret of 32 random bytes or more, or a list of them; the first signs, all verify. Make one with
   * `node -p "crypto.randomBytes(32).toString('base64url')"`.
   *
   * @throws TypeError when empty, or shorter than 32 bytes where `NODE_ENV` is `production`
   */
  readonly secretKey: SecretKey;
  /** For secrets of another system that you cannot change yet. @defaultValue false */
  readonly allowShortSecret?: boolean;
  /** The cookie's name. In production use `"__Host-sid"`, which no sibling domain can plant. @defaultValue "sid" */
  readonly sessionCookie?: string;
  /** Hides the cookie from scripts. @defaultValue true */
  readonly httpOnly?: boolean;
  /** Sends it over TLS only. `"auto"`: when the request came over TLS, as the framework or `trustProxy` says. @defaultValue true */
  readonly secure?: boolean | "auto";
  /** @defaultValue "lax" */
  readonly sameSite?: "lax" | "strict" | "none";
  /** @defaultValue "/" */
  readonly path?: string;
  /** Sends the cookie to this domain and all below it. @defaultValue none: this host only */
  readonly domain?: string;
  /** A jar of its own for each top-level site (CHIPS). @defaultValue false */
  readonly partitioned?: boolean;
  readonly priority?: "low" | "medium" | "high";
  /** What is written: `nativeCookie()`, `pythonCookie()`, `expressCookie()`. @defaultValue `nativeCookie()` */
  readonly cookieFormat?: CookieFormatFactory;
  /** What is read beside it, and answered with the written one. @defaultValue nothing */
  readonly acceptCookies?: readonly CookieFormatFactory[];
  /** Where the handler finds the session: the property's name. @defaultValue "session" */
  readonly sessionObject?: string;
  /** Requests with such a header have no session. Not a security boundary: the client chooses its headers. */
  readonly skipSessionHeader?: SkipHeader | readonly SkipHeader[] | null;
  /** Requests to these paths have no session. */
  readonly skip?: SkipRule | readonly SkipRule[];
  /**
   * Answers 403 to requests that a page of another origin sent, other than GET, HEAD and OPTIONS, before the handler runs.
   *
   * @defaultValue false
   * @see docs/csrf.md
   */
  readonly csrf?: boolean | CsrfOptions;
  /** Believes `X-Forwarded-Proto`, where the framework has no setting of its own. @defaultValue false */
  readonly trustProxy?: boolean;
}

/** Every default of `CookieOptions`. */
const DEFAULTS = {
  sessionCookie: "sid",
  secure: true,
  httpOnly: true,
  path: "/",
  sessionObject: "session",
} as const;

/** What a secret needs at least: as many bits as the MAC (OWASP ASVS 5.0, 11.2.3). */
const SECRET_BYTES = 32;
const MAKE_SECRET = `node -p "crypto.randomBytes(32).toString('base64url')"`;

export function cookieName(options: CookieOptions): string {
  return options.sessionCookie ?? DEFAULTS.sessionCookie;
}

/** Checks the cookie's attributes and completes them. @throws TypeError with the remedy */
export function cookieAttributes(options: CookieOptions): CookieAttributes {
  const attributes = {
    name: cookieName(options),
    path: options.path ?? DEFAULTS.path,
    ...(options.domain === undefined ? {} : { domain: options.domain }),
    httpOnly: options.httpOnly ?? DEFAULTS.httpOnly,
    secure: options.secure ?? DEFAULTS.secure,
    sameSite: choice(options, "sameSite", ["lax", "strict", "none"]),
    partitioned: flag(options, "partitioned"),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
  };
  checkCookieAttributes(attributes);
  return attributes;
}

/** The property that handlers find the session under. */
export function sessionObject(options: CookieOptions): string {
  const name =
    option(options, "sessionObject", "a property's name", (value) => typeof value === "string" && value !== "") ??
    DEFAULTS.sessionObject;
  if (["__proto__", "constructor", "prototype"].includes(name)) throw new TypeError(`sessionObject cannot be ${name}`);
  return name;
}

/** The written format, and those read beside it. */
export function cookieFormats(
  options: CookieOptions,
  namespace: string,
  maxAge: Seconds,
  log: Log,
): { format: CookieFormat; accepted: CookieFormat[] } {
  const secrets = secretList(options.secretKey, "secretKey");
  checkSecrets(secrets, flag(options, "allowShortSecret"), log);
  const context = { secrets, sessionCookie: cookieName(options), namespace, maxAge };
  const make = (factory: CookieFormatFactory): CookieFormat => {
    const format = typeof factory === "function" ? (factory(context) as Partial<CookieFormat> | undefined) : undefined;
    if (typeof format?.write !== "function" || typeof format.read !== "function") {
      throw new TypeError("cookieFormat and acceptCookies take nativeCookie(), pythonCookie(), expressCookie()");
    }
    return format as CookieFormat;
  };
  const accepted = option(options, "acceptCookies", "a list: [pythonCookie()]", Array.isArray) ?? [];
  return { format: make(options.cookieFormat ?? nativeCookie()), accepted: accepted.map(make) };
}

function checkSecrets(secrets: readonly Secret[], allowShort: boolean, log: Log): void {
  const bytes = (secret: Secret): number =>
    typeof secret === "string" ? new TextEncoder().encode(secret).length : secret.length;
  if (allowShort || secrets.every((secret) => bytes(secret) >= SECRET_BYTES)) return;
  const problem = `secretKey has fewer than ${SECRET_BYTES} bytes and can be guessed: make one with ${MAKE_SECRET}`;
  if (inProduction()) {
    throw new TypeError(`${problem}, or set allowShortSecret for a secret you cannot change yet`);
  }
  log.warnOnce(problem);
}
