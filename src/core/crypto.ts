/** The only file that touches `node:crypto`. */
import * as crypto from "node:crypto";

/** One-shot hashing is missing on some runtimes; the streaming form gives the same bytes. */
const oneShot: typeof crypto.hash | undefined = crypto.hash;

/** SHA-256 in base64url: 43 characters. */
export function sha256(text: string): string {
  return oneShot === undefined
    ? crypto.createHash("sha256").update(text).digest("base64url")
    : oneShot("sha256", text, "base64url");
}

/** Derives an independent key for one purpose: HMAC-SHA-256 of the purpose under the secret, 43 ASCII characters. */
export function deriveKey(secret: string | Uint8Array, purpose: string): string {
  return crypto.createHmac("sha256", secret).update(purpose).digest("base64url");
}

export type Digest = "sha1" | "sha256" | "sha384" | "sha512";

/** Plain HMAC, for the formats of other systems. */
export function hmac(digest: Digest, key: string | Uint8Array, message: string | Uint8Array): Buffer {
  return crypto.createHmac(digest, key).update(message).digest();
}

/** Plain digest over several parts, for the key derivations of other systems. */
export function digestOf(digest: Digest, ...parts: (string | Uint8Array)[]): Buffer {
  const hash = crypto.createHash(digest);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Node takes every encoding here; its types name only some. */
const LATIN1 = "latin1" as crypto.BinaryToTextEncoding;

/** A function from message to HMAC-SHA-256 in base64url (43 characters) under one key. */
export type Mac = (message: string) => string;

/**
 * HMAC-SHA-256 with a key of at most 64 ASCII characters.
 *
 * Two one-shot hashes take half the time of `createHmac`, which allocates a stream object per call. By RFC 2104 the
 * result is the same: H(key ^ opad, H(key ^ ipad, message)). The outer block is reused between calls, which is safe
 * because nothing is awaited between filling and hashing it.
 */
export function createMac(key: string): Mac {
  if (oneShot === undefined) return (message) => crypto.createHmac("sha256", key).update(message).digest("base64url");
  const hash = oneShot;
  const pad = Buffer.alloc(64);
  pad.write(key, "latin1");
  const innerPad = Buffer.from(pad.map((byte) => byte ^ 0x36)).toString("latin1");
  const outer = Buffer.alloc(96);
  outer.set(pad.map((byte) => byte ^ 0x5c));
  return (message) => {
    outer.write(hash("sha256", innerPad + message, LATIN1), 64, 32, "latin1");
    return hash("sha256", outer, "base64url");
  };
}

const AEAD = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a text with AES-256-GCM under a nonce drawn at random: base64url of nonce, ciphertext and tag.
 *
 * @param context what the text belongs to; it opens for nothing else
 */
export function sealText(key: Uint8Array, context: string, text: string): string {
  const nonce = randomText(NONCE_BYTES);
  const cipher = crypto.createCipheriv(AEAD, key, Buffer.from(nonce, "base64url"), { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  // Twelve bytes are sixteen characters to the bit: the two texts together are the text of the bytes together.
  return nonce + body.toString("base64url");
}

/** The bytes of a `Mac` that is used as a key. */
export function keyBytes(mac: string): Uint8Array {
  return Buffer.from(mac, "base64url");
}

/** Opens what `sealText` sealed; `null` when key, context or any character is another. */
export function openText(key: Uint8Array, context: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, "base64url");
  // Node passes over what is no base64url, and over the bits that the last character has too many.
  if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString("base64url") !== sealed) return null;
  const tag = bytes.length - TAG_BYTES;
  const decipher = crypto.createDecipheriv(AEAD, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(tag));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, tag)), decipher.final()]).toString();
  } catch {
    return null;
  }
}

const MAC_LENGTH = 43;
const left = Buffer.alloc(MAC_LENGTH);
const right = Buffer.alloc(MAC_LENGTH);

/** Compares two ASCII texts in a time that depends on their length only. Buffers are kept for `Mac` results. */
export function equalInConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  if (a.length !== MAC_LENGTH) return crypto.timingSafeEqual(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"));
  left.write(a, "latin1");
  right.write(b, "latin1");
  return crypto.timingSafeEqual(left, right);
}

const POOL_BYTES = 4096;
let pool: Buffer | undefined;
let offset = POOL_BYTES;

/**
 * Random bytes as base64url, from the system's generator: four characters for each three bytes.
 *
 * Drawn some thousand at a time, which is twenty times cheaper than one by one; they are wiped as they are used, so that
 * a memory dump shows no id that was given out.
 *
 * @param bytes a multiple of 3
 * @param begin the first four characters, or the first one, where they are not random. Put in before the encoding: the
 *   text comes out in one piece, where a concatenated one would be kept twice by every Map it is a key of
 */
export function randomText(bytes: number, begin: string = ""): string {
  pool ??= Buffer.alloc(POOL_BYTES);
  if (offset + bytes > POOL_BYTES) {
    crypto.randomFillSync(pool);
    offset = 0;
  }
  const end = offset + bytes;
  if (begin.length === 4) pool.write(begin, offset, "base64url");
  // A character is six bits: the first one's are the upper bits of the first byte.
  else if (begin.length === 1) pool[offset] = (BASE64URL.indexOf(begin) << 2) | ((pool[offset] as number) & 3);
  const text = pool.toString("base64url", offset, end);
  pool.fill(0, offset, end);
  offset = end;
  return text;
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A random UUID, version 4: what the original names its sessions with. 122 bits. */
export function randomUuid(): string {
  return crypto.randomUUID();
}
