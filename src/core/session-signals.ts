import { MOST_HOPS } from "./alias-limit.ts";
import type { SessionCause } from "./cause.ts";
import { FastSessionError } from "./errors.ts";
import { expiryCause } from "./lifetime.ts";
import { type Found, loadRecord } from "./load-record.ts";
import type { OnClose } from "./presented.ts";
import type { SessionConfig } from "./session-config.ts";
import type { SessionIdentity } from "./session-identity.ts";
import type { Key, StoredSession, Tombstone } from "./session-record.ts";
import type { EpochMilliseconds, Milliseconds } from "./units.ts";

/** A timer counts to 2^31-1 ms and fires at once beyond. */
const LONGEST_TIMER: Milliseconds = 2 ** 31 - 1;
/** How long after a store's failure a session is looked at again. */
const RETRY: Milliseconds = 5000;
/** How many sessions are looked at together when notices may have been missed. */
const CHECKS_AT_ONCE = 16;

/** One session that somebody has a signal of. */
interface Watched {
  key: Key;
  readonly holders: Set<Holder>;
  /** The one that all requests have in common whose connection does not say when it is over. */
  shared: Holder | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A signal, and what it is of now. */
interface Holder {
  readonly controller: AbortController;
  watched: Watched;
}

/** The signals of this process's sessions, aborted when the session ends, wherever that happened. */
export class SessionSignals {
  readonly #config: SessionConfig;
  readonly #watched = new Map<Key, Watched>();
  readonly #given = new WeakMap<SessionIdentity, { readonly key: Key; readonly holder: Holder }>();

  constructor(config: SessionConfig) {
    this.#config = config;
  }

  /** Sessions that are watched now. */
  get size(): number {
    return this.#watched.size;
  }

  /**
   * The signal of a saved session, the same for all of a request. `check`: looks whether the session has ended since it
   * was read, for of that no notice comes any more.
   */
  of(session: SessionIdentity, onClose: OnClose | null, check: boolean): AbortSignal {
    const key = session.key as Key;
    const given = this.#given.get(session);
    if (given !== undefined && (given.key === key || given.holder.watched.key === key)) {
      return given.holder.controller.signal;
    }
    const known = this.#watched.get(key);
    const watched = known ?? this.#begin(key, session);
    const holder = onClose === null ? (watched.shared ??= hold(watched)) : hold(watched);
    onClose?.(() => this.#leave(holder));
    this.#given.set(session, { key, holder });
    // One that is known was looked at, or is being, and has been heard of since.
    if (check && known === undefined) void this.#check(watched);
    return holder.controller.signal;
  }

  revoked(keys: readonly Key[]): void {
    for (const key of keys) {
      const watched = this.#watched.get(key);
      if (watched !== undefined) this.#end(watched, "revoked");
    }
  }

  rotated(keys: readonly Key[]): void {
    for (const key of keys) {
      const watched = this.#watched.get(key);
      if (watched !== undefined) void this.#check(watched);
    }
  }

  /** Notices may have been missed: every session is looked at. */
  async checkAll(): Promise<void> {
    const waiting = [...this.#watched.values()];
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await this.#check(next);
    };
    await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, work));
  }

  /** Forgets them all, unaborted: the server is going. */
  stop(): void {
    for (const { timer } of this.#watched.values()) stopTimer(timer);
    this.#watched.clear();
  }

  #begin(key: Key, session: SessionIdentity): Watched {
    const watched: Watched = { key, holders: new Set(), shared: null, timer: undefined };
    this.#watched.set(key, watched);
    this.#lookAgain(watched, this.#untilLook(session, this.#config.now()));
    return watched;
  }

  /** How long until a live session may have ended without a notice. */
  #untilLook(
    { expiresAt, binding }: Pick<StoredSession, "expiresAt" | "binding">,
    now: EpochMilliseconds,
  ): Milliseconds {
    const { store, storeTimeout } = this.#config;
    // A revocation that was under way at its login ends it when that call is over, perhaps without having seen it.
    const settled = binding === null || store.capabilities.local ? now : binding.boundAt + 2 * storeTimeout;
    return (settled > now ? Math.min(settled, expiresAt) : expiresAt) - now;
  }

  #leave(holder: Holder): void {
    const { watched } = holder;
    watched.holders.delete(holder);
    if (watched.holders.size === 0) this.#forget(watched);
  }

  #forget(watched: Watched): void {
    stopTimer(watched.timer);
    if (this.#watched.get(watched.key) === watched) this.#watched.delete(watched.key);
  }

  #end(watched: Watched, cause: SessionCause): void {
    this.#forget(watched);
    const reason = sessionEnded(cause);
    for (const { controller } of watched.holders) controller.abort(reason);
  }

  /** Reads the session and judges. Never throws: a store that fails is asked again. */
  async #check(watched: Watched): Promise<void> {
    const { now } = this.#config;
    for (let hops = 0; hops <= MOST_HOPS; hops += 1) {
      const { key } = watched;
      if (this.#watched.get(key) !== watched) return;
      let found: Found;
      try {
        found = await loadRecord(this.#config, key, now());
      } catch {
        return this.#lookAgain(watched, RETRY);
      }
      // Ended, left or moved meanwhile.
      if (this.#watched.get(key) !== watched) return;
      if (found?.kind !== "alias") return this.#judge(watched, found, now());
      this.#move(watched, found.to);
      // Merged: whoever watches it there looked, or hears.
      if (this.#watched.get(found.to) !== watched) return;
    }
    this.#end(watched, "rotated");
  }

  #judge(watched: Watched, found: StoredSession | Tombstone | null, now: EpochMilliseconds): void {
    if (found === null) return this.#end(watched, "unknown");
    if (found.kind === "tombstone") return this.#end(watched, found.reason);
    if (found.expiresAt > now) return this.#lookAgain(watched, this.#untilLook(found, now));
    this.#end(watched, expiryCause(this.#config.lifetime, found, found.binding?.maxAge ?? null));
  }

  /** The session goes on under another key, which may be watched already. */
  #move(watched: Watched, to: Key): void {
    this.#forget(watched);
    const there = this.#watched.get(to);
    watched.key = to;
    if (there === undefined) return void this.#watched.set(to, watched);
    for (const holder of watched.holders) {
      holder.watched = there;
      there.holders.add(holder);
    }
    there.shared ??= watched.shared;
  }

  /** At its deadline, as far as that is known here: another request may have moved it, which nobody tells. */
  #lookAgain(watched: Watched, after: Milliseconds): void {
    stopTimer(watched.timer);
    if (this.#watched.get(watched.key) !== watched) return;
    watched.timer = setTimeout(() => void this.#check(watched), Math.max(1, Math.min(after, LONGEST_TIMER)));
    // Some runtimes' timers are numbers.
    (watched.timer as { unref?(): void }).unref?.();
  }
}

/**
 * Node keeps a list for each duration of unref'd timers until it would have run, hours later here, and one that is ref'd
 * goes with its last timer (lib/internal/timers.js, `unenroll`).
 */
function stopTimer(timer: Watched["timer"]): void {
  (timer as { ref?(): void } | undefined)?.ref?.();
  clearTimeout(timer);
}

function hold(watched: Watched): Holder {
  const holder = { controller: new AbortController(), watched };
  watched.holders.add(holder);
  return holder;
}

/** Why a signal is aborted. */
export function sessionEnded(cause: SessionCause): FastSessionError {
  return new FastSessionError("ERR_SESSION_GONE", `the session ended (${cause}): close what was opened for it`, {
    cause,
  });
}
