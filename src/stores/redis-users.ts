import { FastSessionError } from "../core/errors.ts";
import { toText } from "../core/kept-text.ts";
import { loginAt } from "../core/list-place.ts";
import type { Key, SessionPage } from "../core/session-record.ts";
import type { SessionStore } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import { type Integer, isKey, isList, nonsense, type Reply, toCount, toPage, toTexts } from "./redis-answers.ts";
import { pointerArguments } from "./redis-arguments.ts";
import type { RedisCaller } from "./redis-caller.ts";
import { type RedisKeys, tagOfKey, userOf } from "./redis-keys.ts";
import { READ, SET_POINTER } from "./redis-scripts.ts";
import { LIST, REVOKE_HANDLE, REVOKE_USER } from "./redis-user-scripts.ts";

type End = Parameters<SessionStore["destroy"]>[1];
export type Page = Parameters<NonNullable<SessionStore["listByUser"]>>[1];
export type Revocation = Parameters<NonNullable<SessionStore["revokeUser"]>>[1];

/** What belongs to a user: index, generation, public names. */
export class RedisUsers {
  readonly #caller: RedisCaller;
  readonly #keys: RedisKeys;

  constructor(caller: RedisCaller, keys: RedisKeys) {
    this.#caller = caller;
    this.#keys = keys;
  }

  async list(userId: string, page: Page): Promise<SessionPage> {
    const user = userOf(userId);
    const [boundAt, key] = loginAt(page.after);
    const args = [user, String(page.now), String(page.limit), boundAt, key];
    return toPage(await this.#caller.read(LIST, this.#keys.ofUser(user), args));
  }

  /** Ends the session of that public name. Only bound sessions have one that is found. Two trips: the user, the session. */
  async revokeHandle(handle: string, at: End): Promise<Key | null> {
    const user = await this.#caller.read(READ, [this.#keys.pointer(toText(handle))], []);
    if (user === null) return null;
    if (typeof user !== "string") throw nonsense("ERR_SESSION_STORE");
    const args = [user, String(at.now), String(at.tombstoneUntil), this.#keys.channel, toText(handle)];
    const reply = await this.#caller.write(REVOKE_HANDLE, this.#keys.ofUser(user), args);
    if (reply === null || isKey(reply)) return reply;
    throw nonsense();
  }

  /**
   * Ends all sessions with the first call, by the generation, and tells of them. It puts 200 of them away, and so does each
   * further call: Redis serves others in between. One that fails leaves the others to be refused until they expire.
   */
  async revokeUser(
    userId: string,
    at: Revocation,
  ): Promise<{ readonly generation: number; readonly keys: readonly Key[] }> {
    const user = userOf(userId);
    // A key of another slot belongs to another user: there is nothing to spare.
    const { except = "" } = at;
    const foreign = except !== "" && this.#caller.cluster && tagOfKey(except) !== user.slice(0, 3);
    const args = [user, String(at.now), String(at.tombstoneUntil), this.#keys.channel, foreign ? "" : except];
    const [raised, next, ...keys] = await this.#revoke(user, [...args, "", "0"]);
    try {
      for (let skipped = Number(next); skipped >= 0;) {
        skipped = Number((await this.#revoke(user, [...args, String(raised), String(skipped)]))[1]);
      }
    } catch {
      // Every verb refuses them, and lists leave them out.
    }
    return { generation: Number(raised), keys };
  }

  async generation(userId: string): Promise<number> {
    return Number(await this.#caller.read(READ, this.#keys.ofUser(userOf(userId)).slice(0, 1), []));
  }

  /**
   * Lets a public name lead to its user: on a Cluster, where no script can.
   *
   * @throws FastSessionError `ERR_SESSION_STORE_UNKNOWN`, whatever the reason: the session beside it has changed
   */
  async point(handle: string, user: string, now: EpochMilliseconds, expiresAt: EpochMilliseconds): Promise<void> {
    const pointer = this.#keys.pointer(toText(handle));
    try {
      await this.#caller.touch(SET_POINTER, [pointer], pointerArguments(user, now, expiresAt));
    } catch (error) {
      const { message, cause } = error as Error;
      throw new FastSessionError("ERR_SESSION_STORE_UNKNOWN", message, { cause });
    }
  }

  async #revoke(user: string, args: readonly string[]): Promise<readonly [Integer, Integer, ...Key[]]> {
    const reply = await this.#caller.write(REVOKE_USER, this.#keys.ofUser(user), args);
    if (!isList(reply) || reply[1] === undefined) throw nonsense();
    toCount(reply[0]);
    return reply as readonly [Integer, Integer, ...Key[]];
  }

  /** Handle, user and deadline, as a script answered. Nobody waits: it comes again long before the last one ends. */
  pointAgain(reply: readonly Reply[], now: EpochMilliseconds): void {
    const [handle, user, expiresAt] = toTexts(reply, 3) as [string, string, string];
    if (this.#caller.cluster) this.point(handle, user, now, Number(expiresAt)).catch(() => undefined);
  }
}
