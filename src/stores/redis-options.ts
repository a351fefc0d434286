import { checkNames, flag } from "../core/check-option.ts";
import type { Milliseconds } from "../core/units.ts";
import { Ioredis } from "./redis-ioredis.ts";
import type { Commander, RedisClient } from "./redis-client.ts";
import { NodeRedis } from "./redis-node-redis.ts";

export interface RedisStoreOptions {
  /**
   * Begins every key, and names the channel of the feed. Applications with different ones do not see each other's
   * sessions. No braces: what stands in them decides on Redis Cluster's slot.
   *
   * @defaultValue `"fs:"`
   */
  readonly prefix?: string;
  /**
   * Also tells the feed of every change, which a near cache needs, for a message a write.
   *
   * @defaultValue false
   */
  readonly announceChanges?: boolean;
  /**
   * Waits until so many replicas have a change before it is acknowledged, and so many milliseconds for them. What is
   * acknowledged then survives a failover to one of them. Where they don't answer in time, the verb fails with
   * `ERR_SESSION_STORE_UNKNOWN`: the change was made, and may be lost. Less than `storeTimeout` (2 s), which ends the wait
   * else, and tells of a logout that it failed.
   *
   * @defaultValue none: a change is acknowledged when the server has it
   */
  readonly durability?: { readonly replicas: number; readonly milliseconds: Milliseconds };
}

export const PREFIX = "fs:";

const OPTIONS = { prefix: true, announceChanges: true, durability: true } as const;
const DURABILITY = { replicas: true, milliseconds: true } as const;

export function checkOptions(options: RedisStoreOptions): void {
  checkNames("RedisStore", options, OPTIONS);
  flag(options, "announceChanges");
  const { prefix, durability } = options;
  if (prefix !== undefined && (typeof prefix !== "string" || /[{}\s]/.test(prefix))) {
    throw new TypeError("prefix is a text without braces and spaces, such as shop:");
  }
  if (durability === undefined) return;
  checkNames("durability", durability, DURABILITY);
  for (const name of ["replicas", "milliseconds"] as const) {
    const value = durability[name];
    if (!(Number.isInteger(value) && value > 0)) {
      throw new TypeError(`durability.${name} is a positive whole number: { replicas: 1, milliseconds: 500 }`);
    }
  }
}

export function commander(client: RedisClient): Commander {
  if (typeof client === "object" && client !== null) {
    if ("evalSha" in client) return new NodeRedis(client);
    if ("evalsha" in client) return new Ioredis(client);
  }
  throw new TypeError(
    "RedisStore takes a client of ioredis, as in new Redis(), or of redis, as in await createClient().connect()",
  );
}
