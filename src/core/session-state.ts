import { followAlias, type Trail } from "./alias.ts";
import { chain, isPromise } from "./awaitable.ts";
import type { SessionCause } from "./cause.ts";
import type { FastSessionError } from "./errors.ts";
import { expiryCause } from "./lifetime.ts";
import { type Found, loadRecord } from "./load-record.ts";
import type { Carrier } from "./presented.ts";
import type { RecorderHost } from "./recorded-field.ts";
import { Recorder } from "./recorder.ts";
import { destroyed, headersSent, notLoaded, ofNewerVersion, readOnlyBecause } from "./refusals.ts";
import type { SessionConfig } from "./session-config.ts";
import { shortHash } from "./session-id.ts";
import type { Fields, Key } from "./session-record.ts";
import { SessionStanding } from "./session-standing.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

const NO_FIELDS: Fields = Object.freeze({});

/**
 * One session in one request: who it is, how it was found, and what its cookie needs.
 *
 * Nothing happens until the first access. `lifecycle.ts` decides what is done with it; `recorder.ts` knows its data.
 */
export class SessionState extends SessionStanding implements RecorderHost {
  readonly config: SessionConfig;
  readonly carrier: Carrier;
  /** `untouched` until the first access; `open` then; `destroyed` for good. */
  phase: "untouched" | "open" | "destroyed" = "untouched";
  /** Whether a handler looked at it, preloading aside: what `Vary` and renewals go by. */
  accessed = false;
  #recorder: Recorder | null = null;
  /** The reading under way, which whoever asks meanwhile waits for. */
  #loading: Promise<void> | null = null;
  /** The lifecycle's: this file does not import it. */
  readonly #commitLate: (state: SessionState) => void;
  #commitsLate = false;

  constructor(config: SessionConfig, carrier: Carrier, commitLate: (state: SessionState) => void) {
    super();
    this.config = config;
    this.carrier = carrier;
    this.#commitLate = commitLate;
  }

  /** The data, for reading. Loads at the first call. */
  get data(): Recorder {
    if (this.phase !== "open" || !this.accessed) this.#access();
    return this.#recorder as Recorder;
  }

  /** The data, for writing. */
  get writable(): Recorder {
    const data = this.data;
    if (this.readOnly !== null) throw readOnlyBecause(this.readOnly);
    if (this.frozen || this.leaving) this.#afterHeaders();
    return data;
  }

  /** Looks at the session without touching data: for `info`. */
  look(): void {
    if (this.phase === "destroyed") throw destroyed();
    if (this.phase === "untouched" || !this.accessed) this.#access();
  }

  get recorder(): Recorder | null {
    return this.#recorder;
  }

  /** Before the handler, on remote stores: reads the record when the request names one. */
  prepare(): Awaitable<void> {
    if (this.config.lazy || this.phase !== "untouched") return undefined;
    return this.load();
  }

  /** Reads the record now, whatever the store. Does not count as an access. */
  load(): Awaitable<void> {
    if (this.phase !== "untouched") return undefined;
    if (this.#loading !== null) return this.#loading;
    const now = this.config.now();
    this.#present(now);
    if (this.key === null) return this.#open(null, now);
    const reading = this.#read(this.key, now);
    if (!isPromise(reading)) return undefined;
    return (this.#loading = reading);
  }

  /** A fresh, unsaved session: after a logout, or where nothing was found. */
  becomeFresh(cause: SessionCause): void {
    this.cause = cause;
    this.forget();
    if (this.#recorder === null) this.#recorder = new Recorder(this, NO_FIELDS);
    else this.#recorder.reset(NO_FIELDS);
  }

  /** The record ended under this request: nothing can be written any more, and the browser's cookie is left alone. */
  becomeGone(): void {
    const cause = this.cause;
    this.becomeFresh(cause);
    this.readOnly = "gone";
    this.cookie = "keep";
  }

  /** Another request's login or `regenerate` moved the record: the browser has, or gets, a newer cookie. */
  becomeMoved(): void {
    this.cause = "rotated";
    this.becomeGone();
  }

  /**
   * A login and a logout begin anew where the presented session had been ended: who signs in after a revocation is
   * signed in. Where it moved of late, the browser has a newer cookie with the data, which a new session would replace.
   */
  startOver(): void {
    this.look();
    if (this.readOnly === "gone" && (this.cause === "revoked" || this.reused)) this.readOnly = null;
  }

  becomeDestroyed(): void {
    this.phase = "destroyed";
    this.saved = false;
    this.binding = null;
    this.#recorder = null;
  }

  corrupt(field: string): void {
    const session = this.id === null ? "" : shortHash(this.id);
    this.config.log.error(`session ${session}: field ${JSON.stringify(field)} cannot be read; the session is ended`);
    this.config.events.emit("corrupt", { session, field });
    if (this.unreadable === null) this.unreadable = this.key;
    this.becomeFresh("corrupt");
  }

  newer(field: string): FastSessionError {
    const session = this.id === null ? "" : shortHash(this.id);
    this.config.log.warnOnce(
      "fields in the store were written by a newer version of this program: they are left as they are, and reading them fails until it runs here, too",
    );
    this.config.events.emit("newer", { session, field });
    return ofNewerVersion(field);
  }

  /** The handler threw: what was only recorded is dropped, and no session begins. */
  abandon(): void {
    if (this.config.saveOnError) return;
    this.abandoned = true;
    this.#recorder?.reset(this.#recorder.base);
  }

  #access(): void {
    if (this.phase === "destroyed") throw destroyed();
    if (!this.accessed) {
      this.accessed = true;
      this.carrier.touched();
    }
    if (this.phase === "open") return;
    if (this.config.store.capabilities.local) {
      // Of a store that says so and is not, whoever waited would hear what failed; nobody does.
      const loading = this.load();
      if (isPromise(loading)) loading.catch(() => undefined);
      if ((this.phase as string) === "open") return;
    }
    this.accessed = false;
    throw notLoaded();
  }

  #present(now: EpochMilliseconds): void {
    const presented = this.carrier.present(now);
    if (presented.id === null) {
      this.cause = presented.cause;
      if (presented.cause !== "none") this.config.events.emit("refused", { cause: presented.cause });
      return;
    }
    this.id = presented.id;
    this.key = this.config.keyOf(presented.id);
    if (presented.stale) this.cookie = "resend";
  }

  #read(key: Key, now: EpochMilliseconds): Awaitable<void> {
    try {
      const read = chain(loadRecord(this.config, key, now), (found) => this.#open(found, now));
      return isPromise(read) ? read.catch((error: unknown) => this.#storeFailed(error)) : read;
    } catch (error) {
      return this.#storeFailed(error);
    }
  }

  #storeFailed(error: unknown): void {
    // Whoever asks again has the store asked again.
    this.#loading = null;
    if (this.config.onStoreError === "throw") throw error;
    this.config.log.error("the store failed; the request goes on with an empty read-only session");
    this.#refuse("store-error", "unavailable");
  }

  #open(found: Found, now: EpochMilliseconds): Awaitable<void> {
    if (found?.kind === "alias") {
      if (found.expiresAt <= now) return this.#open(null, now);
      return chain(followAlias(this.config, this.id as string, found, now), (trail) => this.#openMoved(trail, now));
    }
    this.phase = "open";
    if (this.id === null) {
      // A visitor's session is made whatever the handler does: it is new already.
      return this.becomeFresh(this.cause === "none" && this.config.saveUninitialized ? "new" : this.cause);
    }
    if (found === null) return this.#refused("unknown");
    if (found.kind === "tombstone") {
      // A late request of a session that moved or ended: it must not replace the browser's newer cookie.
      return found.expiresAt <= now ? this.#refused("unknown") : this.#refuse(found.reason, "gone");
    }
    if (found.expiresAt <= now) {
      return this.#refused(expiryCause(this.config.lifetime, found, found.binding?.maxAge ?? null));
    }
    this.adopt(found);
    this.cause = "resumed";
    this.#recorder = new Recorder(this, found.fields);
  }

  /** The presented id was retired by a rotation. Within `rotationGrace` a request goes on under the newer one. */
  #openMoved(trail: Trail | null, now: EpochMilliseconds): Awaitable<void> {
    if (trail === null || trail.found?.kind === "alias") return this.#refuse("rotated", "gone");
    if (!trail.late) {
      this.moveTo(trail.id, trail.key);
      return this.#open(trail.found, now);
    }
    const { found, id } = trail;
    const live = found?.kind === "session" && found.expiresAt > now ? found : null;
    this.#refuse("rotated", "gone");
    this.reused = true;
    this.config.events.emit("reuse", {
      session: shortHash(id),
      handle: live?.handle ?? null,
      userId: live?.binding?.userId ?? null,
    });
  }

  /** No session behind that id. The cookie is not cleared: a response that writes nothing leaves it alone. */
  #refused(cause: SessionCause): void {
    this.config.events.emit("refused", { cause });
    this.cookie = "keep";
    this.becomeFresh(cause);
  }

  #refuse(cause: SessionCause, readOnly: "gone" | "unavailable"): void {
    this.phase = "open";
    this.#refused(cause);
    this.readOnly = readOnly;
  }

  #afterHeaders(): void {
    if (this.frozen && !this.saved) throw headersSent("the first write of a session");
    if (this.#commitsLate) return;
    this.#commitsLate = true;
    // One commit for all the changes of this turn.
    queueMicrotask(() => {
      this.#commitsLate = false;
      this.#commitLate(this);
    });
  }
}
