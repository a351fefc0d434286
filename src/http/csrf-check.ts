/**
 * Refuses requests that another site's page made the browser send: by `Sec-Fetch-Site`, which every current browser sends
 * over TLS and to localhost, else by `Origin`. A request with neither comes from no browser, or from one so old that
 * `SameSite` and a token are what protects it: it passes.
 *
 * @see OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Fetch Metadata headers"; W3C Fetch Metadata, 2.3
 */
import { option } from "../core/check-option.ts";
import { FastSessionError } from "../core/errors.ts";
import type { SkipRequest } from "./skip-rules.ts";

/** Which requests of other origins may change something. */
export interface CsrfOptions {
  /** Origins whose pages may send such requests: `"https://admin.example.com"`, exact. @defaultValue none */
  readonly trustedOrigins?: readonly string[];
  /** Also takes them from sibling domains, whoever runs those. @defaultValue false */
  readonly allowSameSite?: boolean;
}

/** Why a request was refused: what the browser said of it, or that its `Origin` is not the one it was sent to. */
export type CsrfRefusal = "cross-site" | "same-site" | "origin";

export type CsrfCheck = (request: SkipRequest) => CsrfRefusal | null;

/** Methods that change nothing (RFC 9110, 9.2.1). A handler that changes something on GET is not protected. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** The check that the option asks for; `null` for none. @throws TypeError with the remedy */
export function createCsrfCheck(csrf: boolean | CsrfOptions | undefined): CsrfCheck | null {
  if (csrf === undefined || csrf === false) return null;
  const { trustedOrigins = [], allowSameSite = false } = checked(csrf);
  const trusted = new Set<string | undefined>(trustedOrigins);
  return (request) => {
    if (SAFE.has(request.method)) return null;
    const site = request.header("sec-fetch-site");
    if (site === "same-origin" || site === "none") return null;
    const origin = request.header("origin");
    if (trusted.has(origin)) return null;
    if (site === "same-site") return allowSameSite ? null : "same-site";
    if (site !== undefined) return "cross-site";
    return origin === undefined || isOwn(origin, request.host) ? null : "origin";
  };
}

export function csrfError(): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_CSRF",
    "a page of another origin sent this request: where that origin is yours, add it to csrf.trustedOrigins",
  );
}

/** Without regard to the scheme: whether TLS ends in front of us is not known here. */
function isOwn(origin: string, host: string | undefined): boolean {
  const own = /^(https?:)\/\/[^/]+$/.exec(origin);
  if (own === null || host === undefined) return false;
  try {
    // Parsed alike: a proxy may name the port that an origin leaves out.
    return new URL(origin).host === new URL(`${own[1] as string}//${host}`).host;
  } catch {
    return false;
  }
}

function checked(csrf: true | CsrfOptions): CsrfOptions {
  if (csrf === true) return {};
  if (typeof csrf !== "object" || csrf === null) {
    throw new TypeError("csrf must be true, false or { trustedOrigins, allowSameSite }");
  }
  const unknown = Object.keys(csrf).find((name) => name !== "trustedOrigins" && name !== "allowSameSite");
  if (unknown !== undefined) {
    throw new TypeError(`unknown option csrf.${unknown}: known are trustedOrigins, allowSameSite`);
  }
  option(csrf, "allowSameSite", "true or false, in csrf", (value) => typeof value === "boolean");
  option(csrf, "trustedOrigins", 'a list of origins such as "https://admin.example.com", without a path', isOrigins);
  return csrf;
}

function isOrigins(value: unknown): boolean {
  return Array.isArray(value) && value.every(isOrigin);
}

/** As browsers write it: lower case, no default port, no slash at the end. Apps have schemes of their own. */
function isOrigin(value: unknown): boolean {
  if (typeof value !== "string" || !/^[a-z][a-z\d+.-]*:\/\/[^/?#*\s]+$/.test(value)) return false;
  if (!/^https?:/.test(value)) return true;
  return URL.canParse(value) && new URL(value).origin === value;
}
