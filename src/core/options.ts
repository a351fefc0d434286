import { CENTURY, choice, duration, flag, isFunction, isWhole, option, positive } from "./check-option.ts";
import type { Codec } from "./codec.ts";
import { Encryption, type EncryptionOptions } from "./encryption.ts";
import { Events } from "./events.ts";
import { FastSessionError } from "./errors.ts";
import { jsonCodec } from "./json-codec.ts";
import { type Lifetime, LONGEST_COOKIE, rotationInterval } from "./lifetime.ts";
import { Log, type Logger, type LogLevel } from "./logger.ts";
import { checkSchemaMap, type SchemaMap, validateField } from "./schema.ts";
import type { SessionConfig } from "./session-config.ts";
import { capOf, type SessionCap } from "./session-cap.ts";
import { createIdSource, hashedKey } from "./session-id.ts";
import type { SessionStore } from "./session-store.ts";
import { exceeds } from "./text-size.ts";
import type { EpochMilliseconds, Seconds } from "./units.ts";
import { overLimit } from "./value-refusal.ts";

/** What a session is and how long it lives. How its id travels is in `CookieOptions`. */
export interface LifeOptions {
  /**
   * `0`: the cookie ends with the browser. `n`: the cookie has `Max-Age` and the session ends `n` seconds after it
   * began; with `rolling`, `n` seconds after its last use. In seconds.
   *
   * @defaultValue 0
   */
  readonly maxAge?: Seconds;
  /** With `maxAge`: counts from the last use, and sends the cookie again with each renewal. @defaultValue false */
  readonly rolling?: boolean;
  /**
   * Ends a session this long after its last recorded use. In seconds. A use is recorded at most once in a fifth of it,
   * so a session may end up to that much early, never late.
   *
   * @defaultValue 43200 (12 hours) with `maxAge: 0`; `maxAge` with `rolling`; none else
   * @see OWASP ASVS 5.0, 7.3.1
   */
  readonly idleTimeout?: Seconds;
  /**
   * Ends a session this long after it began or its user signed in, however much it is used. In seconds. With a fixed
   * `maxAge`, a longer one is for logins that ask for more.
   *
   * @defaultValue `maxAge`; 604800 (7 days) with `maxAge: 0`; 2592000 (30 days) with `rolling`
   * @see OWASP ASVS 5.0, 7.3.2
   */
  readonly absoluteTimeout?: Seconds;
  /** How long a retired or destroyed id is remembered, so that late requests know. In seconds. @defaultValue 60 */
  readonly rotationGrace?: Seconds;
  /** Gives a session in use a new id this often; requests in flight go on, for `rotationGrace`. In seconds. @defaultValue never */
  readonly rotateEvery?: Seconds;
  /** How long a remote store may take to answer. In seconds. @defaultValue 2 */
  readonly storeTimeout?: Seconds;
  /** How often expired records are removed in the background; 0: never, call `gc()`. In seconds. @defaultValue 60 */
  readonly sweepInterval?: Seconds;
  /** The largest text of one field, in bytes. @defaultValue 1048576 (1 MiB) */
  readonly maxFieldBytes?: number;
  /** The largest session, in bytes. @defaultValue 4194304 (4 MiB) */
  readonly maxSessionBytes?: number;
  /** How many sessions a user may have at once, and what a login beyond does. @defaultValue no limit; `evict-oldest` */
  readonly maxSessionsPerUser?: number | SessionCap;
  /** How values become text: `jsonCodec`, or `structuredCodec` for Date, Map, Set, bigint, … @defaultValue `jsonCodec` */
  readonly codec?: Codec;
  /** Encrypts fields on their way to the store: its keys. @defaultValue none: fields are kept as the codec writes them */
  readonly encryption?: EncryptionOptions;
  /** Fields' schemas, by Standard Schema: checked at a field's first read and before it is written. */
  readonly schema?: SchemaMap;
  /** The clock, in milliseconds. @defaultValue `Date.now` */
  readonly now?: () => EpochMilliseconds;
  /**
   * Makes ids: 16 to 128 characters of A-Z, a-z, 0-9, `_`, `-`, at random. Not for logins on a Redis Cluster, where the
   * id of a user's session carries his routing tag: `login` is refused there with `ERR_SESSION_UNSUPPORTED`.
   *
   * @defaultValue 192 random bits
   */
  readonly idGenerator?: () => string;
  /** Separates sessions of two kinds in one store, and their signatures. @defaultValue the cookie's name */
  readonly namespace?: string;
  /** Where messages go: `console`, pino, winston, … @defaultValue standard output */
  readonly logger?: Logger;
  /** @defaultValue "warn" */
  readonly logLevel?: LogLevel;
  /** A record and a cookie for every visitor, as the original makes them. @defaultValue false: at the first write */
  readonly saveUninitialized?: boolean;
  /** Saves what was recorded also when the handler throws. @defaultValue false */
  readonly saveOnError?: boolean;
  /** A plain assignment where another request was first: the later wins, or `ERR_SESSION_CONFLICT`. @defaultValue "overwrite" */
  readonly onConflict?: "overwrite" | "reject";
  /** A store that fails at reading: an error (503), or an empty read-only session. @defaultValue "throw" */
  readonly onStoreError?: "throw" | "anonymous";
  /** Remote stores: read before the handler, or by `await session.load()` only. @defaultValue "eager" */
  readonly load?: "eager" | "lazy";
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Every default of `LifeOptions`. */
const DEFAULTS = {
  maxAge: 0,
  idleTimeout: 12 * HOUR,
  absoluteTimeout: 7 * DAY,
  absoluteTimeoutRolling: 30 * DAY,
  rotationGrace: 60,
  storeTimeout: 2,
  maxFieldBytes: 1024 * 1024,
  maxSessionBytes: 4 * 1024 * 1024,
  logLevel: "warn",
} as const satisfies Record<string, number | string>;

/** A use is recorded when this part of the idle window has gone by. */
const SPACING = 1 / 5;

/** What of the configuration comes from elsewhere: the store that was given or made, the cookie's name and way to count. */
export interface ConfigContext {
  readonly store: SessionStore;
  readonly namespace: string;
  readonly wholeSeconds: boolean;
  readonly log: Log;
  readonly created: () => void;
  readonly signalOf: SessionConfig["signalOf"];
}

/** Checks options and completes them. @throws TypeError with the remedy */
export function createConfig(options: LifeOptions, context: ConfigContext): SessionConfig {
  const { log, store, namespace } = context;
  const codec = option(
    options,
    "codec",
    "jsonCodec, structuredCodec or another with encode, decode and check",
    isCodec,
  );
  if (options.schema !== undefined) checkSchemaMap(options.schema);
  const events = new Events(log);
  const cap = options.maxSessionsPerUser;
  if (cap !== undefined && !store.capabilities.userIndex) {
    throw new TypeError("maxSessionsPerUser needs a store with an index of users: this one has none");
  }
  const grace = duration(options, "rotationGrace") ?? DEFAULTS.rotationGrace;
  return {
    store,
    now: option(options, "now", "a function that answers milliseconds", isFunction) ?? Date.now,
    codec: limited(codec ?? jsonCodec, positive(options, "maxFieldBytes") ?? DEFAULTS.maxFieldBytes),
    encryption: options.encryption === undefined ? null : new Encryption(options.encryption, namespace, log),
    admit: options.schema === undefined ? null : admission(options.schema, events),
    ids: createIdSource(option(options, "idGenerator", "a function that answers a random id", isFunction)),
    keyOf: store.capabilities.keys === "hash" ? (id) => hashedKey(namespace, id) : (id) => id,
    namespace,
    lifetime: createLifetime(options, context),
    log,
    events,
    saveUninitialized: flag(options, "saveUninitialized"),
    saveOnError: flag(options, "saveOnError"),
    onConflict: choice(options, "onConflict", ["overwrite", "reject"]),
    onStoreError: choice(options, "onStoreError", ["throw", "anonymous"]),
    lazy: choice(options, "load", ["eager", "lazy"]) === "lazy",
    storeTimeout:
      (option(options, "storeTimeout", "seconds above 0, 86400 at most", isTimeout) ?? DEFAULTS.storeTimeout) * 1000,
    rotationGrace: grace * 1000,
    rotateEvery: rotationInterval(duration(options, "rotateEvery"), grace, store.capabilities),
    maxSessionBytes: positive(options, "maxSessionBytes") ?? DEFAULTS.maxSessionBytes,
    cap: cap === undefined ? null : capOf(cap),
    signalOf: context.signalOf,
    created: context.created,
  };
}

export function createLog(options: LifeOptions): Log {
  const { logger } = options;
  const level = choice(options, "logLevel", ["warn", "debug", "info", "error", "silent"]);
  if (logger !== undefined) {
    for (const method of ["debug", "info", "warn", "error"] as const) {
      if (typeof (logger as Partial<Logger> | null)?.[method] !== "function") {
        throw new TypeError(`logger has no method ${method}(): pass console, or a logger like pino's or winston's`);
      }
    }
  }
  return new Log(logger, level);
}

function isAge(value: unknown): boolean {
  return isWhole(value) && value <= CENTURY;
}

/** A timer counts to 2^31-1 ms and fires at once beyond. */
function isTimeout(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value <= DAY;
}

function isCodec(value: unknown): boolean {
  const codec = value as Partial<Codec> | null;
  return [codec?.encode, codec?.decode, codec?.check].every((method) => typeof method === "function");
}

function createLifetime(options: LifeOptions, context: ConfigContext): Lifetime {
  const maxAge =
    option(options, "maxAge", "a whole number of seconds, 0 for none, 100 years at most", isAge) ?? DEFAULTS.maxAge;
  const rolling = flag(options, "rolling");
  if (rolling && maxAge === 0) throw new TypeError("rolling needs a maxAge: without one, set idleTimeout");
  if (maxAge > LONGEST_COOKIE)
    context.log.warnOnce("maxAge is over 400 days: browsers shorten the cookie's life to that");
  const idle = duration(options, "idleTimeout") ?? (maxAge === 0 ? DEFAULTS.idleTimeout : rolling ? maxAge : null);
  const absolute =
    duration(options, "absoluteTimeout") ??
    (maxAge === 0
      ? Math.max(DEFAULTS.absoluteTimeout, idle ?? 0)
      : rolling
        ? Math.max(DEFAULTS.absoluteTimeoutRolling, maxAge)
        : maxAge);
  if (idle !== null && idle > absolute) {
    throw new TypeError(
      `idleTimeout (${idle} s) is longer than absoluteTimeout (${absolute} s): raise absoluteTimeout`,
    );
  }
  if (!rolling && maxAge > absolute) {
    throw new TypeError(`maxAge (${maxAge} s) is longer than absoluteTimeout (${absolute} s): raise absoluteTimeout`);
  }
  return {
    idle: idle === null ? null : idle * 1000,
    absolute: absolute * 1000,
    spacing: idle === null ? 0 : idle * 1000 * SPACING,
    maxAge,
    rolling,
    wholeSeconds: context.wholeSeconds,
  };
}

/** Applies the size limit where a field becomes text. */
function limited(codec: Codec, maxFieldBytes: number): Codec {
  return {
    decode: (text) => codec.decode(text),
    check: (value, field) => codec.check(value, field),
    encode(value, field) {
      const text = codec.encode(value, field, maxFieldBytes);
      if (exceeds(text, maxFieldBytes)) throw overLimit(field, maxFieldBytes);
      return text;
    },
  };
}

/** A stored value that its schema refuses reads as absent and is reported; a new one is an error. */
function admission(schema: SchemaMap, events: Events): SessionConfig["admit"] {
  return (field, value, from) => {
    const rule = Object.hasOwn(schema, field) ? schema[field] : undefined;
    if (rule === undefined) return value;
    const result = validateField(rule, field, value);
    if (result.ok) return result.value;
    if (from === "store") {
      events.emit("invalid", { session: "", field, issues: result.issues });
      return undefined;
    }
    throw new FastSessionError(
      "ERR_SESSION_INVALID",
      `the schema of field ${JSON.stringify(field)} refuses the value`,
      {
        path: result.issues[0] ?? field,
      },
    );
  };
}
