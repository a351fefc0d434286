import type { SessionData } from "./session-data.ts";
import type { SessionInfo } from "./session-info.ts";
import type { Metadata } from "./session-record.ts";
import type { Seconds } from "./units.ts";

/** `SessionData` where it was filled, else any field of any type. */
// oxlint-disable-next-line typescript/no-explicit-any -- the original's: a dictionary of anything
export type DefaultData = keyof SessionData extends never ? Record<string, any> : SessionData;

type FieldOf<D> = keyof D & string;
/** The fields whose values are, or may be, of a type. */
type FieldOfType<D, T> = {
  [K in FieldOf<D>]: T extends D[K] ? K : Exclude<D[K], undefined> extends T ? K : never;
}[FieldOf<D>];
type ItemOf<L> = L extends readonly (infer Item)[] ? Item : unknown;

/** How a session is bound to a user. */
export interface LoginOptions {
  /** Facts to list this session by (user agent, label, …). Strings only, 4096 bytes of JSON in all: cut what a client sent. */
  readonly metadata?: Metadata;
  /**
   * This login's own lifetime, in seconds ("keep me signed in"): a cookie with `Max-Age`, and no idle limit. `0`: the
   * configured limits and a cookie that ends with the browser. At most `absoluteTimeout`.
   *
   * @defaultValue as configured
   */
  readonly maxAge?: Seconds;
  /** The user's generation from before the password check (`sessions.generation(userId)`): a revoke-all since then wins. */
  readonly since?: number;
}

/** What a session can do besides being read and written like an object. These names cannot be items. */
export interface SessionMembers<D, I extends SessionInfo = SessionInfo> {
  /** A field's value, or `fallback` where it is absent. */
  get<K extends FieldOf<D>>(field: K): D[K] | undefined;
  get<K extends FieldOf<D>, F>(field: K, fallback: F): Exclude<D[K], undefined> | F;
  /** Sets a field. `undefined` deletes it. @throws FastSessionError `ERR_SESSION_VALUE` for what cannot be stored */
  set<K extends FieldOf<D>>(field: K, value: D[K]): void;
  has(field: FieldOf<D>): boolean;
  /** Removes a field. Whether it was there. */
  delete(field: FieldOf<D>): boolean;
  /**
   * Adds to a number, 0 where absent. Every request's increment counts, however many run at once.
   *
   * @returns the value as this request knows it; exact after `await saveSession()`
   * @throws FastSessionError `ERR_SESSION_FIELD_TYPE` when the field is no number
   */
  increment(field: FieldOfType<D, number>, by?: number): number;
  /** Adds to the end of a list, empty where absent. Every request's values are kept. */
  append<K extends FieldOfType<D, readonly unknown[]>>(field: K, ...values: ItemOf<D[K]>[]): Exclude<D[K], undefined>;
  /**
   * Computes a field from its value. `compute` is synchronous and pure: where another request was first it runs again
   * on that one's value. Returning `undefined` deletes the field.
   */
  update<K extends FieldOf<D>>(field: K, compute: (current: D[K] | undefined) => D[K] | undefined): D[K] | undefined;
  /** With a value: keeps it for one later read. Without: reads and removes it. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as untyped as the fields of `DefaultData`
  flash(name: string): any;
  flash(name: string, value: unknown): void;

  /** All fields as a dictionary: live, iterable, and open to every name but `__proto__` and `__csrf__`. */
  getSession(): D;
  /** The same as `getSession()`. */
  readonly data: D;
  /** Removes all fields, also those that another request adds until the commit. The id stays. */
  clearSession(): void;
  /** The id in the browser's cookie. Treat it as a password: never log it, never show it. */
  getSessionId(): string;
  /** Everything *about* the session. */
  readonly info: I;
  /**
   * A token for a form or a page's script, to be sent back and given to `verifyCsrf`: 67 characters, another one at each
   * call. It holds until the id changes, so that one from before `login` or `regenerate` is refused. An unsaved session is
   * saved for it.
   *
   * @throws FastSessionError as a write does, where an unsaved session cannot be saved any more
   * @see docs/csrf.md
   */
  csrfToken(): string;

  /** On remote stores with `load: "lazy"`: reads the session. Elsewhere it is read already. */
  load(): Promise<void>;
  /** Saves now. Saving at the end of the request is automatic; this is for what must be safe before going on. */
  saveSession(): Promise<void>;
  /** Reads again from the store; what was not saved is dropped. */
  reload(): Promise<void>;
  /** Records a use now, whatever the spacing. */
  touch(): Promise<void>;
  /**
   * A new id for the same session, now: the old one is dead at once. Call it whenever a privilege changes.
   *
   * @param options `keep`: all the data (`true`, the default), none (`false`), or the fields of a list
   * @see OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change"
   */
  regenerate(options?: { readonly keep?: boolean | readonly FieldOf<D>[] }): Promise<void>;
  /** Ends the session, now: the record is removed and the cookie expired. Any later use but `info` throws. */
  destroy(): Promise<void>;
  /** Binds the session to a user under a new id, keeping its data unless it was another user's. The only way to bind. */
  login(userId: string | number, options?: LoginOptions): Promise<void>;
  /** Ends the session, now. The handle goes on as a fresh, empty, unsaved one. */
  logout(): Promise<void>;

  toJSON(): D;
}

/** Names that cannot be items of a session, because they are its members or would change what it is. Frozen at 1.0. */
export type ReservedName = keyof SessionMembers<unknown> | "save" | "then" | "constructor" | "__proto__";

/** A session: a dictionary of `D`, with members. `I`: `LiveInfo` where the store has a feed. */
export type Session<D = DefaultData, I extends SessionInfo = SessionInfo> = Omit<D, ReservedName> &
  SessionMembers<D, I>;

/** The original's name for it. */
export type FastSession<D = DefaultData> = Session<D>;
