import { FastSessionError } from "../core/errors.ts";
import type { Milliseconds } from "../core/units.ts";
import { type Reply, toRefusal } from "./redis-answers.ts";
import { type Commander, isSlotMoving, isUnknownScript } from "./redis-client.ts";
import type { RedisStoreOptions } from "./redis-options.ts";
import type { Script } from "./redis-script.ts";

/** How long a call is repeated while its slot is moved: less than `storeTimeout`'s default. */
const PATIENCE: Milliseconds = 1500;

/** An error that the server answered begins with its code. A connection's errors do not. */
const REPLIED = /^-?[A-Z]{2,}\b/;

/** What node-redis says of itself, before it sends anything. */
const NOT_SENT = /^The client is (closed|offline)/;

const REMEDIES: readonly [code: RegExp, remedy: string][] = [
  [/^OOM/, "Redis is out of memory: raise maxmemory; reads, logouts and revocations still work"],
  [/^READONLY/, "this Redis is a replica and takes no changes: connect to the master, or through its Sentinels"],
  [/^NOREPLICAS/, "this Redis has lost its replicas and takes no changes, as min-replicas-to-write says: look at them"],
  [/^(NOPERM|NOAUTH|WRONGPASS)/, "Redis refuses this user: see docs/redis.md for the commands that are needed"],
  [/^CROSSSLOT/, "this server has slots and the client does not know: use the client's Cluster class"],
  [NOT_SENT, "the client is not connected, or was closed: await client.connect() before the first request"],
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
    return this.#run(script, keys, args, "ERR_SESSION_STORE");
  }

  /** A change whose loss nobody would notice, so replicas are not waited for. */
  touch(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.#run(script, keys, args, "ERR_SESSION_STORE_UNKNOWN");
  }

  write(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const durability = this.#durability;
    return durability === undefined
      ? this.touch(script, keys, args)
      : this.#writeAndWait(script, keys, args, durability);
  }

  async #writeAndWait(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    { replicas, milliseconds }: NonNullable<RedisStoreOptions["durability"]>,
  ): Promise<Reply> {
    const call = (): ReturnType<Commander["runAndWait"]> =>
      this.#commander.runAndWait(script, keys, args, replicas, milliseconds);
    const answer = await call().catch((error: unknown) => again(error, call, "ERR_SESSION_STORE_UNKNOWN"));
    // Nobody has to have what did not happen.
    if (answer.replicas >= replicas || answer.reply === null || toRefusal(answer.reply) !== null) return answer.reply;
    throw new FastSessionError(
      "ERR_SESSION_STORE_UNKNOWN",
      `${answer.replicas} of ${replicas} replicas had the change within ${milliseconds} ms: check replication, or lower durability`,
    );
  }

  /** One promise on top of the client's: nothing else happens to a call that succeeds. */
  #run(script: Script, keys: readonly string[], args: readonly string[], unknown: Unknown): Promise<Reply> {
    return this.#commander.run(script, keys, args).catch((error: unknown) => {
      const byText = (): Promise<Reply> => this.#commander.runText(script, keys, args);
      return isUnknownScript(error) ? attempt(byText, unknown) : again(error, byText, unknown);
    });
  }
}

type Unknown = "ERR_SESSION_STORE" | "ERR_SESSION_STORE_UNKNOWN";

async function attempt<T>(call: () => Promise<T>, unknown: Unknown): Promise<T> {
  try {
    return await call();
  } catch (error) {
    return again(error, call, unknown);
  }
}

/** After a call that failed: repeats it while its slot is moved. */
async function again<T>(first: unknown, call: () => Promise<T>, unknown: Unknown): Promise<T> {
  const until = performance.now() + PATIENCE;
  let error = first;
  for (let pause = 5; isSlotMoving(error) && performance.now() < until; pause = Math.min(pause * 2, 100)) {
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    try {
      return await call();
    } catch (next) {
      error = next;
    }
  }
  throw failure(error, unknown);
}

function failure(error: unknown, unknown: Unknown): FastSessionError {
  const message = error instanceof Error ? error.message : "";
  const replied = REPLIED.test(message);
  const unsent = NOT_SENT.test(message);
  const remedy = REMEDIES.find(([code]) => code.test(message))?.[1];
  return new FastSessionError(
    replied || unsent ? "ERR_SESSION_STORE" : unknown,
    remedy ??
      (replied ? "Redis refused the call: see cause" : "Redis gave no answer: see cause, and check the connection"),
    { cause: error },
  );
}
