import type { Reply } from "./redis-answers.ts";
import type { RedisConnection } from "./redis-connection.ts";
import type { Script } from "./redis-script.ts";

/**
 * What `RedisStore` calls of an `ioredis` client, 5 or 6: a `Redis` (also one that finds its server through Sentinels)
 * or a `Cluster`.
 */
export interface IoredisClient {
  evalsha(sha: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  duplicate(...overrides: never[]): unknown;
}

/** What `RedisStore` calls of a `redis` client (node-redis): what `createClient`, `createCluster`, `createSentinel` make. */
export interface NodeRedisClient {
  evalSha(sha: string, given: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, given: { keys: string[]; arguments: string[] }): Promise<unknown>;
  duplicate(...overrides: never[]): unknown;
}

export type RedisClient = IoredisClient | NodeRedisClient;

/** A client, whichever it is. */
export interface Commander {
  /** Whether keys lie in slots of several servers. */
  readonly cluster: boolean;
  /** Runs a script by its name. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply>;
  /** Runs it by its text, which the server knows from then on. */
  runText(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply>;
  /** Runs it in either way. Answers also how many replicas had it within so many milliseconds. */
  runAndWait(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    replicas: number,
    milliseconds: number,
  ): Promise<{ readonly reply: Reply; readonly replicas: number }>;
  /** A connection of its own for the feed, to any server. Not open yet. */
  connection(): Promise<RedisConnection>;
}

/** The server does not know a script: it was restarted, promoted, told to forget them. Nothing happened. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

/** What a server answers while a slot is moved and some of its keys are elsewhere. Nothing happened. */
export function isSlotMoving(error: unknown): boolean {
  return error instanceof Error && /^TRYAGAIN|attempted to access a non local key/.test(error.message);
}

/** A pipeline of a cluster does not follow a slot that moved. Nothing happened. */
export function isElsewhere(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK) /.test(error.message);
}
