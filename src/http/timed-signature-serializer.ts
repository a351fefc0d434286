import type { Seconds } from "../core/units.ts";
import { createTimedTokens } from "./timed-token.ts";
import type { TimedTokenOptions, TimedTokens } from "./timed-token.ts";
import type { SecretKey } from "./secrets.ts";

export interface TimedSignatureSerializerOptions extends TimedTokenOptions {
  /**
   * How long a token is valid. A token lives through its last second.
   *
   * @defaultValue 0: for ever
   */
  readonly expiredIn?: Seconds;
  /**
   * How far ahead of this clock a token's may be; only where `expiredIn` is set.
   *
   * @defaultValue 0, as in itsdangerous
   */
  readonly leeway?: Seconds;
  /**
   * The clock, in seconds since 1970.
   *
   * @defaultValue the system's
   */
  readonly now?: () => Seconds;
}

/** What `decode` made of a token. `data` is `null` where there is an error. */
export type TimedSignatureResult =
  | { readonly data: unknown; readonly error: null }
  | { readonly data: null; readonly error: "NoTokenSpecified" | "SignatureExpired" | "InvalidSignature" };

/**
 * Signs a value into a URL-safe text with its time, and reads it back. Signed, not encrypted: anybody can read it.
 *
 * Tokens are those of Python's `itsdangerous.URLSafeTimedSerializer`, byte for byte, in both directions. Compressed ones
 * are read up to 64 KiB and never written. Of several secrets the **last** signs and all verify, as there. The salt
 * keeps one purpose's tokens from being taken for another's.
 *
 * @example
 * const links = new TimedSignatureSerializer(secret, { expiredIn: 3600, salt: "reset-password" });
 * const { data, error } = links.decode(links.encode({ userId: 7 }));
 *
 * @throws TypeError from the constructor for an empty secret or a wrong option, from `encode` for what JSON cannot hold
 */
export class TimedSignatureSerializer {
  readonly #tokens: TimedTokens;
  readonly #expiredIn: Seconds;
  readonly #leeway: Seconds;
  readonly #now: () => Seconds;

  constructor(secret: SecretKey, options: TimedSignatureSerializerOptions = {}) {
    this.#tokens = createTimedTokens(secret, "secret", options);
    this.#expiredIn = duration(options.expiredIn, "expiredIn");
    this.#leeway = duration(options.leeway, "leeway");
    this.#now = options.now ?? (() => Date.now() / 1000);
  }

  /** A token for a JSON value. */
  encode(value: unknown): string {
    return this.#tokens.write(value, Math.floor(this.#now()));
  }

  /** The value in a token, or why there is none. Never throws, whatever it is given. */
  decode(token: unknown): TimedSignatureResult {
    if (token === undefined || token === null || token === "") return { data: null, error: "NoTokenSpecified" };
    const reading = typeof token === "string" ? this.#tokens.read(token) : null;
    if (reading === null || !reading.ok) return { data: null, error: "InvalidSignature" };
    if (!this.#isTimely(reading.signedAt)) return { data: null, error: "SignatureExpired" };
    return { data: reading.data, error: null };
  }

  #isTimely(signedAt: Seconds): boolean {
    if (this.#expiredIn === 0) return true;
    const age = Math.floor(this.#now()) - signedAt;
    return age <= this.#expiredIn && age >= -this.#leeway;
  }
}

function duration(value: Seconds | undefined, option: string): Seconds {
  if (value === undefined) return 0;
  if (!Number.isFinite(value) || value < 0) {
    throw new TypeError(`${option} must be a number of seconds, 0 or more`);
  }
  return value;
}
