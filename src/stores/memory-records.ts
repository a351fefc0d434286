import { MOST_HOPS } from "../core/alias-limit.ts";
import type {
  Alias,
  Binding,
  Key,
  Leave,
  NewSession,
  SessionPage,
  StoredSession,
  Tombstone,
} from "../core/session-record.ts";
import type {
  Bind,
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
  SessionStore,
} from "../core/session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import { changed, copyFields, differing } from "./memory-fields.ts";
import { Leases } from "./memory-leases.ts";
import { SessionRecord } from "./memory-record.ts";
import { type NoticeListener, Notices } from "./memory-notices.ts";
import { MemoryTable } from "./memory-table.ts";

const CAPABILITIES: LiveStore["capabilities"] = Object.freeze({
  local: true,
  keys: "id",
  userIndex: true,
  feed: "process",
  durable: false,
  consistency: "process",
  lock: true,
});

interface Ending {
  readonly now: EpochMilliseconds;
  readonly tombstoneUntil: EpochMilliseconds;
}

const GONE: Gone = Object.freeze({ ok: false, reason: "gone" });
const DUPLICATE: Duplicate = Object.freeze({ ok: false, reason: "duplicate" });

/** The verbs of the contract over a table in memory. Every one is synchronous, so every one is one atomic step. */
export class MemoryRecords implements Required<Omit<SessionStore, "ping" | "close">> {
  readonly capabilities: LiveStore["capabilities"] = CAPABILITIES;
  readonly #table: MemoryTable;
  readonly #leases = new Leases();
  readonly #notices = new Notices();

  constructor(maxSessions: number, maxBytes: number) {
    this.#table = new MemoryTable(maxSessions, maxBytes);
  }

  /** Sessions held, also those past their deadline that no sweep has reached yet. */
  get size(): number {
    return this.#table.size;
  }

  load(key: Key, now: EpochMilliseconds): StoredSession | Alias | Tombstone | null {
    const entry = this.#table.find(key);
    if (entry === undefined) return null;
    if (entry instanceof SessionRecord) return entry.snapshot();
    return entry.expiresAt > now ? entry.left : null;
  }

  create(
    session: NewSession,
    { now, bind }: { readonly operation: string; readonly now: EpochMilliseconds; readonly bind?: Bind | undefined },
  ): Created | Duplicate | Rejected {
    if (!this.#table.isFree(session.key, now)) return DUPLICATE;
    const leaving = bind === undefined ? [] : this.#table.users.admit(bind, now);
    if (typeof leaving === "string") return { ok: false, reason: "rejected", why: leaving };
    const record = new SessionRecord(session, copyFields(session.fields), now);
    const dropped = this.#table.reserve(record, bind !== undefined, leaving, now);
    if (dropped === null) return { ok: false, reason: "rejected", why: "full" };
    const evicted = this.#endAll(leaving, now, bind?.cap?.tombstoneUntil ?? now);
    this.#table.add(record, bind === undefined ? null : this.#binding(bind, now));
    this.#notices.send("revoked", dropped.concat(evicted));
    return { ok: true, evicted };
  }

  commit(key: Key, change: Change): Committed | Gone | Moved | Conflict {
    const record = this.#live(key, change.now);
    if (!(record instanceof SessionRecord)) return record;
    const conflict = this.#conflict(record, change);
    if (conflict !== null) return conflict;
    const dropped = this.#apply(record, change);
    record.extend(change.lastUsedAt, change.expiresAt);
    this.#notices.send("revoked", dropped);
    return { ok: true, version: record.version };
  }

  renew(key: Key, at: Parameters<SessionStore["renew"]>[1]): boolean {
    const record = this.#live(key, at.now);
    if (!(record instanceof SessionRecord)) return false;
    record.extend(at.lastUsedAt, at.expiresAt);
    return true;
  }

  rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    { leave, bind }: { readonly leave: Leave; readonly bind?: Bind | null | undefined },
  ): Rotated | Gone | Moved | Conflict | Duplicate | Rejected {
    const { now, createdAt, lastUsedAt, expiresAt } = change;
    const record = this.#live(oldKey, now);
    if (!(record instanceof SessionRecord)) return record;
    if (!this.#table.isFree(newKey, now)) return DUPLICATE;
    const conflict = this.#conflict(record, change);
    if (conflict !== null) return conflict;
    const leaving = bind ? this.#table.users.admit(bind, now, record) : [];
    if (typeof leaving === "string") return { ok: false, reason: "rejected", why: leaving };

    const evicted = this.#endAll(leaving, now, bind?.cap?.tombstoneUntil ?? now);
    const dropped = this.#apply(record, change);
    if (createdAt !== undefined) {
      record.createdAt = createdAt;
      if (expiresAt !== undefined) record.expiresAt = expiresAt;
    }
    record.rotatedAt = now;
    record.extend(lastUsedAt, expiresAt);
    this.#table.move(record, newKey, bind ? this.#binding(bind, now) : bind);
    this.#table.leave(oldKey, leave, now);
    this.#notices.send("revoked", dropped.concat(evicted));
    this.#notices.send("rotated", [oldKey]);
    return { ok: true, version: record.version, evicted };
  }

  destroy(key: Key, at: Ending): boolean {
    const record = this.#behind(key, at.now);
    if (record === undefined) return false;
    this.#notices.send("revoked", this.#endAll([record], at.now, at.tombstoneUntil));
    return true;
  }

  listByUser(
    userId: string,
    page: { readonly now: EpochMilliseconds; readonly after?: string | null | undefined; readonly limit: number },
  ): SessionPage {
    return this.#table.users.page(userId, page.now, page.after, page.limit);
  }

  /** Ends the session of that public name. Only bound sessions have one that is found: there is no index of the others. */
  revokeHandle(handle: string, at: Ending): Key | null {
    const record = this.#table.users.byHandle(handle);
    if (record === undefined || record.expiresAt <= at.now) return null;
    this.#notices.send("revoked", this.#endAll([record], at.now, at.tombstoneUntil));
    return record.key;
  }

  revokeUser(
    userId: string,
    at: Ending & { readonly except?: Key | undefined },
  ): { readonly generation: number; readonly keys: readonly Key[] } {
    const { users } = this.#table;
    const generation = users.raise(userId);
    const spared = at.except === undefined ? undefined : this.#behind(at.except, at.now);
    const live: SessionRecord[] = [];
    for (const record of users.recordsOf(userId)) {
      if (record === spared) users.stamp(record, generation);
      else if (record.expiresAt > at.now) live.push(record);
      else this.#table.remove(record);
    }
    const keys = this.#endAll(live, at.now, at.tombstoneUntil);
    this.#notices.send("revoked", keys);
    return { generation, keys };
  }

  /** 0 when never raised. A raised one is kept while the process lives: about 100 bytes for each such user. */
  generation(userId: string): number {
    return this.#table.users.generation(userId);
  }

  /** Locks the record behind `key` for `lease` milliseconds; `null` while another holds it. */
  lock(
    key: Key,
    { now, lease }: { readonly now: EpochMilliseconds; readonly lease: Milliseconds },
  ): { readonly fence: number; release(): void } | null {
    const record = this.#behind(key, now);
    // Nothing to lock: the holder's commit will hear that the session is gone.
    if (record === undefined) return { fence: 0, release: () => undefined };
    const fence = this.#leases.take(record, now, lease);
    return fence === null ? null : { fence, release: () => this.#leases.release(record, fence) };
  }

  sweep(now: EpochMilliseconds, limit: number): number {
    return this.#table.sweep(now, limit);
  }

  /** Listeners are called before the verb returns, when its step is done. */
  watch(listener: NoticeListener): () => void {
    return this.#notices.listen(listener);
  }

  #live(key: Key, now: EpochMilliseconds): SessionRecord | Gone | Moved {
    const entry = this.#table.find(key);
    if (entry === undefined || entry.expiresAt <= now) return GONE;
    if (entry instanceof SessionRecord) return entry;
    const { left } = entry;
    return left.kind === "alias" ? { ok: false, reason: "moved", to: left.to, sealedId: left.sealedId } : GONE;
  }

  /** The live record that a key leads to, also through aliases. */
  #behind(key: Key, now: EpochMilliseconds): SessionRecord | undefined {
    let found = this.#live(key, now);
    for (let hops = 0; !(found instanceof SessionRecord); hops += 1) {
      if (found.reason === "gone" || hops === MOST_HOPS) return undefined;
      found = this.#live(found.to, now);
    }
    return found;
  }

  #conflict(record: SessionRecord, { expect, fence }: Change): Conflict | null {
    // The holder of an outlived lease acts on what it read while it thought to be alone.
    if (fence !== undefined && this.#leases.isOutlived(record, fence))
      return { ok: false, reason: "conflict", current: {} };
    const current = expect === undefined ? null : differing(record.fields, expect);
    return current === null ? null : { ok: false, reason: "conflict", current };
  }

  /** Changes the data. Answers the keys of anonymous sessions that had to go because the record grew. */
  #apply(record: SessionRecord, change: Change): Key[] {
    const fields = changed(record.fields, change);
    if (fields === record.fields) return [];
    this.#table.rewrite(record, fields);
    record.version += 1;
    return this.#table.trim(record, change.now);
  }

  #binding(bind: Bind, now: EpochMilliseconds): Binding {
    const { userId, maxAge } = bind;
    return { userId, boundAt: now, generation: this.generation(userId), metadata: { ...bind.metadata }, maxAge };
  }

  #endAll(records: readonly SessionRecord[], now: EpochMilliseconds, tombstoneUntil: EpochMilliseconds): Key[] {
    return records.map((record) => {
      this.#table.remove(record);
      this.#table.leave(record.key, { kind: "tombstone", reason: "revoked", expiresAt: tombstoneUntil }, now);
      return record.key;
    });
  }
}
