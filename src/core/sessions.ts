import { chain } from "./awaitable.ts";
import type { SessionEventName, SessionListener } from "./events.ts";
import { FastSessionError } from "./errors.ts";
import { stateOf } from "./handle-target.ts";
import { isPlace } from "./list-place.ts";
import type { Live } from "./live.ts";
import type { SessionConfig } from "./session-config.ts";
import { checkUserId } from "./session-methods.ts";
import type { SessionPage } from "./session-record.ts";
import type { SessionStore } from "./session-store.ts";
import { callStore } from "./store-call.ts";
import type { Sweeper } from "./sweeper.ts";

const MAX_PAGE = 1000;

/** The sessions of one user. */
export interface UserSessions {
  /**
   * In pages; `after` of one page asks for the next. `limit` is 100 by default, 1,000 at most.
   *
   * @throws TypeError for an `after` that no page can have answered, and a `limit` that is no number
   */
  list(page?: { readonly after?: string | null; readonly limit?: number }): Promise<SessionPage>;
  /**
   * Ends one of them, by its public name: what a page with the user's devices calls. Whether it was his, which takes a
   * look through his list, 1,000 in a call. What is no text, as where a form sent none, is nobody's.
   */
  revoke(handle: string): Promise<boolean>;
  /** Ends all of them, also those of a sign-in that began before. @returns how many were listed */
  revokeAll(): Promise<number>;
  /** Ends all of them but this one: after a change of password (OWASP ASVS 5.0, 7.4.3). */
  revokeOthers(session: object): Promise<number>;
}

/** Everything outside a request: the sessions of an application as a whole. */
export class Sessions {
  readonly config: SessionConfig;
  readonly #sweeper: Sweeper;
  readonly #live: Live;

  constructor(config: SessionConfig, sweeper: Sweeper, live: Live) {
    this.config = config;
    this.#sweeper = sweeper;
    this.#live = live;
  }

  /**
   * Listens to what happens to sessions in this process; to `revoked` also in others, where the store's feed is the
   * fleet's.
   *
   * @returns a function that stops listening
   */
  on<E extends SessionEventName>(event: E, listener: SessionListener<E>): () => void {
    if (event === "revoked") this.#live.hearFleet();
    return this.config.events.on(event, listener);
  }

  /** A user's sessions. @throws FastSessionError `ERR_SESSION_UNSUPPORTED` where the store has no index of users */
  forUser(userId: string | number): UserSessions {
    const id = checkUserId(userId);
    const { config } = this;
    const revoke = async (except: string | undefined): Promise<number> => {
      const revokeUser = need(config.store, "revokeUser");
      const now = config.now();
      const { keys } = await callStore(config, "revokeUser", () =>
        revokeUser.call(config.store, id, { now, tombstoneUntil: now + config.rotationGrace, except }),
      );
      if (keys.length > 0) config.events.emit("revoked", { count: keys.length, remote: false });
      return keys.length;
    };
    const list: UserSessions["list"] = async ({ after = null, limit = 100 } = {}) => {
      const listByUser = need(config.store, "listByUser");
      if (after !== null && !isPlace(after)) {
        throw new TypeError(
          "list takes as `after` what the page before answered, unchanged, or null for the first page",
        );
      }
      if (typeof limit !== "number" || Number.isNaN(limit)) throw new TypeError("list takes a number as `limit`");
      const size = Math.min(MAX_PAGE, Math.max(1, Math.trunc(limit)));
      return callStore(config, "listByUser", () =>
        listByUser.call(config.store, id, { now: config.now(), after, limit: size }),
      );
    };
    return {
      list,
      revoke: async (handle) => {
        if (typeof handle !== "string") return false;
        for (let after: string | null = null; ;) {
          const page: SessionPage = await list({ after, limit: MAX_PAGE });
          if (page.sessions.some((one) => one.handle === handle)) return this.revoke(handle);
          if (page.after === null) return false;
          after = page.after;
        }
      },
      revokeAll: () => revoke(undefined),
      async revokeOthers(session) {
        const state = stateOf(session);
        state.look();
        if (state.binding?.userId !== id || state.key === null) {
          throw new TypeError("revokeOthers takes a session of that user: call login() first");
        }
        return revoke(state.key);
      },
    };
  }

  /**
   * Ends a signed-in session by its public name (`info.handle`, or one of `list()`), whosever it is: for administrators.
   * A user's own page calls `forUser(id).revoke(handle)`. Whether there was one; what is no text names none.
   */
  async revoke(handle: string): Promise<boolean> {
    const { config } = this;
    const revokeHandle = need(config.store, "revokeHandle");
    if (typeof handle !== "string") return false;
    const now = config.now();
    const key = await callStore(config, "revokeHandle", () =>
      revokeHandle.call(config.store, handle, { now, tombstoneUntil: now + config.rotationGrace }),
    );
    if (key !== null) config.events.emit("revoked", { count: 1, remote: false });
    return key !== null;
  }

  /** A user's generation, to be read before the password is checked and given to `login(userId, { since })`. */
  async generation(userId: string | number): Promise<number> {
    const { config } = this;
    const generation = need(config.store, "generation");
    const id = checkUserId(userId);
    return callStore(config, "generation", () => generation.call(config.store, id));
  }

  /** Removes expired records now. Happens by itself every `sweepInterval`. @returns how many */
  async gc(): Promise<number> {
    return this.#sweeper.sweep();
  }

  /**
   * Asks the store whether it serves, for a health check: resolves when it does, or when it has nothing to be asked
   * (memory). Waits `storeTimeout` at most.
   *
   * @throws FastSessionError `ERR_SESSION_STORE` when it does not
   * @example
   * app.get("/ready", async (c) => (await sessions.ping(), c.text("ok")));
   */
  async ping(): Promise<void> {
    const { config } = this;
    await callStore(config, "ping", () => config.store.ping?.());
  }

  /** Stops the background work and closes the store. Call it when the server has stopped listening. */
  async close(): Promise<void> {
    this.#sweeper.stop();
    await this.#live.stop();
    await chain(this.config.store.close?.(), () => undefined);
  }
}

type OptionalVerb = "listByUser" | "revokeHandle" | "revokeUser" | "generation";

function need<V extends OptionalVerb>(store: SessionStore, verb: V): NonNullable<SessionStore[V]> {
  const method = store[verb];
  if (method !== undefined) return method;
  throw new FastSessionError(
    "ERR_SESSION_UNSUPPORTED",
    `this store has no index of users (${verb}): use MemoryStore, SqliteStore, RedisStore, PostgresStore, MysqlStore, or another with capabilities.userIndex`,
  );
}
