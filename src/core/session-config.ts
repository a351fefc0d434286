import type { Codec } from "./codec.ts";
import type { Encryption } from "./encryption.ts";
import type { Events } from "./events.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Log } from "./logger.ts";
import type { OnClose } from "./presented.ts";
import type { IdSource } from "./session-id.ts";
import type { SessionIdentity } from "./session-identity.ts";
import type { Key } from "./session-record.ts";
import type { CapPolicy, SessionStore } from "./session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "./units.ts";

/** Everything a session's life is decided by: options, checked and completed. One per `createSessions`. */
export interface SessionConfig {
  readonly store: SessionStore;
  readonly now: () => EpochMilliseconds;
  readonly codec: Codec;
  /** Fields are encrypted on their way to the store; `null`: they are not. */
  readonly encryption: Encryption | null;
  /** A field's value as its schema wants it; `undefined` when a stored value is refused. Throws on a refused new one. */
  readonly admit: ((field: string, value: unknown, from: "store" | "handler") => unknown) | null;
  readonly ids: IdSource;
  readonly keyOf: (id: string) => Key;
  readonly namespace: string;
  readonly lifetime: Lifetime;
  readonly log: Log;
  readonly events: Events;
  readonly saveUninitialized: boolean;
  readonly saveOnError: boolean;
  readonly onConflict: "overwrite" | "reject";
  readonly onStoreError: "throw" | "anonymous";
  /** On a remote store: read nothing until `session.load()`. */
  readonly lazy: boolean;
  readonly storeTimeout: Milliseconds;
  readonly rotationGrace: Milliseconds;
  /** `Infinity`: ids change at logins only. */
  readonly rotateEvery: Milliseconds;
  readonly maxSessionBytes: number;
  readonly cap: { readonly max: number; readonly policy: CapPolicy } | null;
  /** The signal of a saved session that is aborted when it ends; `null`: the store has no feed. */
  readonly signalOf: ((session: SessionIdentity, onClose: OnClose | null) => AbortSignal) | null;
  /** Called when a record was created: the sweep starts with the first. */
  readonly created: () => void;
}
