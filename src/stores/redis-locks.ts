import { MOST_HOPS } from "../core/alias-limit.ts";
import type { Key } from "../core/session-record.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import { type Integer, isKey, isList, nonsense, type Reply } from "./redis-answers.ts";
import type { RedisCaller } from "./redis-caller.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { LOCK, RELEASE } from "./redis-scripts.ts";

export interface Lock {
  readonly fence: number;
  release(): Promise<void>;
}

/** Leases on records. A lease is part of its record: it follows it through a rotation and ends with it. */
export class RedisLocks {
  readonly #caller: RedisCaller;
  readonly #keys: RedisKeys;
  /** What this process holds, by key: a login inside of a lock leaves its holder with the old key. */
  readonly #held = new Map<Key, { key: Key }>();

  constructor(caller: RedisCaller, keys: RedisKeys) {
    this.#caller = caller;
    this.#keys = keys;
  }

  async take(key: Key, now: EpochMilliseconds, lease: Milliseconds): Promise<Lock | null> {
    let reply: Reply = key;
    for (let hops = 0; hops < MOST_HOPS && isKey(reply); hops += 1) {
      reply = await this.#caller.touch(LOCK, [this.#keys.record(reply)], [String(now), String(now + lease)]);
    }
    if (reply === null || isKey(reply)) return null;
    if (!isList(reply) || typeof reply[1] !== "string") throw nonsense();
    const [fence, at] = reply as readonly [Integer, Key];
    // Nothing to lock: the holder's commit will hear that the session is gone.
    if (at === "") return { fence: 0, release: () => Promise.resolve() };
    const held = { key: at };
    this.#held.set(at, held);
    return {
      fence: Number(fence),
      release: async () => {
        if (this.#held.get(held.key) === held) this.#held.delete(held.key);
        await this.#caller.touch(RELEASE, [this.#keys.record(held.key)], [String(now), String(fence)]);
      },
    };
  }

  moved(from: Key, to: Key): void {
    const held = this.#held.get(from);
    if (held === undefined) return;
    this.#held.delete(from);
    this.#held.set(to, held);
    held.key = to;
  }
}
