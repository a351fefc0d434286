import { createMac, deriveKey, equalInConstantTime, sha256 } from "../core/crypto.ts";
import type { Mac } from "../core/crypto.ts";
import type { CookieFormat, CookieFormatFactory, CookieReading } from "./cookie-format.ts";
import { secretList } from "./secrets.ts";
import type { Secret } from "./secrets.ts";

/** id "." start in seconds, base 36 "." key id and MAC. How long each may be is asked before. */
const FORM = /^[\w-]+\.(?:0|[1-9a-z][0-9a-z]*)\.[\w-]+$/;
const MIN_ID_LENGTH = 16;
const MAX_ID_LENGTH = 128;
const MAX_START_LENGTH = 8;
const KEY_ID_LENGTH = 4;
const SIGNATURE_LENGTH = KEY_ID_LENGTH + 43;

const MALFORMED: CookieReading = { ok: false, reason: "malformed" };
const UNKNOWN_KEY: CookieReading = { ok: false, reason: "unknown-key" };
const BAD_SIGNATURE: CookieReading = { ok: false, reason: "bad-signature" };

interface SigningKey {
  /** A hash of the key, so that the same secret has the same one in every process. Not secret, not unique. */
  readonly id: string;
  readonly mac: Mac;
}

/**
 * Our own cookie: `id.start.signature`, HMAC-SHA-256 under a key that serves this cookie only. The default.
 *
 * The **first** secret signs and all verify; the signature begins with its key's id, so that only that key's MAC is
 * computed and a cookie under a key that left the list is told from a forged one.
 */
export function nativeCookie(): CookieFormatFactory {
  return ({ secrets, namespace, sessionCookie }) => {
    // JSON tells the parts apart: no other pair of names gives the same purpose.
    const purpose = `fastsession cookie signature v1 ${JSON.stringify([namespace, sessionCookie])}`;
    const keys = secretList(secrets, "secretKey").map((secret) => signingKey(secret, purpose));
    const signer = keys[0] as SigningKey;

    const format: CookieFormat = {
      name: "native",
      timeless: true,
      write(id, startedAt) {
        const message = `${id}.${Math.floor(startedAt / 1000).toString(36)}`;
        return `${message}.${signer.id}${signer.mac(message)}`;
      },
      read(value) {
        const dot = value.indexOf(".");
        const end = value.length - SIGNATURE_LENGTH - 1;
        if (dot < MIN_ID_LENGTH || dot > MAX_ID_LENGTH || end - dot > MAX_START_LENGTH + 1) return MALFORMED;
        // Two dots in all, and these two places have one each: three parts, each within its length.
        if (end <= dot || value[end] !== "." || !FORM.test(value)) return MALFORMED;
        const message = value.slice(0, end);
        const index = verifier(keys, message, value, end + 1);
        if (index === -1) return UNKNOWN_KEY;
        if (index === keys.length) return BAD_SIGNATURE;
        const startedAt = Number.parseInt(value.slice(dot + 1, end), 36) * 1000;
        return { ok: true, id: value.slice(0, dot), startedAt, stale: index > 0 };
      },
    };
    return format;
  };
}

function signingKey(secret: Secret, purpose: string): SigningKey {
  const key = deriveKey(secret, purpose);
  return { id: sha256(key).slice(0, KEY_ID_LENGTH), mac: createMac(key) };
}

/** Whose signature stands at `at`: the key's index, -1 when no key has that id, `keys.length` when the MAC is wrong. */
function verifier(keys: readonly SigningKey[], message: string, value: string, at: number): number {
  let answer = -1;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as SigningKey;
    if (!value.startsWith(key.id, at)) continue;
    if (equalInConstantTime(key.mac(message), value.slice(at + KEY_ID_LENGTH))) return index;
    answer = keys.length;
  }
  return answer;
}
