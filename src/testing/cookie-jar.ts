import type { EpochMilliseconds } from "../core/units.ts";
import { readSetCookie, type SetCookieLine } from "./set-cookie-line.ts";

/** A cookie as a browser keeps it. */
export interface JarCookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  /** Sent to exactly this host, not to those below it. */
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: "strict" | "lax" | "none";
  readonly partitioned: boolean;
  readonly createdAt: EpochMilliseconds;
  /** `null`: until the browser is closed. */
  readonly expiresAt: EpochMilliseconds | null;
}

/** A line that was not kept. */
export interface RefusedCookie {
  readonly line: string;
  readonly reason: string;
}

export interface CookieJarOptions {
  /** @defaultValue `Date.now` */
  readonly now?: () => EpochMilliseconds;
  /** Whether `http://localhost` and `http://127.0.0.1` count as secure: Chromium and Firefox say yes, Safari no. @defaultValue false */
  readonly trustLoopback?: boolean;
}

/** Where a request comes from, as `SameSite` sees it. */
export interface CookieContext {
  /** Another site made the browser send it. @defaultValue false */
  readonly crossSite?: boolean;
  /** @defaultValue "GET" */
  readonly method?: string;
}

/** RFC 6265bis, 5.5: no cookie lives longer. */
const LONGEST_LIFE = 400 * 86_400_000;

/**
 * The cookies of one browser, kept and sent by the letter of RFC 6265bis. For tests: what real browsers forgive is
 * refused, with the reason.
 *
 * @example
 * const jar = new CookieJar({ trustLoopback: true });
 * const response = await fetch(url, { headers: { cookie: jar.header(url) ?? "" } });
 * jar.receive(url, response.headers.getSetCookie());
 */
export class CookieJar {
  readonly #now: () => EpochMilliseconds;
  readonly #trustLoopback: boolean;
  #cookies: JarCookie[] = [];

  constructor({ now = Date.now, trustLoopback = false }: CookieJarOptions = {}) {
    this.#now = now;
    this.#trustLoopback = trustLoopback;
  }

  /** Takes the `Set-Cookie` lines of a response. @returns those that were refused */
  receive(url: string | URL, lines: readonly string[]): RefusedCookie[] {
    const from = new URL(url);
    const refused: RefusedCookie[] = [];
    for (const line of lines) {
      const read = readSetCookie(line);
      const reason = typeof read === "string" ? read : (this.#objection(from, read) ?? this.#keep(from, read));
      if (reason !== null) refused.push({ line, reason });
    }
    return refused;
  }

  /** The `Cookie` header for a request, or `undefined` where no cookie goes along. */
  header(url: string | URL, { crossSite = false, method = "GET" }: CookieContext = {}): string | undefined {
    const to = new URL(url);
    const sent = this.cookies
      .filter((cookie) => hostMatches(to.hostname, cookie) && pathMatches(to.pathname, cookie.path))
      .filter((cookie) => !cookie.secure || this.#isSecure(to))
      .filter(({ sameSite }) => !crossSite || sameSite === "none" || (sameSite === "lax" && isSafe(method)))
      // Longer paths first, then earlier ones (RFC 6265bis, 5.8.3).
      .sort((a, b) => b.path.length - a.path.length || a.createdAt - b.createdAt);
    return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  /** All cookies that have not expired. */
  get cookies(): JarCookie[] {
    const now = this.#now();
    this.#cookies = this.#cookies.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
    return [...this.#cookies];
  }

  /** The cookie of that name, of whatever path and domain. */
  get(name: string): JarCookie | undefined {
    return this.cookies.find((cookie) => cookie.name === name);
  }

  /** Forgets what lives as long as the browser runs. */
  closeBrowser(): void {
    this.#cookies = this.#cookies.filter(({ expiresAt }) => expiresAt !== null);
  }

  #isSecure({ protocol, hostname }: URL): boolean {
    if (protocol === "https:") return true;
    return this.#trustLoopback && (hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127."));
  }

  /** Why this origin may not set such a cookie (RFC 6265bis, 5.7). */
  #objection(from: URL, line: SetCookieLine): string | null {
    const prefixed = line.name.toLowerCase();
    if (line.secure && !this.#isSecure(from)) return "it is Secure and came unencrypted";
    if (line.sameSite === "none" && !line.secure) return "SameSite=None needs Secure";
    if (line.partitioned && !line.secure) return "Partitioned needs Secure";
    if (prefixed.startsWith("__secure-") && !line.secure) return "__Secure- needs Secure";
    if (prefixed.startsWith("__host-") && !(line.secure && line.path === "/" && line.domain === null)) {
      return "__Host- needs Secure, Path=/ and no Domain";
    }
    if (line.domain !== null && !domainMatches(from.hostname, line.domain.replace(/^\./, ""))) {
      return "its Domain is not this host's";
    }
    if (!line.secure && !this.#isSecure(from) && this.#cookies.some((one) => one.secure && one.name === line.name)) {
      return "an unencrypted response cannot replace a Secure cookie";
    }
    return null;
  }

  #keep(from: URL, line: SetCookieLine): null {
    const now = this.#now();
    const cookie: JarCookie = {
      name: line.name,
      value: line.value,
      domain: line.domain?.replace(/^\./, "") ?? from.hostname,
      hostOnly: line.domain === null,
      path: line.path ?? defaultPath(from.pathname),
      secure: line.secure,
      httpOnly: line.httpOnly,
      sameSite: line.sameSite ?? "lax",
      partitioned: line.partitioned,
      createdAt: now,
      expiresAt: expiry(line, now),
    };
    const at = this.#cookies.findIndex((other) => isSame(cookie, other));
    const before = this.#cookies[at];
    if (before === undefined) this.#cookies.push(cookie);
    else this.#cookies[at] = { ...cookie, createdAt: before.createdAt };
    return null;
  }
}

/** `Max-Age` counts before `Expires`. */
function expiry({ maxAge, expires }: SetCookieLine, now: EpochMilliseconds): EpochMilliseconds | null {
  if (maxAge === null && expires === null) return null;
  return Math.min(maxAge === null ? (expires as number) : now + maxAge * 1000, now + LONGEST_LIFE);
}

/** Name, domain and path together name a cookie: one that is to be deleted must say them again. */
function isSame(a: JarCookie, b: JarCookie): boolean {
  return (
    a.name === b.name &&
    a.domain === b.domain &&
    a.hostOnly === b.hostOnly &&
    a.path === b.path &&
    a.partitioned === b.partitioned
  );
}

function hostMatches(host: string, { domain, hostOnly }: JarCookie): boolean {
  return hostOnly ? host === domain : domainMatches(host, domain);
}

function domainMatches(host: string, domain: string): boolean {
  // An address has no subdomains.
  const isAddress = /^[\d.]+$|^\[/.test(host);
  return host === domain || (!isAddress && domain.includes(".") && host.endsWith(`.${domain}`));
}

function pathMatches(path: string, wanted: string): boolean {
  return path === wanted || (path.startsWith(wanted) && (wanted.endsWith("/") || path[wanted.length] === "/"));
}

function defaultPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function isSafe(method: string): boolean {
  return ["GET", "HEAD", "OPTIONS"].includes(method.toUpperCase());
}
