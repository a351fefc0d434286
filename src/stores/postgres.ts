/**
 * Sessions in PostgreSQL (12 or later), for a fleet.
 *
 * Every verb calls one function in the database: one statement, one transaction, one round trip.
 *
 * | verb | what is sent |
 * | --- | --- |
 * | load | `select $2, null union all select name, text from fastsession_v1_load($1)` |
 * | create, commit, renew, rotate, destroy | `select fastsession_v1_create($1, …), $17` and so on |
 * | listByUser, revokeHandle, revokeUser, generation | `select fastsession_v1_list($1, …)`, `…_revoke_handle`, `…_revoke_user`, `…_generation` |
 * | lock, its release, sweep | `select fastsession_v1_lock($1, …)`, `…_release`, `…_sweep` for 200 at a time |
 * | watch | `listen "fastsession_public"`, on a connection of its own |
 * | ping | `select (select count(*) from (select 1 from fastsession_sessions limit 0) …), $1` |
 *
 * The last parameter is a mark, which has to come back with the answer: some clients confuse whose an answer is.
 * A function locks the row of the key, judges, and writes. `postgres-schema.ts` has the tables, `postgres-functions.ts` and
 * `postgres-user-functions.ts` what the functions do, and `migrationSql()` prints all of it.
 *
 * Right under every isolation level: whoever loses against another transaction is sent again. Not where writes are
 * acknowledged by a replica that may be behind, and not for reads from one: send everything to the primary.
 */
import { FastSessionError } from "../core/errors.ts";
import { toText } from "../core/kept-text.ts";
import { rowAt } from "../core/list-place.ts";
import type { Alias, Key, NewSession, SessionPage, StoredSession, Tombstone } from "../core/session-record.ts";
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
  StoreCapabilities,
  StoreNotice,
} from "../core/session-store.ts";
import type { EpochMilliseconds, Milliseconds } from "../core/units.ts";
import { Calls } from "./postgres-calls.ts";
import type { PostgresClient } from "./postgres-client.ts";
import { Feed } from "./postgres-feed.ts";
import { type ListenSource, listenOn } from "./postgres-listen.ts";
import { channelOf, migration } from "./postgres-migration.ts";
import { checkArguments, DEFAULT_SCHEMA, type PostgresStoreOptions } from "./postgres-options.ts";
import { toAnswer, toLists, toPage, toStored } from "./postgres-rows.ts";
import type { Argument } from "./postgres-argument.ts";

export type { PgClient, PgliteClient, PostgresClient, PostgresJsClient } from "./postgres-client.ts";
export type { ListenSource, PgListenClient } from "./postgres-listen.ts";
export { migrationSql } from "./postgres-migration.ts";
export type { PostgresStoreOptions } from "./postgres-options.ts";

/** How many are removed in one transaction of a sweep. */
const SWEEP_BATCH = 200;

type Creation = Parameters<SessionStore["create"]>[1];
type Use = Parameters<SessionStore["renew"]>[1];
type Rotation = Parameters<SessionStore["rotate"]>[3];
type End = Parameters<SessionStore["destroy"]>[1];
type Page = Parameters<NonNullable<SessionStore["listByUser"]>>[1];
type Revocation = Parameters<NonNullable<SessionStore["revokeUser"]>>[1];

/** Who hears of revocations with these options, as far as their type tells. */
type FeedOf<Options> = Options extends { readonly listen: ListenSource } ? "fleet" : "fleet" | null;

/**
 * Keeps sessions in PostgreSQL.
 *
 * Takes your own client: a `Pool` (or `Client`) of `pg`, what `postgres()` of postgres.js answers, or a `PGlite`. It is
 * never closed by the store. Run `migrate()` before the first session, or what `migrationSql()` prints.
 *
 * @throws (each verb) FastSessionError `ERR_SESSION_STORE` when nothing of the verb has happened, and
 * `ERR_SESSION_STORE_UNKNOWN` when the connection broke before the answer to a write; the client's error is the cause
 *
 * @example
 * const store = new PostgresStore(new pg.Pool({ connectionString }), { listen: true });
 * await store.migrate();
 * const sessions = createSessions({ secretKey, store });
 */
export class PostgresStore<const Options extends PostgresStoreOptions = PostgresStoreOptions> implements SessionStore {
  readonly capabilities: StoreCapabilities & { readonly feed: FeedOf<Options> };
  readonly #calls: Calls;
  readonly #schema: string;
  readonly #announce: boolean;
  readonly #feed: Feed | null;

  /**
   * Does no I/O.
   *
   * @throws TypeError for what is no client, and for options out of their range
   */
  constructor(client: PostgresClient, options: Options = {} as Options) {
    checkArguments(client, options);
    const { schema = DEFAULT_SCHEMA, prepare, listen, announceChanges = false } = options;
    this.#calls = new Calls(client, schema, prepare);
    this.#schema = schema;
    this.#announce = announceChanges;
    this.#feed =
      listen === undefined
        ? null
        : new Feed(listenOn(client, listen, channelOf(schema)), (payload) => this.#calls.answer("echo", payload));
    this.capabilities = Object.freeze({
      local: false,
      keys: "hash",
      userIndex: true,
      feed: (listen === undefined ? null : "fleet") as FeedOf<Options>,
      announcesChanges: announceChanges,
      durable: true,
      consistency: "strong",
      lock: true,
    }) as this["capabilities"];
  }

  /**
   * Makes the tables and functions where they are not there. Safe to run at every start, and by several processes at once:
   * they wait for each other. Needs the right to create in the schema, unless everything is there.
   */
  async migrate(): Promise<void> {
    if (await this.#answer<boolean>("layout")) return;
    await this.#calls.script(migration(this.#schema));
  }

  async load(key: Key, now: EpochMilliseconds): Promise<StoredSession | Alias | Tombstone | null> {
    return toStored(await this.#calls.load(key), now);
  }

  async create(record: NewSession, { operation, now, bind }: Creation): Promise<Created | Duplicate | Rejected> {
    const { key, createdAt, lastUsedAt, expiresAt, handle } = record;
    const fields = toLists(record.fields, toText);
    const times = [createdAt, lastUsedAt, expiresAt];
    return this.#answer("create", key, operation, now, ...fields, ...times, handle, ...bindValues(bind));
  }

  async commit(key: Key, change: Change): Promise<Committed | Gone | Moved | Conflict> {
    return toAnswer(await this.#answer("commit", key, ...changeValues(change), this.#announce));
  }

  async renew(key: Key, { now, lastUsedAt, expiresAt }: Use): Promise<boolean> {
    return this.#answer("renew", key, now, lastUsedAt, expiresAt);
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
    const bound = bind === undefined ? null : bind !== null;
    const values = [...changeValues(change), change.createdAt, ...left, bound, ...bindValues(bind)];
    return toAnswer(await this.#answer("rotate", oldKey, newKey, ...values));
  }

  async destroy(key: Key, { now, tombstoneUntil }: End): Promise<boolean> {
    return this.#answer("destroy", key, now, tombstoneUntil);
  }

  async listByUser(userId: string, { now, after, limit }: Page): Promise<SessionPage> {
    const [boundAt, id] = rowAt(after);
    return toPage(await this.#answer("list", toText(userId), now, boundAt, id, limit + 1), limit);
  }

  async revokeHandle(handle: string, { now, tombstoneUntil }: End): Promise<Key | null> {
    return this.#answer("revoke_handle", toText(handle), now, tombstoneUntil);
  }

  async revokeUser(
    userId: string,
    { now, tombstoneUntil, except }: Revocation,
  ): Promise<{ readonly generation: number; readonly keys: readonly Key[] }> {
    const answer: [number, Key[]] = await this.#answer("revoke_user", toText(userId), now, tombstoneUntil, except);
    return { generation: answer[0], keys: answer[1] };
  }

  async generation(userId: string): Promise<number> {
    return this.#answer("generation", toText(userId));
  }

  async lock(
    key: Key,
    { now, lease }: { readonly now: EpochMilliseconds; readonly lease: Milliseconds },
  ): Promise<{ readonly fence: number; release(): Promise<void> } | null> {
    const held: [number, number] | null = await this.#answer("lock", key, now, lease);
    return held && { fence: held[1], release: () => this.#answer("release", ...held) };
  }

  async sweep(now: EpochMilliseconds, limit: number): Promise<number> {
    let removed = 0;
    while (removed < limit) {
      const batch = Math.min(limit - removed, SWEEP_BATCH);
      const answer: number = await this.#answer("sweep", now, batch);
      removed += answer;
      if (answer < batch) break;
    }
    return removed;
  }

  /**
   * Hears of sessions that ended, moved or (with `announceChanges`) changed in any process.
   *
   * @throws FastSessionError `ERR_SESSION_UNSUPPORTED` without the option `listen`; `ERR_SESSION_STORE` when nothing is
   * heard on its connection, as behind a pooler in transaction mode
   */
  async watch(listener: (notice: StoreNotice) => void): Promise<() => Promise<void>> {
    if (this.#feed === null) {
      throw new FastSessionError(
        "ERR_SESSION_UNSUPPORTED",
        "this PostgresStore has no feed: give it the option `listen`",
      );
    }
    return this.#feed.watch(listener);
  }

  async ping(): Promise<void> {
    await this.#answer("ping");
  }

  /** Ends the connection that listens. Your client stays open. */
  async close(): Promise<void> {
    await this.#feed?.close();
  }

  async #answer<T>(...[verb, ...values]: Parameters<Calls["answer"]>): Promise<T> {
    return (await this.#calls.answer(verb, ...values)) as T;
  }
}

function changeValues(change: Change): Argument[] {
  const { operation, now, expect, clear, remove, set, lastUsedAt, expiresAt, fence } = change;
  const removed = remove?.map(toText);
  return [
    operation,
    now,
    ...toLists(expect, toText),
    clear === true,
    removed,
    ...toLists(set, toText),
    lastUsedAt,
    expiresAt,
    fence,
  ];
}

function bindValues(bind: Bind | null | undefined): Argument[] {
  if (!bind) return Array.from({ length: 7 }, () => null);
  const { userId, metadata, maxAge, since, cap } = bind;
  return [toText(userId), JSON.stringify(metadata), maxAge, since, cap?.max, cap?.policy, cap?.tombstoneUntil];
}
