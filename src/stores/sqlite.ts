/**
 * Sessions in a SQLite file: they survive a restart, and several processes of one machine may share them.
 *
 * Every verb is one transaction; `sqlite-statements.ts` shows its SQL and `sqlite-schema.ts` the tables. A field is a
 * row, so that a counter beside 100 KB costs what a counter costs.
 *
 * Not on a network file system: its locks do not hold what SQLite needs of them. Not for several processes that write
 * without pause: SQLite has one writer at a time and its queue is not fair (a commit waits 1 ms as a rule and 100 ms at
 * worst), so take Redis or PostgreSQL there. The file grows with the process's umask: who may read it reads the data,
 * though no cookie can be made from it, because keys are hashes.
 */
import { FastSessionError } from "../core/errors.ts";
import type { Alias, Key, NewSession, SessionPage, StoredSession, Tombstone } from "../core/session-record.ts";
import type {
  Change,
  Committed,
  Conflict,
  Created,
  Duplicate,
  Gone,
  LiveStore,
  Moved,
  Rejected,
  RotateChange,
  Rotated,
  StoreNotice,
} from "../core/session-store.ts";
import type { Awaitable, EpochMilliseconds } from "../core/units.ts";
import { type Opened, open } from "./sqlite-connection.ts";
import { type SqliteDatabase, storeError, transact } from "./sqlite-driver.ts";
import { SqliteFeed } from "./sqlite-feed.ts";
import { BUSY_DEADLINE, BUSY_TIMEOUT, checkArguments, type SqliteStoreOptions } from "./sqlite-options.ts";
import type { Creation, End, Page, Revocation, Rotation, SqliteRecords, Use } from "./sqlite-records.ts";
import { Writes } from "./sqlite-writes.ts";

export type { SqliteDatabase, SqliteStatement, SqliteValue } from "./sqlite-driver.ts";
export type { SqliteStoreOptions } from "./sqlite-options.ts";

/** How many are removed in one transaction of a sweep: others may write in between. */
const SWEEP_BATCH = 200;

/**
 * Keeps sessions in a SQLite file.
 *
 * Driven by `bun:sqlite`, `node:sqlite` (Node 22.13 or later), or the package `libsql`; or by a connection of your own,
 * which should be in WAL mode and is never closed by the store. The file is opened at first use, or by `open()`.
 *
 * Loads are synchronous. So are writes, unless another connection holds the lock for longer than `busyTimeout`: then
 * they answer a promise.
 *
 * @throws (each verb) FastSessionError `ERR_SESSION_STORE`, with SQLite's error as its cause; nothing of the verb has
 * happened, and the store works again as soon as SQLite does
 *
 * @example
 * const sessions = createSessions({ secretKey, store: new SqliteStore("sessions.sqlite") });
 */
export class SqliteStore implements LiveStore {
  readonly capabilities: LiveStore["capabilities"];
  readonly #source: string | SqliteDatabase;
  readonly #options: SqliteStoreOptions;
  readonly #writes: Writes;
  readonly #feed = new SqliteFeed();
  #open: Opened | null = null;
  #closed = false;

  /**
   * Does no I/O.
   *
   * @throws TypeError for a path that is empty or no path, and for options out of their range
   */
  constructor(pathOrDatabase: string | SqliteDatabase, options: SqliteStoreOptions = {}) {
    checkArguments(pathOrDatabase, options);
    this.#source = pathOrDatabase;
    this.#options = options;
    this.#writes = new Writes(options.busyDeadline ?? BUSY_DEADLINE, (waiting) => {
      // Those who wait try the lock without blocking. A connection of the user's own is not changed behind his back.
      this.#open?.own?.exec(`pragma busy_timeout = ${waiting ? 0 : (options.busyTimeout ?? BUSY_TIMEOUT)}`);
    });
    this.capabilities = Object.freeze({
      local: true,
      keys: "hash",
      userIndex: true,
      feed: "process",
      durable: pathOrDatabase !== ":memory:",
      consistency: "strong",
      lock: false,
    });
  }

  /** Opens the file and makes the tables, which the first verb does else: for a server that wants to fail at start. */
  open(): void {
    this.#read(() => undefined);
  }

  load(key: Key, now: EpochMilliseconds): StoredSession | Alias | Tombstone | null {
    return this.#read((records) => records.load(key, now));
  }

  create(record: NewSession, options: Creation): Awaitable<Created | Duplicate | Rejected> {
    return this.#write(
      (records) => records.create(record, options),
      (answer) => answer.ok && this.#feed.tell("revoked", answer.evicted),
    );
  }

  commit(key: Key, change: Change): Awaitable<Committed | Gone | Moved | Conflict> {
    return this.#write((records) => records.commit(key, change));
  }

  renew(key: Key, at: Use): Awaitable<boolean> {
    return this.#write((records) => records.renew(key, at));
  }

  rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    options: Rotation,
  ): Awaitable<Rotated | Gone | Moved | Conflict | Duplicate | Rejected> {
    return this.#write(
      (records) => records.rotate(oldKey, newKey, change, options),
      (answer) => {
        if (!answer.ok) return;
        this.#feed.tell("revoked", answer.evicted);
        this.#feed.tell("rotated", [oldKey]);
      },
    );
  }

  destroy(key: Key, at: End): Awaitable<boolean> {
    let ended: Key | null = null;
    return this.#write(
      (records) => (ended = records.destroy(key, at)) !== null,
      () => ended !== null && this.#feed.tell("revoked", [ended]),
    );
  }

  listByUser(userId: string, page: Page): SessionPage {
    return this.#read((records) => records.listByUser(userId, page));
  }

  revokeHandle(handle: string, at: End): Awaitable<Key | null> {
    return this.#write(
      (records) => records.revokeHandle(handle, at),
      (key) => key !== null && this.#feed.tell("revoked", [key]),
    );
  }

  revokeUser(
    userId: string,
    at: Revocation,
  ): Awaitable<{ readonly generation: number; readonly keys: readonly Key[] }> {
    return this.#write(
      (records) => records.revokeUser(userId, at),
      ({ keys }) => this.#feed.tell("revoked", keys),
    );
  }

  generation(userId: string): number {
    return this.#read((records) => records.generation(userId));
  }

  sweep(now: EpochMilliseconds, limit: number): Awaitable<number> {
    let removed = 0;
    while (removed < limit) {
      const batch = Math.min(limit - removed, SWEEP_BATCH);
      const answer = this.#write((records) => records.sweep(now, batch));
      if (answer instanceof Promise) return this.#sweepOn(answer, now, limit - removed).then((more) => removed + more);
      removed += answer;
      this.#writeBack("passive");
      if (answer < batch) break;
    }
    return removed;
  }

  /** Tells of what this process ends and rotates, not of what others do to the file. */
  watch(listener: (notice: StoreNotice) => void): () => void {
    return this.#feed.watch(listener);
  }

  ping(): void {
    this.#read((records) => records.ping());
  }

  /**
   * Waits for the writes that wait, then closes a file that the store opened, with its log written back. A connection
   * of your own stays open. Afterwards every verb throws; a second call does nothing.
   */
  close(): Awaitable<void> {
    this.#closed = true;
    const idle = this.#writes.idle();
    return idle instanceof Promise ? idle.then(() => this.#release()) : this.#release();
  }

  /** The rest of a sweep that met a lock. */
  async #sweepOn(answer: Promise<number>, now: EpochMilliseconds, limit: number): Promise<number> {
    const removed = await answer;
    const done = removed < Math.min(limit, SWEEP_BATCH) || this.#closed;
    return done ? removed : removed + (await this.sweep(now, limit - removed));
  }

  #read<T>(verb: (records: SqliteRecords) => T): T {
    this.#refuseClosed();
    try {
      return verb(this.#opened().records);
    } catch (error) {
      throw storeError(error);
    }
  }

  /** `told`: what listeners hear of it, once it is done. */
  #write<T>(verb: (records: SqliteRecords) => T, told?: (answer: T) => unknown): Awaitable<T> {
    this.#refuseClosed();
    return this.#writes.run(() => {
      const { db, records } = this.#opened();
      const answer = transact(db, () => verb(records));
      told?.(answer);
      return answer;
    });
  }

  #opened(): Opened {
    return (this.#open ??= open(this.#source, this.#options));
  }

  #refuseClosed(): void {
    if (this.#closed) throw new FastSessionError("ERR_SESSION_STORE", "the store is closed: make a new one");
  }

  #release(): void {
    const own = this.#open?.own;
    this.#open = null;
    if (!own) return;
    // `libsql` 0.5 gives the file free only when the connection is collected, and the log would stay until then.
    this.#writeBack("truncate", own);
    own.close();
  }

  /** After each batch of a sweep, else SQLite does it for a thousand pages at once, and requests wait for that. */
  #writeBack(mode: "passive" | "truncate", own = this.#open?.own): void {
    try {
      own?.exec(`pragma wal_checkpoint(${mode})`);
    } catch {
      // The log has the data: the next who checkpoints writes it back.
    }
  }
}
