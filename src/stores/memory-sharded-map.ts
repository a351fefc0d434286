const SHARD_BITS = 8;

/** What tells generated keys apart: ids, their hashes and UUIDs all end in more random characters than this. */
export const RANDOM_END = 12;

/** Which shard a key belongs to, by its last `significant` characters. */
export function shardOf(key: string, significant: number): number {
  let hash = 0;
  // Reading a character also flattens a key that was put together from parts, which frees the parts.
  for (let at = Math.max(0, key.length - significant); at < key.length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x9e3779b1);
  }
  return hash >>> (32 - SHARD_BITS);
}

/**
 * One map in 256 parts. A `Map` grows and shrinks by copying itself in one go: at a million entries that stops the
 * process for 20 to 40 ms, and in parts for a fraction of one.
 */
export class ShardedMap<Value> {
  readonly #significant: number;
  readonly #shards: (Map<string, Value> | undefined)[] = Array.from({ length: 1 << SHARD_BITS });

  /** @param significant how many characters at a key's end tell keys apart well enough: fewer take less time */
  constructor(significant: number) {
    this.#significant = significant;
  }

  get(key: string): Value | undefined {
    return this.#shards[shardOf(key, this.#significant)]?.get(key);
  }

  set(key: string, value: Value): void {
    (this.#shards[shardOf(key, this.#significant)] ??= new Map<string, Value>()).set(key, value);
  }

  delete(key: string): void {
    this.#shards[shardOf(key, this.#significant)]?.delete(key);
  }
}
