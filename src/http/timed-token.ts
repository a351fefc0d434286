/**
 * Tokens as Python's itsdangerous makes them (`URLSafeTimedSerializer`): payload "." timestamp "." signature.
 *
 * The payload is JSON in base64url, behind a "." when zlib packed it; the timestamp is whole seconds, big-endian without
 * leading zero bytes; the signature is an HMAC over everything before it. The newest secret, the last one, signs.
 */
import { digestOf, equalInConstantTime, hmac } from "../core/crypto.ts";
import type { Digest } from "../core/crypto.ts";
import type { Seconds } from "../core/units.ts";
import { inflate } from "./inflate.ts";
import { secretList } from "./secrets.ts";
import type { Secret, SecretKey } from "./secrets.ts";
import { fromJson, toJson } from "./strict-json.ts";

/** How itsdangerous makes a signing key from secret and salt, in its own words. */
export type KeyDerivation = "django-concat" | "concat" | "hmac" | "none";

export interface TimedTokenOptions {
  /** @defaultValue `"itsdangerous"` */
  readonly salt?: string;
  /** @defaultValue `"sha1"` */
  readonly digest?: Digest;
  /** @defaultValue `"django-concat"` */
  readonly keyDerivation?: KeyDerivation;
}

export type TimedTokenReading =
  | { readonly ok: true; readonly data: unknown; readonly signedAt: Seconds; readonly newestKey: boolean }
  /** `malformed`: not of this shape, or well signed around a payload that cannot be read. */
  | { readonly ok: false; readonly reason: "malformed" | "bad-signature" };

export interface TimedTokens {
  /** @throws TypeError for a value that JSON cannot hold, or an instant outside the years 1970 to 9999 */
  write(data: unknown, signedAt: Seconds): string;
  /** Never throws, and accepts one spelling of each token only. */
  read(token: string): TimedTokenReading;
}

const DIGEST_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
const DERIVATIONS: readonly KeyDerivation[] = ["django-concat", "concat", "hmac", "none"];

/** 9999-12-31T23:59:59Z, the last second that Python can name. */
const MAX_TIMESTAMP = 253_402_300_799;
const TIMESTAMP_BYTES = 5;

const BASE64URL = /^[\w-]*$/;
const MALFORMED: TimedTokenReading = { ok: false, reason: "malformed" };
const BAD_SIGNATURE: TimedTokenReading = { ok: false, reason: "bad-signature" };

export function createTimedTokens(secretKey: SecretKey, option: string, options: TimedTokenOptions): TimedTokens {
  const { salt = "itsdangerous", digest = "sha1", keyDerivation = "django-concat" } = options;
  checkWords(salt, digest, keyDerivation);
  const keys = secretList(secretKey, option)
    .map((secret) => deriveSigningKey(secret, salt, digest, keyDerivation))
    .toReversed();
  const newest = keys[0] as Buffer;
  const signatureLength = Math.ceil((DIGEST_BYTES[digest] * 4) / 3);
  const sign = (key: Buffer, message: string): string => hmac(digest, key, message).toString("base64url");

  return {
    write(data, signedAt) {
      const message = `${Buffer.from(toJson(data)).toString("base64url")}.${timestampText(signedAt)}`;
      return `${message}.${sign(newest, message)}`;
    },
    read(token) {
      const end = token.lastIndexOf(".");
      const middle = end < 1 ? -1 : token.lastIndexOf(".", end - 1);
      if (middle === -1) return MALFORMED;
      const signature = token.slice(end + 1);
      // The comparison is of ASCII texts; as texts, since several base64 texts stand for the same bytes.
      if (signature.length !== signatureLength || !BASE64URL.test(signature)) return MALFORMED;
      const signedAt = parseTimestamp(token.slice(middle + 1, end));
      if (signedAt === null) return MALFORMED;
      const message = token.slice(0, end);
      const index = keys.findIndex((key) => equalInConstantTime(sign(key, message), signature));
      if (index === -1) return BAD_SIGNATURE;
      try {
        return { ok: true, data: parsePayload(token.slice(0, middle)), signedAt, newestKey: index === 0 };
      } catch {
        return MALFORMED;
      }
    },
  };
}

function checkWords(salt: unknown, digest: unknown, keyDerivation: unknown): void {
  if (typeof salt !== "string") throw new TypeError("salt must be a string");
  if (typeof digest !== "string" || !Object.hasOwn(DIGEST_BYTES, digest)) {
    throw new TypeError(`digest must be one of ${Object.keys(DIGEST_BYTES).join(", ")}`);
  }
  if (!DERIVATIONS.some((known) => known === keyDerivation)) {
    throw new TypeError(`keyDerivation must be one of ${DERIVATIONS.join(", ")}`);
  }
}

function deriveSigningKey(secret: Secret, salt: string, digest: Digest, keyDerivation: KeyDerivation): Buffer {
  switch (keyDerivation) {
    case "django-concat":
      return digestOf(digest, salt, "signer", secret);
    case "concat":
      return digestOf(digest, salt, secret);
    case "hmac":
      return hmac(digest, secret, salt);
    case "none":
      return Buffer.from(secret);
  }
}

function timestampText(seconds: Seconds): string {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_TIMESTAMP) {
    throw new TypeError(
      "the instant to sign must be in whole seconds since 1970: a clock in milliseconds needs / 1000",
    );
  }
  const bytes = Buffer.alloc(TIMESTAMP_BYTES);
  bytes.writeUIntBE(seconds, 0, TIMESTAMP_BYTES);
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? "" : bytes.toString("base64url", start);
}

function parseTimestamp(text: string): Seconds | null {
  if (text === "") return 0;
  const bytes = parseBase64Url(text);
  if (bytes === null || bytes.length > TIMESTAMP_BYTES || bytes[0] === 0) return null;
  const seconds = bytes.readUIntBE(0, bytes.length);
  return seconds <= MAX_TIMESTAMP ? seconds : null;
}

function parsePayload(text: string): unknown {
  const packed = text.startsWith(".");
  const bytes = parseBase64Url(packed ? text.slice(1) : text);
  if (bytes === null) throw new SyntaxError("not canonical base64url");
  return fromJson(packed ? inflate(bytes) : bytes);
}

/** The decoder skips what it does not know; writing its result again shows whether it skipped anything. */
function parseBase64Url(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}
