/**
 * What is kept where. `{tag}` is what Redis Cluster hashes: a user's sessions, their index and the generation share a
 * slot, because a bound session's id carries the tag of its user.
 *
 * | key | type | |
 * | --- | --- | --- |
 * | `<prefix>{tag}:s:<hash>` | HASH | a record, an alias or a tombstone |
 * | `<prefix>{tag}:u:<user>` | ZSET | keys of the user's sessions, by the instant of their login |
 * | `<prefix>{tag}:g:<user>` | string | the user's generation, once raised; never expires |
 * | `<prefix>{<handle>}:h` | string | tag and user of the session of that public name |
 */
import { toText } from "../core/kept-text.ts";
import { userTag } from "../core/session-id.ts";
import type { Key } from "../core/session-record.ts";

/** `v1.<tag>.<hash>`, as `hashedKey` makes it. */
const KEY = /^v1\.[\w-]{3}\.[\w-]+$/;

export class RedisKeys {
  readonly #prefix: string;
  /** Where notices are published. */
  readonly channel: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.channel = `${prefix}notices`;
  }

  record(key: Key): string {
    if (!KEY.test(key)) throw new TypeError("RedisStore takes the keys that fastsession makes: v1.<tag>.<hash>");
    return `${this.#prefix}{${key.slice(3, 6)}}:s:${key.slice(7)}`;
  }

  /** The user's generation and index, which scripts on a user declare. */
  ofUser(user: string): [generation: string, index: string] {
    const slot = `${this.#prefix}{${user.slice(0, 3)}}`;
    return [`${slot}:g:${user.slice(3)}`, `${slot}:u:${user.slice(3)}`];
  }

  pointer(handle: string): string {
    return `${this.#prefix}{${handle}}:h`;
  }
}

/** A user with the routing tag in front, as scripts know him. */
export function userOf(userId: string): string {
  return userTag(userId) + toText(userId);
}

export function tagOfKey(key: Key): string {
  return key.slice(3, 6);
}
