/**
 * Sessions in Redis or Valkey, for a fleet: one server, a master found through Sentinels, or a Cluster.
 *
 * Every verb is one Lua script, called by its name (`EVALSHA`), so it is atomic and one round trip. `redis-keys.ts` shows
 * the keys, `redis-lua.ts` what a record is made of:
 *
 * | verb | commands, inside of one script |
 * | --- | --- |
 * | load | `HMGET HGETALL`, of a bound session `GET` its user's generation |
 * | create | `HMGET HGET`, `HSET PEXPIRE`; bound: `GET`, `ZRANDMEMBER` or with a cap `ZRANGE`, what is there, `ZADD PTTL PEXPIRE SET` |
 * | commit | `HMGET`, of a bound session `GET`, `HGET` each expected field, `HDEL HSET`, `PTTL PEXPIRE` where the deadline moves |
 * | renew | `HMGET`, of a bound session `GET PTTL`, `HSET PEXPIRE` |
 * | rotate | as commit, `RENAME`, `HSET PEXPIRE` under the old key, `ZREM ZADD`, `PUBLISH` |
 * | destroy | `HMGET`, of a bound session `GET ZREM`, `DEL HSET PEXPIRE PUBLISH` |
 * | listByUser | `GET`, `ZRANK ZRANGE`, `HMGET` each, `ZREM` what is lost |
 * | revokeHandle | `GET`; then in the user's slot `ZRANGE`, `HGET` each, as destroy |
 * | revokeUser | `INCR`, `ZRANGE` and `HMGET` each, as destroy, 200 a call |
 * | lock | `HMGET HSET HINCRBY` |
 * | ping | `INFO memory` |
 *
 * On a Cluster a rotation into another slot (a login of a visitor) is three calls, and a public name one beside: see `redis-crossing.ts`.
 *
 * Not where Redis may evict keys (`maxmemory-policy` other than `noeviction`): sessions and indexes would vanish, which
 * `ping` refuses. Replication is asynchronous: a failover may lose acknowledged changes and bring an ended session back,
 * unless `durability` is set. Without `appendonly yes` a crash of the server ends the sessions since its last snapshot.
 */
import { MOST_HOPS } from "../core/alias-limit.ts";
import { FastSessionError } from "../core/errors.ts";
import type { Alias, Key, NewSession, SessionPage, StoredSession, Tombstone } from "../core/session-record.ts";
import type {
  Bind,
  Change,
  Committed,
  Conflict,
  Created,
  Duplicate,
  Gone,
  LiveStore,
  Moved,
  Rejected,
  RotateChange,
  Rotated,
  SessionStore,
  StoreNotice,
} from "../core/session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import { isKey, isList, type Reply, toBoolean, toCommitted, toCreated, toStored } from "./redis-answers.ts";
import { commitArguments, createArguments, renewArguments, rotateArguments } from "./redis-arguments.ts";
import { RedisCaller } from "./redis-caller.ts";
import type { RedisClient } from "./redis-client.ts";
import { foreignTag, rotateAcross, type Settled, toSettled } from "./redis-crossing.ts";
import { RedisFeed } from "./redis-feed.ts";
import { RedisKeys, tagOfKey, userOf } from "./redis-keys.ts";
import { type Lock, RedisLocks } from "./redis-locks.ts";
import { ROTATE } from "./redis-moves.ts";
import { checkOptions, commander, PREFIX, type RedisStoreOptions } from "./redis-options.ts";
import { COMMIT, CREATE, DESTROY, LOAD, PING, RENEW } from "./redis-scripts.ts";
import { type Page, RedisUsers, type Revocation } from "./redis-users.ts";

export type { IoredisClient, NodeRedisClient, RedisClient } from "./redis-client.ts";
export type { RedisStoreOptions } from "./redis-options.ts";

type Creation = Parameters<SessionStore["create"]>[1];
type Use = Parameters<SessionStore["renew"]>[1];
type Rotation = Parameters<SessionStore["rotate"]>[3];
type End = Parameters<SessionStore["destroy"]>[1];

/**
 * Keeps sessions in Redis 6.2 or later, or Valkey.
 *
 * The client is yours: `new Redis()` or `new Cluster()` of `ioredis`, or what `createClient`, `createCluster` or
 * `createSentinel` of `redis` make, connected. The store never closes it. Calls of parallel requests share its connection
 * and wait for none of each other.
 *
 * @throws (each verb) FastSessionError `ERR_SESSION_STORE` when Redis refused and nothing happened,
 * `ERR_SESSION_STORE_UNKNOWN` when no answer came; with the client's error as its cause
 *
 * @example
 * const sessions = createSessions({ secretKey, store: new RedisStore(new Redis(process.env.REDIS_URL)) });
 */
export class RedisStore implements LiveStore {
  readonly capabilities: LiveStore["capabilities"];
  readonly #keys: RedisKeys;
  readonly #caller: RedisCaller;
  readonly #users: RedisUsers;
  readonly #feed: RedisFeed;
  readonly #locks: RedisLocks;
  readonly #changes: string;

  /**
   * Does no I/O.
   *
   * @throws TypeError for something that is no client, and for options out of their range
   */
  constructor(client: RedisClient, options: RedisStoreOptions = {}) {
    checkOptions(options);
    const { prefix = PREFIX, announceChanges = false, durability } = options;
    const connected = commander(client);
    this.#keys = new RedisKeys(prefix);
    this.#caller = new RedisCaller(connected, durability);
    this.#users = new RedisUsers(this.#caller, this.#keys);
    this.#feed = new RedisFeed(connected, this.#keys.channel);
    this.#locks = new RedisLocks(this.#caller, this.#keys);
    this.#changes = announceChanges ? this.#keys.channel : "";
    this.capabilities = Object.freeze({
      local: false,
      keys: "hash",
      userIndex: true,
      feed: "fleet",
      announcesChanges: announceChanges,
      durable: true,
      consistency: "strong",
      lock: true,
      taggedIds: connected.cluster,
    });
  }

  load(key: Key, now: EpochMilliseconds): Promise<StoredSession | Alias | Tombstone | null> {
    return this.#caller.read(LOAD, [this.#keys.record(key)], []).then((reply) => toStored(reply, now));
  }

  create(record: NewSession, options: Creation): Promise<Created | Duplicate | Rejected> {
    const { now, bind } = options;
    const { cluster } = this.#caller;
    const keys = this.#declared(record.key, bind);
    const args = createArguments(record, options, cluster, this.#keys.channel);
    const creating = this.#caller.write(CREATE, keys, args).then(toCreated);
    if (!bind || !cluster) return creating;
    const pointing = this.#users.point(record.handle, userOf(bind.userId), now, record.expiresAt);
    return both(creating, pointing);
  }

  commit(key: Key, change: Change): Promise<Committed | Gone | Moved | Conflict> {
    const args = commitArguments(change, this.#caller.cluster, this.#changes);
    return this.#caller.write(COMMIT, [this.#keys.record(key)], args).then((reply) => {
      const answer = toCommitted(reply);
      if (answer.ok && isList(reply)) this.#users.pointAgain(reply.slice(2), change.now);
      return answer;
    });
  }

  async renew(key: Key, at: Use): Promise<boolean> {
    const args = renewArguments(at, this.#caller.cluster);
    const reply = await this.#caller.touch(RENEW, [this.#keys.record(key)], args);
    if (!isList(reply)) return toBoolean(reply);
    this.#users.pointAgain([...reply, String(at.expiresAt)], at.now);
    return true;
  }

  async rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    { leave, bind }: Rotation,
  ): Promise<Rotated | Gone | Moved | Conflict | Duplicate | Rejected> {
    const old = this.#keys.record(oldKey);
    const fresh = this.#declared(newKey, bind);
    const { cluster } = this.#caller;
    let settled: Settled;
    if (cluster && tagOfKey(oldKey) !== tagOfKey(newKey)) {
      settled = await rotateAcross(this.#caller, { old, fresh, change, leave, bind, channel: this.#keys.channel });
    } else {
      const args = rotateArguments(change, leave, bind, cluster, this.#keys.channel);
      settled = toSettled(await this.#caller.write(ROTATE, [old, ...fresh], args));
    }
    const { answer, handle } = settled;
    if (!answer.ok) return answer;
    this.#locks.moved(oldKey, newKey);
    // The public name is known only now: one more trip, at a login.
    const until = change.expiresAt ?? change.now;
    if (bind && cluster) await this.#users.point(handle, userOf(bind.userId), change.now, until);
    return answer;
  }

  async destroy(key: Key, at: End): Promise<boolean> {
    const args = [String(at.now), String(at.tombstoneUntil), this.#keys.channel];
    // Redis follows aliases inside of a slot; one that leads elsewhere is answered.
    let reply: Reply = key;
    for (let hops = 0; hops < MOST_HOPS && isKey(reply); hops += 1) {
      reply = await this.#caller.write(DESTROY, [this.#keys.record(reply)], args);
    }
    return toBoolean(isKey(reply) ? 0 : reply);
  }

  listByUser(userId: string, page: Page): Promise<SessionPage> {
    return this.#users.list(userId, page);
  }

  /** Ends the session of that public name. Only bound sessions have one that is found. Two trips: the user, the session. */
  revokeHandle(handle: string, at: End): Promise<Key | null> {
    return this.#users.revokeHandle(handle, at);
  }

  /** Ends all sessions with its first call, and puts 200 of them away with each. */
  revokeUser(userId: string, at: Revocation): Promise<{ readonly generation: number; readonly keys: readonly Key[] }> {
    return this.#users.revokeUser(userId, at);
  }

  generation(userId: string): Promise<number> {
    return this.#users.generation(userId);
  }

  /** Locks the record behind `key` for `lease` milliseconds; `null` while another holds it. */
  lock(key: Key, options: { readonly now: EpochMilliseconds; readonly lease: Milliseconds }): Promise<Lock | null> {
    return this.#locks.take(key, options.now, options.lease);
  }

  /** Hears of all processes' notices, over a connection of its own that is made from the client's settings. */
  watch(listener: (notice: StoreNotice) => void): Promise<() => Promise<void>> {
    return this.#feed.watch(listener);
  }

  /**
   * Whether Redis answers, and keeps what it is given. On a Cluster, one of its servers.
   *
   * @throws FastSessionError `ERR_SESSION_STORE`, also where keys may be evicted
   */
  async ping(): Promise<void> {
    const memory = String(await this.#caller.read(PING, [this.#keys.pointer("ping")], []));
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? "noeviction";
    if (policy === "noeviction" || /^maxmemory:0\s/m.test(memory)) return;
    throw new FastSessionError(
      "ERR_SESSION_STORE",
      `Redis evicts keys when its memory is full (maxmemory-policy ${policy}), so sessions and revocations would vanish: set maxmemory-policy noeviction`,
    );
  }

  /** Closes the feed's connection. The client is yours. */
  close(): void {
    this.#feed.close();
  }

  /** The keys of a script that makes a record: its own, and its user's. On a Cluster all lie in one slot. */
  #declared(key: Key, bind: Bind | null | undefined): string[] {
    const record = this.#keys.record(key);
    if (!bind) return [record];
    const user = userOf(bind.userId);
    if (this.#caller.cluster && tagOfKey(key) !== user.slice(0, 3)) throw foreignTag();
    return [record, ...this.#keys.ofUser(user)];
  }
}

/** Both are waited for, also where both fail: of a promise that nobody waits for, a failure ends the process. */
async function both<T extends Created | Duplicate | Rejected>(
  creating: Promise<T>,
  pointing: Promise<void>,
): Promise<T> {
  const [created, pointed] = await Promise.allSettled([creating, pointing]);
  if (created.status === "rejected") throw created.reason;
  if (created.value.ok && pointed.status === "rejected") throw pointed.reason;
  return created.value;
}
