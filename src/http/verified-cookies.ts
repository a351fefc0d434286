import type { CookieReading } from "./cookie-format.ts";

type Valid = Extract<CookieReading, { ok: true }>;

const GENERATION = 4096;

/**
 * Remembers cookies whose signature held: a returning visitor's costs a look-up instead of a MAC, which is half of what
 * reading a session costs.
 *
 * Only valid ones enter, so forged ones fill nothing, and what depends on the time is judged anew. It belongs to one list
 * of secrets and ends with it. Two generations bound it: at most twice 4096 cookies, about 2 MB, and no list to keep in
 * order. A look-up tells an attacker nothing about a signature: it compares whole hashes under a seed of the process.
 */
export class VerifiedCookies {
  #young = new Map<string, Valid>();
  #old = new Map<string, Valid>();

  get(value: string): Valid | undefined {
    const young = this.#young.get(value);
    if (young !== undefined) return young;
    const old = this.#old.get(value);
    if (old !== undefined) this.#keep(value, old);
    return old;
  }

  /** Both texts are parts of a header, which would stay alive with them: what is kept are copies. */
  add(value: string, reading: Valid): void {
    this.#keep(copyOf(value), { ...reading, id: copyOf(reading.id) });
  }

  #keep(value: string, reading: Valid): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(value, reading);
  }
}

/** A text of its own, where `slice` would only point into the longer one. It has no characters that JSON escapes. */
function copyOf(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}
