/** The composition root: joins core, http and the default store. `index.ts` re-exports it, adapters call it. */
import { checkNames, isFunction, option } from "./core/check-option.ts";
import type { LiveInfo } from "./core/live-info.ts";
import { Live } from "./core/live.ts";
import { createConfig, createLog, type LifeOptions } from "./core/options.ts";
import { OwnEndings } from "./core/own-endings.ts";
import { inProduction } from "./core/production.ts";
import type { SchemaMap, InferSchema } from "./core/schema.ts";
import type { SessionInfo } from "./core/session-info.ts";
import type { LiveStore, SessionStore } from "./core/session-store.ts";
import type { DefaultData } from "./core/session-types.ts";
import { Sweeper } from "./core/sweeper.ts";
import {
  cookieAttributes,
  cookieFormats,
  cookieName,
  type CookieOptions,
  sessionObject,
} from "./http/cookie-options.ts";
import { createCsrfCheck } from "./http/csrf-check.ts";
import { HttpSessions } from "./http/http-sessions.ts";
import { createInsecureWarning } from "./http/insecure-warning.ts";
import { SessionCookie } from "./http/session-cookie.ts";
import { createCookieWriter } from "./http/set-cookie.ts";
import { createSkip } from "./http/skip-rules.ts";
import { MemoryStore } from "./stores/memory.ts";
import {
  fromSimpleStore,
  isSessionStore,
  isSimpleStore,
  missingSimpleStoreMethods,
  overridesSimpleMethods,
  type SimpleStore,
} from "./stores/simple.ts";

/** All options of `createSessions` and of each framework's `fastSession`. */
export interface SessionOptions extends LifeOptions, CookieOptions {
  /**
   * Where records are kept: a `SessionStore`, or any object with the original's five methods (`SimpleStore`).
   *
   * @defaultValue a new `MemoryStore`, whose sessions end with the process
   */
  readonly store?: SessionStore | SimpleStore;
}

/** Options with a store that has a feed: one whose type says so, or none, which means a `MemoryStore`. */
export type LiveOptions = SessionOptions & { readonly store?: Pick<LiveStore, "capabilities"> };

/** The sessions of an application. */
export type { HttpSessions as Sessions } from "./http/http-sessions.ts";

/** Every option there is. */
const OPTIONS: Record<keyof SessionOptions, true> = {
  absoluteTimeout: true,
  acceptCookies: true,
  allowShortSecret: true,
  codec: true,
  cookieFormat: true,
  csrf: true,
  domain: true,
  encryption: true,
  httpOnly: true,
  idGenerator: true,
  idleTimeout: true,
  load: true,
  logLevel: true,
  logger: true,
  maxAge: true,
  maxFieldBytes: true,
  maxSessionBytes: true,
  maxSessionsPerUser: true,
  namespace: true,
  now: true,
  onConflict: true,
  onStoreError: true,
  partitioned: true,
  path: true,
  priority: true,
  rolling: true,
  rotateEvery: true,
  rotationGrace: true,
  sameSite: true,
  saveOnError: true,
  saveUninitialized: true,
  schema: true,
  secretKey: true,
  secure: true,
  sessionCookie: true,
  sessionObject: true,
  skip: true,
  skipSessionHeader: true,
  store: true,
  storeTimeout: true,
  sweepInterval: true,
  trustProxy: true,
};

/**
 * Makes the sessions of an application, for adapters to serve and for code outside a request.
 *
 * Does no I/O, draws no random number and starts no timer.
 *
 * @throws TypeError for options that are unknown, unsafe or contradict each other, with the remedy
 * @example
 * const sessions = createSessions({ secretKey: process.env.SESSION_SECRET!, maxAge: 86_400 });
 */
export function createSessions<const M extends SchemaMap>(
  options: LiveOptions & { readonly schema: M },
): HttpSessions<InferSchema<M>, LiveInfo>;
export function createSessions<const M extends SchemaMap>(
  options: SessionOptions & { readonly schema: M },
): HttpSessions<InferSchema<M>>;
export function createSessions<D = DefaultData>(options: LiveOptions): HttpSessions<D, LiveInfo>;
export function createSessions<D = DefaultData>(options: SessionOptions): HttpSessions<D>;
export function createSessions(options: SessionOptions): HttpSessions<unknown> {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("createSessions takes options: { secretKey: … } at least");
  }
  checkNames("createSessions", options, OPTIONS);
  const log = createLog(options);
  const namespace = option(options, "namespace", "a text of 1 to 64 characters", isShortText) ?? cookieName(options);
  const attributes = cookieAttributes(options);
  // Where uses or logins move the end, the cookie's start says nothing about it.
  const endsByStart = options.rolling !== true && options.absoluteTimeout === undefined;
  const { format, accepted } = cookieFormats(options, namespace, endsByStart ? (options.maxAge ?? 0) : 0, log);
  const given = storeOf(options.store);
  const { feed, limits, taggedIds } = given.capabilities;
  if (taggedIds === true && options.idGenerator !== undefined) {
    throw new TypeError(
      "on Redis Cluster an id carries the tag of its user, so idGenerator cannot be used: leave it out, as in { ...originalDefaults, idGenerator: undefined }",
    );
  }
  if (limits !== undefined) log.warn(limits);
  const endings = feed === "fleet" ? new OwnEndings(options.rotateEvery !== undefined) : null;
  const store = endings?.noting(given) ?? given;
  if (options.store === undefined && inProduction()) {
    log.warnOnce(
      "sessions are kept in memory and end with the process: pass a store, also new MemoryStore() if that is meant",
    );
  }
  const config = createConfig(options, {
    store,
    namespace,
    wholeSeconds: format.wholeSeconds === true,
    log,
    created: () => sweeper.start(),
    signalOf: feed === null ? null : (session, onClose) => live.signalOf(session, onClose),
  });
  const live = new Live(config, endings);
  const sweeper = new Sweeper(config, sweepMilliseconds(options));
  const http = {
    cookie: new SessionCookie(
      attributes.name,
      format,
      accepted,
      createCookieWriter(attributes),
      config.lifetime.absolute,
    ),
    secure: attributes.secure,
    sessionObject: sessionObject(options),
    skip: createSkip(options.skipSessionHeader, options.skip),
    csrf: createCsrfCheck(options.csrf),
    warnInsecure: createInsecureWarning(attributes.name, attributes.secure, log),
    trustProxy: option(options, "trustProxy", "true or false", (value) => typeof value === "boolean") ?? false,
  };
  return new HttpSessions(config, http, sweeper, live);
}

/** What an adapter was given: options, or sessions made before. */
export function toSessions<D, I extends SessionInfo>(given: SessionOptions | HttpSessions<D, I>): HttpSessions<D, I> {
  return given instanceof HttpSessions ? given : (createSessions<D>(given) as HttpSessions<D, I>);
}

/** Takes a store of either contract, and any object with the original's methods. */
function storeOf(store: SessionStore | SimpleStore | undefined): SessionStore {
  if (store === undefined) return new MemoryStore();
  if (typeof store !== "object" || store === null)
    throw new TypeError("store must be a store object: new MemoryStore()");
  // A subclass that overrides the original's methods means them to be called.
  if (store instanceof MemoryStore && overridesSimpleMethods(store, MemoryStore.prototype))
    return fromSimpleStore(store);
  if (isSessionStore(store)) return store;
  if (isSimpleStore(store)) return fromSimpleStore(store);
  if (["get", "set", "destroy"].every((method) => isFunction((store as Record<string, unknown>)[method]))) {
    throw new TypeError(
      "this is a store for express-session: give fromExpressStore(store), of fastsession/stores/express-store",
    );
  }
  throw new TypeError(
    `this store has neither the methods of a SessionStore nor those of the original: missing ${missingSimpleStoreMethods(store).join(", ")}`,
  );
}

/** A timer counts to 2^31-1 ms and fires at once beyond. */
function sweepMilliseconds(options: SessionOptions): number {
  const seconds = option(
    options,
    "sweepInterval",
    "a number of seconds, 0 to 86400",
    (value) => typeof value === "number" && value >= 0 && value <= 86_400,
  );
  return (seconds ?? DEFAULT_SWEEP_INTERVAL) * 1000;
}

const DEFAULT_SWEEP_INTERVAL = 60;

function isShortText(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= 64;
}
