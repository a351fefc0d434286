/**
 * Any store for express-session, as a `SessionStore`: connect-redis, connect-pg-simple, connect-mongo, memorystore, …
 *
 * Records stay what they are to that store: the session's fields in one object, a `cookie` with its lifetime, and what
 * this library has to know under `__fastsession__`. It is called with `get(key)`, `set(key, object)` and `destroy(key)`
 * alone; which verb calls what stands in `simple-foreign.ts`.
 *
 * Not for several processes that write the same session at once, nor where a user's sessions are listed or ended: use
 * a store of this library there.
 */
import { checkNames } from "../core/check-option.ts";
import { FastSessionError } from "../core/errors.ts";
import type { Milliseconds } from "../core/units.ts";
import {
  checkMethods,
  FOREIGN_OPTIONS,
  type ForeignStore,
  type ForeignStoreOptions,
  fromForeign,
} from "./simple-foreign.ts";

export type { ForeignCapabilities, ForeignStore, ForeignStoreOptions } from "./simple-foreign.ts";

/** What is called of a store for express-session. */
export interface ExpressStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(id: string, session: never, callback: (error?: unknown) => void): unknown;
  destroy(id: string, callback: (error?: unknown) => void): unknown;
}

/**
 * Drives a store for express-session. What it cannot promise is in `capabilities` and logged at start.
 *
 * With `keys: "id"` and `acceptCookies: [expressCookie()]`, the sessions that express-session made go on.
 *
 * @throws TypeError for something else than such a store
 * @example
 * const store = fromExpressStore(new RedisStore({ client })); // of connect-redis
 * app.use(fastSession({ secretKey, store }));
 */
export function fromExpressStore(store: ExpressStore, options: ForeignStoreOptions = {}): ForeignStore {
  checkMethods(store, ["get", "set", "destroy"], "a store for express-session");
  checkNames("fromExpressStore", options, FOREIGN_OPTIONS);
  return fromForeign(
    {
      async get(id) {
        const session = await called((callback) => store.get(id, callback)).catch(absentFile);
        if (typeof session !== "object" || session === null) return session;
        const { cookie: _, ...data } = session as Record<string, unknown>;
        return data;
      },
      set: (id, data, timeToLive) => {
        if (Object.hasOwn(data, "cookie")) throw reserved();
        return called((callback) => store.set(id, { ...data, cookie: cookieOf(timeToLive) } as never, callback));
      },
      delete: (id) => called((callback) => store.destroy(id, callback)),
    },
    options,
  );
}

/** As a promise: by the callback, or by the promise of a store that failed before it came to that. */
function called(call: (callback: (error?: unknown, answer?: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const returned = call((error, answer) => {
      if (error) reject(error instanceof Error ? error : new Error("the store failed", { cause: error }));
      else resolve(answer);
    });
    if (returned instanceof Promise) returned.catch(reject);
  });
}

/** Stores of files answer so, and express-session takes it for "not there". */
function absentFile(error: unknown): null {
  if ((error as { code?: unknown } | null)?.code === "ENOENT") return null;
  throw error;
}

/** All that stores look at to know how long to keep a record. The browser's cookie is another matter. */
function cookieOf(timeToLive: Milliseconds): object {
  const expires = new Date(Date.now() + timeToLive);
  return { originalMaxAge: timeToLive, maxAge: timeToLive, expires, httpOnly: true, path: "/" };
}

function reserved(): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_VALUE",
    'a store for express-session needs the field "cookie": use another name',
    {
      path: "cookie",
    },
  );
}
