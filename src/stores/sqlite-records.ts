import { MOST_HOPS } from "../core/alias-limit.ts";
import { fromText, put, toText } from "../core/kept-text.ts";
import { placeOf, rowAt } from "../core/list-place.ts";
import type {
  Alias,
  Fields,
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
  Moved,
  Rejected,
  RotateChange,
  Rotated,
  SessionStore,
} from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import { type SqliteDatabase, Statement } from "./sqlite-driver.ts";
import { bindingValues, type Found, type Member, toFound, toMember, toStored, toSummary } from "./sqlite-rows.ts";
import { SQL } from "./sqlite-statements.ts";

const GONE: Gone = { ok: false, reason: "gone" };
const DUPLICATE: Duplicate = { ok: false, reason: "duplicate" };

export type Creation = Parameters<SessionStore["create"]>[1];
export type Use = Parameters<SessionStore["renew"]>[1];
export type Rotation = Parameters<SessionStore["rotate"]>[3];
export type End = Parameters<SessionStore["destroy"]>[1];
export type Page = Parameters<NonNullable<SessionStore["listByUser"]>>[1];
export type Revocation = Parameters<NonNullable<SessionStore["revokeUser"]>>[1];

interface Admitted {
  readonly generation: number;
  readonly evicted: readonly Member[];
  readonly tombstoneUntil: EpochMilliseconds;
}

/** The verbs over an open file. Each expects to be alone: those that write are called inside of a transaction. */
export class SqliteRecords {
  readonly #sql: { readonly [Name in keyof typeof SQL]: Statement };

  constructor(db: SqliteDatabase) {
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, new Statement(db.prepare(sql))]);
    this.#sql = Object.fromEntries(prepared) as { [Name in keyof typeof SQL]: Statement };
  }

  load(key: Key, now: EpochMilliseconds): StoredSession | Alias | Tombstone | null {
    const row = this.#sql.load.get(key);
    return row === undefined ? null : toStored(row, now);
  }

  create(record: NewSession, { now, bind }: Creation): Created | Duplicate | Rejected {
    if (!this.#makeFree(record.key, now)) return DUPLICATE;
    const admitted = bind === undefined ? null : this.#admit(bind, now, null);
    if (admitted !== null && "ok" in admitted) return admitted;
    const evicted = this.#evict(admitted);
    const { key, createdAt, lastUsedAt, expiresAt, handle } = record;
    const binding = bindingValues(bind, admitted?.generation, now);
    const row = this.#sql.insert.get(key, createdAt, lastUsedAt, now, expiresAt, handle, ...binding);
    this.#setFields(row?.[0] as number, record.fields);
    return { ok: true, evicted };
  }

  commit(key: Key, change: Change): Committed | Gone | Moved | Conflict {
    const found = this.#live(key, change.now);
    if ("ok" in found) return found;
    const conflict = this.#conflict(found.id, change.expect);
    if (conflict !== null) return conflict;
    const version = this.#apply(found, change);
    const lastUsedAt = Math.max(found.lastUsedAt, change.lastUsedAt ?? 0);
    const expiresAt = Math.max(found.expiresAt, change.expiresAt ?? 0);
    if (expiresAt > found.expiresAt) this.#sql.extend.run(version, lastUsedAt, expiresAt, found.id);
    else if (version > found.version || lastUsedAt > found.lastUsedAt) this.#sql.use.run(version, lastUsedAt, found.id);
    return { ok: true, version };
  }

  renew(key: Key, at: Use): boolean {
    return this.#sql.renew.run(at.lastUsedAt, at.expiresAt, key, at.now) > 0;
  }

  rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    { leave, bind }: Rotation,
  ): Rotated | Gone | Moved | Conflict | Duplicate | Rejected {
    const { now, createdAt } = change;
    const found = this.#live(oldKey, now);
    if ("ok" in found) return found;
    if (!this.#makeFree(newKey, now)) return DUPLICATE;
    const conflict = this.#conflict(found.id, change.expect);
    if (conflict !== null) return conflict;
    const admitted = bind ? this.#admit(bind, now, found.id) : null;
    if (admitted !== null && "ok" in admitted) return admitted;

    const evicted = this.#evict(admitted);
    const version = this.#apply(found, change);
    const lastUsedAt = Math.max(found.lastUsedAt, change.lastUsedAt ?? 0);
    const asked = change.expiresAt ?? found.expiresAt;
    const expiresAt = createdAt === undefined ? Math.max(found.expiresAt, asked) : asked;
    this.#sql.move.run(newKey, version, createdAt ?? null, lastUsedAt, now, expiresAt, found.id);
    if (bind !== undefined) this.#sql.bind.run(...bindingValues(bind, admitted?.generation, now), found.id);
    this.#leave(oldKey, leave);
    return { ok: true, version, evicted };
  }

  /** Answers the key of the record that ended, which an alias can have led to. */
  destroy(key: Key, at: End): Key | null {
    const behind = this.#behind(key, at.now);
    if (behind === undefined) return null;
    this.#sql.end.run(at.tombstoneUntil, behind.found.id);
    return behind.key;
  }

  listByUser(userId: string, page: Page): SessionPage {
    const [boundAt, id] = rowAt(page.after);
    // One more than asked for tells whether the list goes on.
    const rows = this.#sql.ofUser.all(toText(userId), page.now, boundAt, id, page.limit + 1);
    const shown = rows.slice(0, page.limit);
    const last = rows.length > page.limit ? shown.at(-1) : undefined;
    return { sessions: shown.map(toSummary), after: last === undefined ? null : placeOf(last[4], last[0]) };
  }

  revokeHandle(handle: string, at: End): Key | null {
    const row = this.#sql.named.get(handle, at.now);
    if (row === undefined) return null;
    this.#sql.end.run(at.tombstoneUntil, row[0] as number);
    return row[1] as Key;
  }

  revokeUser(userId: string, at: Revocation): { readonly generation: number; readonly keys: readonly Key[] } {
    const user = toText(userId);
    const spared = at.except === undefined ? undefined : this.#behind(at.except, at.now)?.found;
    const generation = this.#sql.raise.get(user)?.[0] as number;
    if (spared?.userId === user) this.#sql.stamp.run(generation, spared.id);
    const ended = this.#sql.endUser.all(at.tombstoneUntil, user, at.now, spared?.id ?? -1);
    return { generation, keys: ended.map((row) => row[0] as Key) };
  }

  generation(userId: string): number {
    return this.#generation(toText(userId));
  }

  sweep(now: EpochMilliseconds, limit: number): number {
    return this.#sql.sweep.run(now, limit);
  }

  ping(): void {
    this.#sql.ping.get();
  }

  #live(key: Key, now: EpochMilliseconds): Found | Gone | Moved {
    const row = this.#sql.find.get(key);
    if (row === undefined) return GONE;
    const found = toFound(row);
    if (found.expiresAt <= now || found.outdated) return GONE;
    if (found.kind === "session") return found;
    return found.kind === "alias" ? { ok: false, reason: "moved", to: found.to, sealedId: found.sealedId } : GONE;
  }

  /** The live record that a key leads to, also through aliases. */
  #behind(from: Key, now: EpochMilliseconds): { readonly key: Key; readonly found: Found } | undefined {
    let key = from;
    let found = this.#live(key, now);
    for (let hops = 0; "ok" in found; hops += 1) {
      if (found.reason === "gone" || hops === MOST_HOPS) return undefined;
      key = found.to;
      found = this.#live(key, now);
    }
    return { key, found };
  }

  /** Whether a key may be given to a record. What stands there past its deadline is removed. */
  #makeFree(key: Key, now: EpochMilliseconds): boolean {
    const row = this.#sql.find.get(key);
    if (row === undefined) return true;
    const { id, expiresAt } = toFound(row);
    if (expiresAt > now) return false;
    this.#sql.drop.run(id);
    return true;
  }

  #conflict(id: number, expect: Change["expect"]): Conflict | null {
    if (expect === undefined) return null;
    const current: Record<string, string | null> = {};
    let differ = false;
    for (const name of Object.keys(expect)) {
      const row = this.#sql.field.get(id, toText(name));
      const text = row === undefined ? null : fromText(row[0] as string);
      if (text === expect[name]) continue;
      put(current, name, text);
      differ = true;
    }
    return differ ? { ok: false, reason: "conflict", current } : null;
  }

  /** Changes the data. Answers the version after it. */
  #apply({ id, version }: Found, { clear, remove, set }: Change): number {
    if (clear === true) this.#sql.clear.run(id);
    for (const name of remove ?? []) this.#sql.unset.run(id, toText(name));
    if (set !== undefined) this.#setFields(id, set);
    return clear === true || remove !== undefined || set !== undefined ? version + 1 : version;
  }

  #setFields(id: number, fields: Fields): void {
    for (const name of Object.keys(fields)) this.#sql.set.run(id, toText(name), toText(fields[name] as string));
  }

  #leave(key: Key, leave: Leave): void {
    const [to, sealedId] = leave.kind === "alias" ? [leave.to, leave.sealedId] : [null, null];
    this.#sql.leave.run(key, leave.kind === "alias" ? "alias" : leave.reason, leave.expiresAt, to, sealedId);
  }

  /** Under which generation a user's login happens, and who must go for it. `self`: the record that is rotated. */
  #admit({ userId, since, cap }: Bind, now: EpochMilliseconds, self: number | null): Admitted | Rejected {
    const user = toText(userId);
    const generation = this.#generation(user);
    if (since !== undefined && since < generation) return { ok: false, reason: "rejected", why: "revoked" };
    if (cap === undefined) return { generation, evicted: [], tombstoneUntil: now };
    const { tombstoneUntil } = cap;
    const others = this.#sql.ofUser
      .all(user, now, -1, -1, -1)
      .map(toMember)
      .filter(({ id }) => id !== self);
    const surplus = others.length + 1 - cap.max;
    if (surplus <= 0) return { generation, evicted: [], tombstoneUntil };
    if (cap.policy === "reject") return { ok: false, reason: "rejected", why: "cap" };
    // They come in the order of their logins, which decides among equals.
    if (cap.policy === "evict-idle") others.sort((one, other) => one.lastUsedAt - other.lastUsedAt);
    return { generation, evicted: others.slice(0, surplus), tombstoneUntil };
  }

  #evict(admitted: Admitted | null): Key[] {
    if (admitted === null) return [];
    return admitted.evicted.map(({ id, key }) => {
      this.#sql.end.run(admitted.tombstoneUntil, id);
      return key;
    });
  }

  #generation(user: string): number {
    return (this.#sql.generation.get(user)?.[0] as number | undefined) ?? 0;
  }
}
