/**
 * Encryption of fields, before they reach a store.
 *
 * A field's text in the store is `e1.<key id>.<base64url of nonce, ciphertext and tag>`: AES-256-GCM under a key of the
 * record, with format, key id and field name as associated data. By HMAC-SHA-256, with texts in UTF-8 and results in
 * base64url where they are used as keys or cut:
 *
 *     key        = HMAC(secret, "fastsession field encryption v1 " + namespace)
 *     key id     = HMAC(key, "key id"), its first six characters
 *     record key = HMAC(key, "record " + handle), its 32 bytes
 *
 * @see docs/encryption.md, docs/decisions/011-encryption.md
 */
import { createMac, deriveKey, keyBytes, type Mac } from "./crypto.ts";
import { FastSessionError } from "./errors.ts";
import type { Log } from "./logger.ts";
import { utf8Length } from "./text-size.ts";

/** Encrypts the fields of records, so that a dump, a backup or a replica of the store shows none. */
export interface EncryptionOptions {
  /**
   * Secrets of 32 bytes or more, drawn at random; a text counts as its UTF-8 bytes and is not decoded. The first one
   * encrypts, all of them decrypt. Other ones than `secretKey`.
   *
   * @example
   * encryption: { keys: [process.env.SESSION_ENCRYPTION_KEY!] }
   */
  readonly keys: readonly (string | Uint8Array)[];
  /**
   * Takes fields that are not encrypted, and encrypts them when they are next written: while existing sessions move
   * over. Else a field that is not encrypted counts as tampered with.
   *
   * @defaultValue false
   */
  readonly acceptPlaintext?: boolean;
}

const MIN_BYTES = 32;
const KEY_ID_LENGTH = 6;
const FORMAT = "e1.";
const NEWER_FORMAT = /^e(?!1\.)[1-9][0-9]*\./;

/** A sealed text without what is readable of it. */
export interface SealedText {
  readonly keyId: string;
  readonly body: string;
}

/** The keys of one `createSessions`. */
export class Encryption {
  readonly acceptPlaintext: boolean;
  /** The key that seals. */
  readonly keyId: string;
  readonly #keys: ReadonlyMap<string, Mac>;
  readonly #log: Log;

  /** @throws TypeError for keys that are missing, short or doubled */
  constructor(options: EncryptionOptions, namespace: string, log: Log) {
    const keys = new Map<string, Mac>();
    for (const secret of secretsOf(options)) {
      const key = createMac(deriveKey(secret, `fastsession field encryption v1 ${namespace}`));
      const keyId = key("key id").slice(0, KEY_ID_LENGTH);
      if (keys.has(keyId)) throw new TypeError("encryption.keys has the same key twice: take one of them out");
      keys.set(keyId, key);
    }
    this.acceptPlaintext = options.acceptPlaintext === true;
    this.keyId = keys.keys().next().value as string;
    this.#keys = keys;
    this.#log = log;
  }

  /** The key of one record; `null` for a key id that is not known here. */
  recordKey(keyId: string, handle: string): Uint8Array | null {
    const key = this.#keys.get(keyId);
    if (key !== undefined) return keyBytes(key(`record ${handle}`));
    this.#log.warnOnce(
      "fields in the store are encrypted with a key that is not in encryption.keys: add it, or their sessions end",
    );
    return null;
  }
}

/** What a sealed text of that key begins with. */
export function sealedPrefix(keyId: string): string {
  return `${FORMAT}${keyId}.`;
}

/**
 * Takes a stored text apart; `null` when it is not a sealed one.
 *
 * @throws FastSessionError `ERR_SESSION_UNAVAILABLE` for a format of a newer version
 */
export function parseSealed(stored: string): SealedText | null {
  if (NEWER_FORMAT.test(stored)) {
    throw new FastSessionError("ERR_SESSION_UNAVAILABLE", "a stored text is encrypted as this version does not know");
  }
  const dot = FORMAT.length + KEY_ID_LENGTH;
  if (!stored.startsWith(FORMAT) || stored[dot] !== ".") return null;
  return { keyId: stored.slice(FORMAT.length, dot), body: stored.slice(dot + 1) };
}

function secretsOf(options: EncryptionOptions): readonly (string | Uint8Array)[] {
  const { keys, acceptPlaintext, ...rest }: Partial<EncryptionOptions> = options ?? {};
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isSecret)) {
    throw new TypeError(
      `encryption.keys must be a list of secrets of ${MIN_BYTES} bytes or more: node -p "crypto.randomBytes(32).toString('base64url')" makes one`,
    );
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new TypeError(`unknown option encryption.${unknown}: known are keys, acceptPlaintext`);
  }
  if (acceptPlaintext !== undefined && typeof acceptPlaintext !== "boolean") {
    throw new TypeError("encryption.acceptPlaintext must be true or false");
  }
  return keys;
}

function isSecret(value: unknown): boolean {
  if (typeof value === "string") return utf8Length(value) >= MIN_BYTES;
  return value instanceof Uint8Array && value.length >= MIN_BYTES;
}
