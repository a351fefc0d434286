import type { Carrier, Presented } from "../core/presented.ts";
import { isId } from "../core/session-id.ts";
import type { EpochMilliseconds, Milliseconds, Seconds } from "../core/units.ts";
import type { CookieFormat, CookieReading } from "./cookie-format.ts";
import { cookieCandidates } from "./cookie-header.ts";
import type { CookieWriter } from "./set-cookie.ts";
import { VerifiedCookies } from "./verified-cookies.ts";

const NO_COOKIE: Presented = { id: null, cause: "none" };
const UNKNOWN: Presented = { id: null, cause: "unknown" };
const TOO_OLD: Presented = { id: null, cause: "expired-absolute" };

/** Where a cookie is decided: which value of the request counts, and which line the response gets. */
export class SessionCookie {
  readonly name: string;
  readonly format: CookieFormat;
  readonly #accepted: readonly CookieFormat[];
  readonly #writer: CookieWriter;
  readonly #absolute: Milliseconds;
  readonly #verified = new VerifiedCookies();

  constructor(
    name: string,
    format: CookieFormat,
    accepted: readonly CookieFormat[],
    writer: CookieWriter,
    absolute: Milliseconds,
  ) {
    this.name = name;
    this.format = format;
    this.#accepted = accepted;
    this.#writer = writer;
    this.#absolute = absolute;
  }

  /**
   * The id that a Cookie header presents. Of several cookies with our name the first valid one counts, since anybody
   * under the same domain can plant another (RFC 6265bis, 4.2.2 and 8.6).
   */
  read(header: string | undefined, now: EpochMilliseconds): ReturnType<Carrier["present"]> {
    let refused: Presented = NO_COOKIE;
    for (const value of cookieCandidates(header, this.name)) {
      const presented = this.#readValue(value, now);
      if (presented.id !== null) return presented;
      if (refused === NO_COOKIE) refused = presented;
    }
    return refused;
  }

  /** Sets the cookie. */
  line(id: string, startedAt: EpochMilliseconds, maxAge: Seconds | null, secure: boolean): string {
    return this.#writer.line(this.format.write(id, startedAt), maxAge, secure);
  }

  /** Expires the cookie. */
  expired(secure: boolean): string {
    return this.#writer.expired(secure);
  }

  #readValue(value: string, now: EpochMilliseconds): Presented {
    const verified = this.#verified.get(value);
    if (verified !== undefined) return this.#judge(verified, now, verified.stale);
    const reading = this.format.read(value, now);
    if (reading.ok) {
      if (this.format.timeless === true) this.#verified.add(value, reading);
      return this.#judge(reading, now, reading.stale);
    }
    // A format beside the written one is only what was asked for, each with its own full check (CVE-2026-39324).
    for (const format of this.#accepted) {
      const other = format.read(value, now);
      if (other.ok) return this.#judge(other, now, true);
    }
    return { id: null, cause: reading.reason };
  }

  /** The signed start lets a session past its absolute limit be refused without asking the store. */
  #judge(reading: Extract<CookieReading, { ok: true }>, now: EpochMilliseconds, stale: boolean): Presented {
    const { id, startedAt } = reading;
    // Another system's ids may be anything: none gets to a store that its path or query could trip over.
    if (!isId(id)) return UNKNOWN;
    // A whole second more, as the start is in whole seconds. A start in the future is left to the record.
    if (startedAt !== null && now - startedAt > this.#absolute + 1000) return TOO_OLD;
    return { id, startedAt, stale };
  }
}
