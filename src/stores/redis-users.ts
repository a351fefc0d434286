import { FastSessionError } from "../core/errors.ts";
import { toText } from "../core/kept-text.ts";
import { loginAt } from "../core/list-place.ts";
import type { Key, SessionPage } from "../core/session-record.ts";
import type { SessionStore } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import { type Integer, toPage } from "./redis-answers.ts";
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
    const user = (await this.#caller.read(READ, [this.#keys.pointer(toText(handle))], [])) as string | null;
    if (user === null) return null;
    const args = [user, String(at.now), String(at.tombstoneUntil), this.#keys.channel, toText(handle)];
    return (await this.#caller.write(REVOKE_HANDLE, this.#keys.ofUser(user), args)) as Key | null;
  }

  /**
   * Ends all sessions with the first call, by the generation, and puts 200 of them away with each: Redis serves others in
   * between. Who is put away later is refused by then.
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
    const keys: Key[] = [];
    for (let generation = "", next = 0; ;) {
      const batch = [...args, generation, String(next)];
      const reply = await this.#caller.write(REVOKE_USER, this.#keys.ofUser(user), batch);
      const [raised, goOn, ...ended] = reply as readonly [Integer, Integer, ...Key[]];
      for (const key of ended) keys.push(key);
      generation = String(raised);
      next = Number(goOn);
      if (next < 0) return { generation: Number(raised), keys };
    }
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

  /** Nobody waits for it: it comes again long before the last one ends. */
  pointAgain(handle: string, user: string, now: EpochMilliseconds, expiresAt: EpochMilliseconds): void {
    if (this.#caller.cluster) this.point(handle, user, now, expiresAt).catch(() => undefined);
  }
}
