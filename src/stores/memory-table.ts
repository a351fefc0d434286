import type { Binding, Fields, Key, Leave } from "../core/session-record.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import { DeadlineQueue } from "./memory-deadlines.ts";
import { bytesOf } from "./memory-fields.ts";
import { Mark, type SessionRecord } from "./memory-record.ts";
import { RANDOM_END, ShardedMap } from "./memory-sharded-map.ts";
import { UserIndex } from "./memory-users.ts";

/** What a session takes beside its texts: record, key, handle, places in maps and rings. */
const RECORD_BYTES = 200;
/** What being bound adds: membership, binding, places in the index of users and of handles. */
const BINDING_BYTES = 350;

/** How many entries may be looked at for one that has to go: the bound that holds whatever a flood does. */
const LOOKS = 16;

/** Sessions of one kind: by deadline, with the bytes they take together. */
class Pool {
  readonly queue: DeadlineQueue<SessionRecord> = new DeadlineQueue();
  bytes = 0;
}

/**
 * The records of a `MemoryStore` and all that has to agree with them: the map of keys, the deadlines, the index of
 * users, the limits. Every entry comes and goes through here.
 */
export class MemoryTable {
  readonly users: UserIndex = new UserIndex();
  readonly #entries = new ShardedMap<SessionRecord | Mark>(RANDOM_END);
  readonly #anonymous = new Pool();
  readonly #bound = new Pool();
  readonly #marks = new DeadlineQueue<Mark>();
  readonly #maxSessions: number;
  readonly #maxBytes: number;

  constructor(maxSessions: number, maxBytes: number) {
    this.#maxSessions = maxSessions;
    this.#maxBytes = maxBytes;
  }

  /** Sessions, also those past their deadline that no sweep has reached. */
  get size(): number {
    return this.#anonymous.queue.size + this.#bound.queue.size;
  }

  find(key: Key): SessionRecord | Mark | undefined {
    return this.#entries.get(key);
  }

  /** Whether nothing unexpired stands under a key. What is past its deadline makes way. */
  isFree(key: Key, now: EpochMilliseconds): boolean {
    const entry = this.find(key);
    if (entry === undefined) return true;
    if (entry.expiresAt > now) return false;
    this.remove(entry);
    return true;
  }

  /** Takes in a record whose key is free. */
  add(record: SessionRecord, binding: Binding | null): void {
    if (binding !== null) this.users.bind(record, binding);
    this.#file(record);
  }

  /** Gives a record another key, and with `binding` another user (`null`: none). */
  move(record: SessionRecord, key: Key, binding: Binding | null | undefined): void {
    this.#unfile(record);
    record.key = key;
    if (binding !== undefined) this.users.unbind(record);
    this.add(record, binding ?? null);
  }

  rewrite(record: SessionRecord, fields: Fields): void {
    const pool = this.#poolOf(record);
    const before = this.#weigh(record);
    record.fields = fields;
    pool.bytes += this.#weigh(record) - before;
  }

  remove(entry: SessionRecord | Mark): void {
    if (entry instanceof Mark) {
      this.#entries.delete(entry.key);
      this.#marks.remove(entry);
    } else {
      this.#unfile(entry);
      this.users.unbind(entry);
    }
  }

  /** Leaves a tombstone or an alias under a free key. There are at most as many of them as there may be sessions. */
  leave(key: Key, leave: Leave, now: EpochMilliseconds): void {
    if (leave.expiresAt <= now) return;
    if (this.#marks.size >= this.#maxSessions) {
      const first = this.#marks.least((mark) => mark.expiresAt, LOOKS);
      if (first !== undefined) this.remove(first);
    }
    const mark = new Mark(key, { ...leave });
    this.#entries.set(key, mark);
    this.#marks.file(mark);
  }

  sweep(now: EpochMilliseconds, limit: number): number {
    const looks = limit * LOOKS;
    let swept = 0;
    swept += this.#endDue(this.#anonymous.queue, now, limit, looks);
    swept += this.#endDue(this.#bound.queue, now, limit - swept, looks);
    swept += this.#endDue(this.#marks, now, limit - swept, looks);
    return swept;
  }

  /**
   * Makes room for a new record, when those in `leaving` go too: expired sessions go first, then the anonymous ones
   * unused for longest, never a bound one.
   *
   * @returns the keys of live sessions that went, or `null` when there can be no room: then none went
   */
  reserve(
    record: SessionRecord,
    binds: boolean,
    leaving: readonly SessionRecord[],
    now: EpochMilliseconds,
  ): Key[] | null {
    const sessions = 1 - leaving.length;
    let bytes = this.#weigh(record, binds);
    for (const other of leaving) bytes -= this.#weigh(other);
    const crowded = (): boolean =>
      this.#bound.queue.size + sessions > this.#maxSessions || this.#bound.bytes + bytes > this.#maxBytes;
    if (crowded()) this.#endDue(this.#bound.queue, now, LOOKS, LOOKS);
    return crowded() ? null : this.#makeRoom(sessions, bytes, now);
  }

  /** Brings the bytes back under their limit after a record grew, as far as others can go for it. */
  trim(grown: SessionRecord, now: EpochMilliseconds): Key[] {
    return this.#makeRoom(0, 0, now, grown);
  }

  #makeRoom(sessions: number, bytes: number, now: EpochMilliseconds, spared?: SessionRecord): Key[] {
    const dropped: Key[] = [];
    while (
      this.size + sessions > this.#maxSessions ||
      this.#anonymous.bytes + this.#bound.bytes + bytes > this.#maxBytes
    ) {
      const expired =
        this.#endDue(this.#anonymous.queue, now, 1, LOOKS) + this.#endDue(this.#bound.queue, now, 1, LOOKS);
      if (expired > 0) continue;
      const victim = this.#anonymous.queue.least((record) => record.lastUsedAt, LOOKS, spared);
      if (victim === undefined) break;
      this.remove(victim);
      dropped.push(victim.key);
    }
    return dropped;
  }

  #endDue<Entry extends SessionRecord | Mark>(
    queue: DeadlineQueue<Entry>,
    now: EpochMilliseconds,
    limit: number,
    looks: number,
  ): number {
    return queue.endDue(now, limit, looks, (entry) => this.remove(entry));
  }

  #poolOf(record: SessionRecord): Pool {
    return record.binding === null ? this.#anonymous : this.#bound;
  }

  #file(record: SessionRecord): void {
    const pool = this.#poolOf(record);
    this.#entries.set(record.key, record);
    pool.queue.file(record);
    pool.bytes += this.#weigh(record);
  }

  #unfile(record: SessionRecord): void {
    const pool = this.#poolOf(record);
    this.#entries.delete(record.key);
    pool.queue.remove(record);
    pool.bytes -= this.#weigh(record);
  }

  /** About how many bytes a record takes; not counted without a limit. */
  #weigh(record: SessionRecord, binds: boolean = record.binding !== null): number {
    if (this.#maxBytes === Infinity) return 0;
    return RECORD_BYTES + record.key.length + (binds ? BINDING_BYTES : 0) + bytesOf(record.fields);
  }
}
