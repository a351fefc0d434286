import { randomText, sha256 } from "./crypto.ts";
import { FastSessionError } from "./errors.ts";
import type { Key } from "./session-record.ts";

/** The first character of an id names its format. */
const FORMAT = "1";
const TAG_LENGTH = 3;
/** Format, tag and 192 random bits. OWASP ASVS 5.0, 7.2.3 asks for 128. */
const ID_BYTES = 27;
export const ID_LENGTH: number = (ID_BYTES / 3) * 4;

/** What an id may look like, also one from a generator of the user's: nothing a store or a header could trip over. */
const ID_FORM = /^[\w-]{16,128}$/;

export function isId(text: unknown): text is string {
  return typeof text === "string" && ID_FORM.test(text);
}

/**
 * Makes a new id. `tag` routes it: stores that spread keys over servers keep one tag's keys together. Random for a
 * visitor, so it says nothing; a hash of the user from the login on, so that a user's sessions lie together.
 */
export function newId(tag?: string): string {
  return randomText(ID_BYTES, tag === undefined ? FORMAT : FORMAT + tag);
}

/**
 * The routing tag of a user's sessions: 18 bits of a hash. No secret is in it, so that all processes agree whatever their
 * keys. Who has an id and guesses the user can tell that he is wrong, or right but for one in 262,144; see decision 009.
 */
export function userTag(userId: string): string {
  return sha256(`fastsession user tag v1 ${userId}`).slice(0, TAG_LENGTH);
}

/** The routing tag an id carries, or one derived from it when another generator made it. */
export function tagOf(id: string): string {
  return id.length === ID_LENGTH && id.startsWith(FORMAT)
    ? id.slice(1, 1 + TAG_LENGTH)
    : sha256(id).slice(0, TAG_LENGTH);
}

/** What a persistent or remote store knows a session by. Nobody gets from it back to the id (CVE-2019-16782). */
export function hashedKey(namespace: string, id: string): Key {
  return `v1.${tagOf(id)}.${sha256(`${namespace.length}:${namespace}${id}`)}`;
}

/** A few characters that let two log lines be matched, and nothing else be done. */
export function shortHash(id: string): string {
  return sha256(`fastsession log ${id}`).slice(0, 8);
}

/** A session's public name: 96 random bits, unrelated to its id. Knowing it lets nobody in. */
export function newHandle(): string {
  return randomText(12);
}

export interface IdSource {
  next(tag?: string): string;
}

/** Ids from the library, or from the user's generator, whose results are checked. */
export function createIdSource(generator: (() => string) | undefined): IdSource {
  if (generator === undefined) return { next: newId };
  let last: string | undefined;
  return {
    next: () => {
      const id: unknown = generator();
      if (!isId(id)) {
        throw new FastSessionError(
          "ERR_SESSION_ID",
          "idGenerator must return 16 to 128 characters of A-Z, a-z, 0-9, _ and -, at random: use the default, or crypto.randomUUID()",
        );
      }
      if (id === last) {
        throw new FastSessionError(
          "ERR_SESSION_ID",
          "idGenerator returned the same id twice in a row: it must be random",
        );
      }
      return (last = id);
    },
  };
}

/** Numbers of six digits to the base of 36. */
const FIRST_OPERATION = 36 ** 5;
const LAST_OPERATION = 36 ** 6 - 1;
let operationPrefix = "";
let operation = LAST_OPERATION;

/**
 * Names one store call in 11 characters: unique in this process by counting, between processes by some 60 random bits.
 * It has to differ from the last few calls on one record.
 */
export function newOperation(): string {
  if (operation === LAST_OPERATION) {
    operation = FIRST_OPERATION + Math.floor(Math.random() * (LAST_OPERATION - FIRST_OPERATION));
    operationPrefix = randomText(6).slice(0, 5);
  }
  return operationPrefix + (operation++).toString(36);
}
