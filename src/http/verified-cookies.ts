import type { CookieReading } from "./cookie-format.ts";

type Valid = Extract<CookieReading, { ok: true }>;

interface Remembered {
  /** The copy that both generations know it by. */
  readonly value: string;
  readonly reading: Valid;
}

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
  #young = new Map<string, Remembered>();
  #old = new Map<string, Remembered>();

  get(value: string): Valid | undefined {
    const young = this.#young.get(value);
    if (young !== undefined) return young.reading;
    const old = this.#old.get(value);
    if (old !== undefined) this.#keep(old);
    return old?.reading;
  }

  /** Both texts are parts of a header, which would stay alive with them: what is kept are copies. */
  add(value: string, reading: Valid): void {
    this.#keep({ value: copyOf(value), reading: { ...reading, id: copyOf(reading.id) } });
  }

  #keep(one: Remembered): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(one.value, one);
  }
}

/** A text of its own, where `slice` would only point into the longer one. It has no characters that JSON escapes. */
function copyOf(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}
