import { FastSessionError } from "../core/errors.ts";
import type { Seconds } from "../core/units.ts";

export interface CookieAttributes {
  readonly name: string;
  readonly path: string;
  readonly domain?: string;
  readonly httpOnly: boolean;
  /** `"auto"`: decided by each request's connection. */
  readonly secure: boolean | "auto";
  readonly sameSite: "lax" | "strict" | "none";
  readonly partitioned: boolean;
  /** An extension of Chromium: which cookies go first when there are too many. */
  readonly priority?: "low" | "medium" | "high";
}

/** Writes the `Set-Cookie` lines of one cookie. */
export interface CookieWriter {
  /**
   * Sets the cookie. `maxAge: null` makes one that ends with the browser.
   *
   * @throws FastSessionError `ERR_SESSION_TOO_LARGE` when no browser would keep it
   * @throws TypeError for a value or `maxAge` that would break the line
   */
  line(value: string, maxAge: Seconds | null, secure: boolean): string;
  /** Removes the cookie: a browser matches it by name, Domain, Path and partition. */
  expired(secure: boolean): string;
}

/** Name and value together: browsers ignore a larger cookie. RFC 6265bis, 5.6. */
const MAX_PAIR_OCTETS = 4096;
/** Browsers ignore a longer attribute. RFC 6265bis, 5.6. */
const MAX_ATTRIBUTE_OCTETS = 1024;

/** RFC 9110, 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** cookie-octet of RFC 6265bis, 4.1.1. */
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
/** path-value of RFC 6265bis, 4.1.1, without space and comma, which intermediaries split at. */
const PATH = /^\/[\x21-\x2b\x2d-\x3a\x3c-\x7e]*$/;
/** A host name of RFC 1123. Browsers ignore a leading dot (RFC 6265bis, 5.6.3). */
const DOMAIN = /^\.?[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i;

const SAME_SITE = { lax: "Lax", strict: "Strict", none: "None" } as const;
const PRIORITY = { low: "Low", medium: "Medium", high: "High" } as const;

/**
 * Refuses attributes that no browser would take, or that contradict each other.
 *
 * @throws TypeError with the remedy
 */
export function checkCookieAttributes(attributes: CookieAttributes): void {
  checkForm(attributes);
  const { name, path, domain, httpOnly, sameSite, partitioned } = attributes;
  // With "auto" a plain connection gets no Secure, and the browser then drops such a cookie without a word.
  const secure = attributes.secure === true;
  const lowerName = name.toLowerCase();
  const demand = (holds: boolean, rule: string, remedy: string): void => {
    if (!holds) throw new TypeError(`${rule}: ${remedy}`);
  };

  // RFC 6265bis, 5.4 and 5.7, steps 20 and 21: prefixes are compared without regard to case.
  if (lowerName.startsWith("__secure-")) demand(secure, "a __Secure- cookie needs Secure", "set secure: true");
  if (lowerName.startsWith("__host-")) {
    demand(secure, "a __Host- cookie needs Secure", "set secure: true, or drop the prefix in development");
    demand(path === "/", "a __Host- cookie needs Path=/", 'set path: "/"');
    demand(domain === undefined, "a __Host- cookie has no Domain", "leave domain out, or use __Secure-");
  }
  // Layered Cookies (draft), 4.1.3.3 and 4.1.3.4.
  if (lowerName.startsWith("__http-") || lowerName.startsWith("__host-http-")) {
    demand(secure, "an __Http- cookie needs Secure", "set secure: true");
    demand(httpOnly, "an __Http- cookie needs HttpOnly", "set httpOnly: true");
  }
  // RFC 6265bis, 5.7, step 19: browsers ignore the cookie. CHIPS asks the same of Partitioned.
  if (sameSite === "none") demand(secure, "SameSite=None needs Secure", 'set secure: true, or sameSite: "lax"');
  if (partitioned) demand(secure, "Partitioned needs Secure", "set secure: true, or partitioned: false");
}

function checkForm(attributes: CookieAttributes): void {
  const { name, path, domain, sameSite, priority } = attributes;
  if (typeof name !== "string" || !TOKEN.test(name)) {
    throw new TypeError("sessionCookie must be a cookie name: letters, digits and !#$%&'*+-.^_`|~");
  }
  if (typeof path !== "string" || path.length > MAX_ATTRIBUTE_OCTETS || !PATH.test(path)) {
    throw new TypeError('path must begin with "/" and be ASCII without spaces, "," and ";": percent-encode the rest');
  }
  if (domain !== undefined && (typeof domain !== "string" || domain.length > 254 || !DOMAIN.test(domain))) {
    throw new TypeError("domain must be a host name without scheme and port, in its xn-- form if international");
  }
  if (!Object.hasOwn(SAME_SITE, sameSite)) throw new TypeError('sameSite must be "lax", "strict" or "none"');
  if (priority !== undefined && (typeof priority !== "string" || !Object.hasOwn(PRIORITY, priority))) {
    throw new TypeError('priority must be "low", "medium" or "high", or left out');
  }
  for (const flag of ["httpOnly", "partitioned"] as const) {
    if (typeof attributes[flag] !== "boolean") throw new TypeError(`${flag} must be true or false`);
  }
  if (typeof attributes.secure !== "boolean" && attributes.secure !== "auto") {
    throw new TypeError('secure must be true, false or "auto"');
  }
}

/** Everything but value and `Max-Age` is put together here, once. `attributes` have been checked. */
export function createCookieWriter(attributes: CookieAttributes): CookieWriter {
  const { name } = attributes;
  const maxValue = MAX_PAIR_OCTETS - name.length;
  const tails = { plain: tail(attributes, false), secure: tail(attributes, true) };

  return {
    line(value, maxAge, secure) {
      if (value.length > maxValue) {
        throw new FastSessionError(
          "ERR_SESSION_TOO_LARGE",
          `the cookie is over ${MAX_PAIR_OCTETS} octets, which browsers drop: use shorter ids`,
        );
      }
      if (!VALUE.test(value)) {
        throw new TypeError("the cookie format wrote characters that a cookie cannot hold: percent-encode them");
      }
      return `${name}=${value}${maxAge === null ? "" : maxAgeText(maxAge)}${secure ? tails.secure : tails.plain}`;
    },
    // Expires is for clients that know no Max-Age; where both are known Max-Age wins (RFC 6265bis, 4.1.2.2).
    expired: (secure) =>
      `${name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${secure ? tails.secure : tails.plain}`,
  };
}

function maxAgeText(maxAge: Seconds): string {
  // RFC 6265bis, 4.1.1: digits only. The original writes Max-Age=1.5, which browsers ignore.
  if (!Number.isSafeInteger(maxAge) || maxAge < 1) throw new TypeError("Max-Age must be whole seconds, 1 or more");
  return `; Max-Age=${maxAge}`;
}

function tail(attributes: CookieAttributes, secure: boolean): string {
  const { path, domain, httpOnly, sameSite, partitioned, priority } = attributes;
  let text = `; Path=${path}`;
  if (domain !== undefined) text += `; Domain=${domain}`;
  if (httpOnly) text += "; HttpOnly";
  if (secure) text += "; Secure";
  text += `; SameSite=${SAME_SITE[sameSite]}`;
  if (partitioned) text += "; Partitioned";
  if (priority !== undefined) text += `; Priority=${PRIORITY[priority]}`;
  return text;
}
