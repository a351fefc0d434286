/**
 * Sessions in MariaDB (10.6 or later) or MySQL (8.0.29 or later), for a fleet.
 *
 * Every verb is one statement, which is one round trip:
 *
 * | verb | what is sent |
 * | --- | --- |
 * | load | `select … from fastsession_sessions s left join fastsession_users u using (user_id) where s.session_key = ?` |
 * | create, commit, renew, rotate, destroy, lock | `call fastsession_v1_create(…)` and so on |
 * | listByUser, revokeHandle, revokeUser, sweep | `call fastsession_v1_list(…)`, `_revoke_handle`, `_revoke_user`, `_sweep` |
 * | generation | `select generation from fastsession_users where user_id = ?` |
 * | release of a lock | `update fastsession_sessions set lock_until = 0 where id = ? and lock_fence = ?` |
 * | ping | `select 1 from fastsession_sessions limit 0` |
 *
 * A procedure is one transaction: it locks the row of the key, judges, and writes. Neither database can compare, change
 * and say why not in one plain statement. `mysql-schema.ts` has the tables, `mysql-procedures.ts` and
 * `mysql-user-procedures.ts` the procedures, and `migrationSql()` prints all of it.
 *
 * Not for sessions above some 10 KB: a record's data is one column, written whole with every change of it. Take
 * PostgreSQL or Redis there. Not where live revocation is needed: there is no feed, so another process learns of a
 * revocation at its next request.
 */
import { placeOf, rowAt } from "../core/list-place.ts";
import type { Alias, Key, NewSession, SessionPage, StoredSession, Tombstone } from "../core/session-record.ts";
import type {
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
  StoreCapabilities,
} from "../core/session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import { MysqlClient, type MysqlValue, type Row } from "./mysql-client.ts";
import { type AnyMysqlPool, checkArguments, type MysqlStoreOptions, PREFIX, TIMEOUT } from "./mysql-options.ts";
import {
  bindValues,
  changeValues,
  checked,
  LOADED,
  toConflict,
  toJson,
  toRefusal,
  toStored,
  toSummary,
  toUser,
} from "./mysql-rows.ts";
import { LAYOUT, madeBy, migration, prefixed } from "./mysql-schema.ts";

export type { MysqlConnection, MysqlPool, MysqlQuery, MysqlValue } from "./mysql-client.ts";
export type { AnyMysqlPool, MysqlStoreOptions } from "./mysql-options.ts";
export { migrationSql } from "./mysql-schema.ts";

type Creation = Parameters<SessionStore["create"]>[1];
type Use = Parameters<SessionStore["renew"]>[1];
type Rotation = Parameters<SessionStore["rotate"]>[3];
type End = Parameters<SessionStore["destroy"]>[1];
type Page = Parameters<NonNullable<SessionStore["listByUser"]>>[1];
type Revocation = Parameters<NonNullable<SessionStore["revokeUser"]>>[1];
type Lock = Awaited<ReturnType<NonNullable<SessionStore["lock"]>>>;

const CAPABILITIES: StoreCapabilities = Object.freeze({
  local: false,
  keys: "hash",
  userIndex: true,
  feed: null,
  durable: true,
  consistency: "strong",
  lock: true,
});

/** How many are removed in one transaction of a sweep: their rows are locked for as long as it lasts. */
const SWEEP_BATCH = 200;

const SQL = {
  load: `select ${LOADED} from fastsession_sessions s left join fastsession_users u on u.user_id = s.user_id
    where s.session_key = ?`,
  generation: "select generation from fastsession_users where user_id = ?",
  release: "update fastsession_sessions set lock_until = 0 where id = ? and lock_fence = ?",
  ping: "select 1 from fastsession_sessions limit 0",
} as const;

/**
 * Keeps sessions in MariaDB or MySQL, over a pool of `mysql2` that is yours: the store never closes it.
 *
 * The tables and procedures must be there: see `migrate()`. The pool needs the character set `utf8mb4`, mysql2's default,
 * and `autocommit`, the server's default.
 *
 * @throws (each verb) FastSessionError `ERR_SESSION_STORE` when nothing of the verb has happened,
 * `ERR_SESSION_STORE_UNKNOWN` when the connection broke before the answer; the driver's error is its cause
 *
 * @example
 * const store = new MysqlStore(createPool(process.env.DATABASE_URL));
 * await store.migrate();
 * const sessions = createSessions({ secretKey, store });
 */
export class MysqlStore implements SessionStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  readonly #client: MysqlClient;
  readonly #prefix: string;

  /**
   * Does no I/O.
   *
   * @param pool from `createPool` of `mysql2/promise`, or of `mysql2`
   * @throws TypeError for what is no pool, and for options out of their range
   */
  constructor(pool: AnyMysqlPool, options: MysqlStoreOptions = {}) {
    checkArguments(pool, options);
    this.#client = new MysqlClient("promise" in pool ? pool.promise() : pool, options.timeout ?? TIMEOUT);
    this.#prefix = options.prefix ?? PREFIX;
  }

  /**
   * Makes the tables and procedures where they are missing; it may run at every start, in every process. Needs the
   * privileges CREATE, CREATE VIEW and CREATE ROUTINE, unless everything is there: see `migrationSql`.
   */
  async migrate(): Promise<void> {
    const statements = migration(this.#prefix);
    const there = new Set((await this.#client.send(this.#sql(LAYOUT), [])).map(([name]) => name));
    if (!madeBy(statements).every((name) => there.has(name))) await this.#client.script(statements);
  }

  async load(key: Key, now: EpochMilliseconds): Promise<StoredSession | Alias | Tombstone | null> {
    const [row] = await this.#client.send(this.#sql(SQL.load), [key]);
    return row === undefined ? null : toStored(row, now);
  }

  async create(record: NewSession, { operation, now, bind }: Creation): Promise<Created | Duplicate | Rejected> {
    const { key, fields, createdAt, lastUsedAt, expiresAt, handle } = record;
    const json = toJson(Object.entries(fields));
    const values = [key, now, checked(operation), json, createdAt, lastUsedAt, expiresAt, handle, ...bindValues(bind)];
    const row = await this.#call("create", values);
    return row[0] === "ok" ? { ok: true, evicted: keysOf(row) } : (toRefusal(row) as Duplicate | Rejected);
  }

  async commit(key: Key, change: Change): Promise<Committed | Gone | Moved | Conflict> {
    const row = await this.#call("commit", [key, ...changeValues(change)]);
    const [status, version] = row;
    if (status === "ok") return { ok: true, version: Number(version) };
    return isConflict(row) ? toConflict(row[5] as string | null, change.expect) : (toRefusal(row) as Gone | Moved);
  }

  async renew(key: Key, { now, lastUsedAt, expiresAt }: Use): Promise<boolean> {
    return (await this.#call("renew", [key, now, lastUsedAt, expiresAt]))[0] === "ok";
  }

  async rotate(
    oldKey: Key,
    newKey: Key,
    change: RotateChange,
    { leave, bind }: Rotation,
  ): Promise<Rotated | Gone | Moved | Conflict | Duplicate | Rejected> {
    const left =
      leave.kind === "alias"
        ? ["alias", leave.expiresAt, leave.to, leave.sealedId]
        : [leave.reason, leave.expiresAt, null, null];
    const values = [oldKey, newKey, ...changeValues(change), change.createdAt ?? null, ...left];
    const row = await this.#call("rotate", [...values, bind === undefined ? 0 : 1, ...bindValues(bind)]);
    const [status, version] = row;
    if (status === "ok") return { ok: true, version: Number(version), evicted: keysOf(row) };
    return isConflict(row) ? toConflict(row[5] as string | null, change.expect) : toRefusal(row);
  }

  async destroy(key: Key, { now, tombstoneUntil }: End): Promise<boolean> {
    return (await this.#call("destroy", [key, now, tombstoneUntil]))[0] === "ok";
  }

  /** In the order of the logins. */
  async listByUser(userId: string, { now, after, limit }: Page): Promise<SessionPage> {
    const [boundAt, id] = rowAt(after);
    // One more than asked for tells whether the list goes on.
    const values = [toUser(userId), now, boundAt, id, limit + 1];
    const [rows = []] = await this.#client.call(this.#procedure("list", values), values, "reads");
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return { sessions: shown.map(toSummary), after: last === undefined ? null : placeOf(last[3], last[0]) };
  }

  async revokeHandle(handle: string, { now, tombstoneUntil }: End): Promise<Key | null> {
    // A visitor may send what no column holds.
    if (!/^[!-~]{1,64}$/.test(handle)) return null;
    const [key] = await this.#call("revoke_handle", [handle, now, tombstoneUntil]);
    return key as Key | null;
  }

  async revokeUser(
    userId: string,
    { now, tombstoneUntil, except }: Revocation,
  ): Promise<{ readonly generation: number; readonly keys: readonly Key[] }> {
    const values = [toUser(userId), now, tombstoneUntil, except ?? null];
    const [ended = [], raised = []] = await this.#client.call(this.#procedure("revoke_user", values), values);
    return { generation: Number(raised[0]?.[0]), keys: ended.map(([key]) => key as Key) };
  }

  async generation(userId: string): Promise<number> {
    const [row] = await this.#client.send(this.#sql(SQL.generation), [toUser(userId)]);
    return Number(row?.[0] ?? 0);
  }

  /** The lock follows its session through rotations, and ends with it. */
  async lock(
    key: Key,
    { now, lease }: { readonly now: EpochMilliseconds; readonly lease: Milliseconds },
  ): Promise<Lock> {
    const [fence, id] = await this.#call("lock", [key, now, now + lease]);
    if (fence === null) return null;
    const values = [id as number, Number(fence)];
    return {
      fence: Number(fence),
      release: async () => {
        await this.#client.send(this.#sql(SQL.release), values, "writes");
      },
    };
  }

  async sweep(now: EpochMilliseconds, limit: number): Promise<number> {
    let removed = 0;
    while (removed < limit) {
      const batch = Math.min(limit - removed, SWEEP_BATCH);
      const [count] = await this.#call("sweep", [now, batch]);
      removed += Number(count);
      if (Number(count) < batch) break;
    }
    return removed;
  }

  async ping(): Promise<void> {
    await this.#client.send(this.#sql(SQL.ping), []);
  }

  /** Calls a procedure that answers one row. */
  async #call(name: string, values: MysqlValue[]): Promise<Row> {
    const results = await this.#client.call(this.#procedure(name, values), values);
    return results[0]?.[0] ?? [];
  }

  #procedure(name: string, values: readonly MysqlValue[]): string {
    return this.#sql(`call fastsession_v1_${name}(${values.map(() => "?").join(", ")})`);
  }

  #sql(sql: string): string {
    return prefixed(sql, this.#prefix);
  }
}

function keysOf(row: Row): Key[] {
  const evicted = row[2] as string;
  return evicted === "" ? [] : evicted.split(" ");
}

function isConflict([status]: Row): boolean {
  return status === "conflict" || status === "fenced";
}
