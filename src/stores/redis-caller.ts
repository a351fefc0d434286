import { FastSessionError } from "../core/errors.ts";
import type { Milliseconds } from "../core/units.ts";
import { type Reply, toRefusal } from "./redis-answers.ts";
import { type Commander, isSlotMoving } from "./redis-client.ts";
import type { RedisStoreOptions } from "./redis-options.ts";
import type { Script } from "./redis-script.ts";

/** How long a call is repeated while its slot is moved: less than `storeTimeout`'s default. */
const PATIENCE: Milliseconds = 1500;

/** An error that the server answered begins with its code. A connection's errors do not. */
const REPLIED = /^-?[A-Z]{2,}\b/;

const REMEDIES: readonly [code: RegExp, remedy: string][] = [
  [/^OOM/, "Redis is out of memory: raise maxmemory; reads, logouts and revocations still work"],
  [/^READONLY/, "this Redis is a replica and takes no changes: connect to the master, or through its Sentinels"],
  [/^(NOPERM|NOAUTH|WRONGPASS)/, "Redis refuses this user: see docs/redis.md for the commands that are needed"],
  [/^CROSSSLOT/, "this server has slots and the client does not know: use the client's Cluster class"],
];

/** Calls Redis: repeats what a moving slot refused, waits for replicas, and gives every failure its type. */
export class RedisCaller {
  readonly cluster: boolean;
  readonly #commander: Commander;
  readonly #durability: RedisStoreOptions["durability"];

  constructor(commander: Commander, durability: RedisStoreOptions["durability"]) {
    this.#commander = commander;
    this.cluster = commander.cluster;
    this.#durability = durability;
  }

  read(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.#patiently(() => this.#commander.run(script, keys, args), "ERR_SESSION_STORE");
  }

  /** A change whose loss nobody would notice, so replicas are not waited for. */
  touch(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.#patiently(() => this.#commander.run(script, keys, args), "ERR_SESSION_STORE_UNKNOWN");
  }

  async write(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const durability = this.#durability;
    if (durability === undefined) return this.touch(script, keys, args);
    const { replicas, milliseconds } = durability;
    const answer = await this.#patiently(
      () => this.#commander.runAndWait(script, keys, args, replicas, milliseconds),
      "ERR_SESSION_STORE_UNKNOWN",
    );
    // Nobody has to have what did not happen.
    if (answer.replicas >= replicas || answer.reply === null || toRefusal(answer.reply) !== null) return answer.reply;
    throw new FastSessionError(
      "ERR_SESSION_STORE_UNKNOWN",
      `${answer.replicas} of ${replicas} replicas had the change within ${milliseconds} ms: check replication, or lower durability`,
    );
  }

  async #patiently<T>(call: () => Promise<T>, unknown: "ERR_SESSION_STORE" | "ERR_SESSION_STORE_UNKNOWN"): Promise<T> {
    let until: number | undefined;
    for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
      try {
        return await call();
      } catch (error) {
        until ??= performance.now() + PATIENCE;
        if (!isSlotMoving(error) || performance.now() >= until) throw failure(error, unknown);
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      }
    }
  }
}

function failure(error: unknown, unknown: "ERR_SESSION_STORE" | "ERR_SESSION_STORE_UNKNOWN"): FastSessionError {
  const message = error instanceof Error ? error.message : "";
  const replied = REPLIED.test(message);
  const remedy = REMEDIES.find(([code]) => code.test(message))?.[1];
  return new FastSessionError(
    replied ? "ERR_SESSION_STORE" : unknown,
    remedy ??
      (replied ? "Redis refused the call: see cause" : "Redis gave no answer: see cause, and check the connection"),
    { cause: error },
  );
}
