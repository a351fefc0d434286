/**
 * Everything that `SqliteStore` says to SQLite. The tables are in `sqlite-schema.ts`.
 *
 * | verb | statements, those of a writing verb between `begin immediate` and `commit` |
 * | --- | --- |
 * | load | `load` |
 * | create | `find`, `drop` if expired, with `bind` ADMIT, `insert`, `set` a field |
 * | commit | `find`, `field` an expected name, `clear`, `unset` a name, `set` a name, `use` or `extend` |
 * | renew | `renew` |
 * | rotate | `find` both keys, `drop` if the new one expired, `field`, ADMIT, `clear`, `unset`, `set`, `move`, `bind`, `leave` |
 * | destroy | `find` through aliases, `end` |
 * | listByUser | `ofUser` |
 * | revokeHandle | `named`, `end` |
 * | revokeUser | `find` through aliases for `except`, `raise`, `stamp`, `endUser` |
 * | generation | `generation` |
 * | sweep | `sweep`, 200 at a time |
 * | ping | `ping` |
 *
 * ADMIT is `generation` and, with a cap, `ofUser` and an `end` for each that is evicted.
 */

/** Whether the record `s` was bound under a lower generation than its user's: it is gone. */
const OUTDATED =
  "exists (select 1 from fastsession_users u where u.user_id = s.user_id and u.generation > s.generation)";

/** Parameters: now. */
const LIVE = `s.kind = 'session' and s.expires_at > ? and not ${OUTDATED}`;

/** Parameters: the tombstone's deadline. A trigger removes the fields. */
const ENDED = `kind = 'revoked', expires_at = ?, version = 0, created_at = null, last_used_at = null,
  rotated_at = null, handle = null, user_id = null, bound_at = null, generation = null, metadata = null, max_age = null`;

export const SQL = {
  /**
   * The fields come as one string, name and text by turns. A row a field, or a second statement, takes twice the time
   * for a small session (`libsql` 23 µs against 11), and two statements could see two states of the file.
   */
  load: `select s.kind, s.expires_at, s.version, s.created_at, s.last_used_at,
    s.rotated_at, s.handle, s.user_id, s.bound_at, s.generation, s.metadata, s.max_age, s.alias_to, s.sealed_id, ${OUTDATED} as outdated,
    (select group_concat(f.name || char(31) || f.text, char(31)) from fastsession_fields f where f.session = s.id) as fields
    from fastsession_sessions s where s.key = ?` as string,

  find: `select s.id, s.kind, s.expires_at, s.version, s.last_used_at, s.user_id, s.alias_to, s.sealed_id,
    ${OUTDATED} as outdated from fastsession_sessions s where s.key = ?` as string,
  named: `select s.id, s.key from fastsession_sessions s where s.handle = ? and ${LIVE}` as string,

  insert: `insert into fastsession_sessions (key, kind, version, created_at, last_used_at, rotated_at,
    expires_at, handle, user_id, bound_at, generation, metadata, max_age)
    values (?, 'session', 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id`,
  leave: "insert into fastsession_sessions (key, kind, expires_at, alias_to, sealed_id) values (?, ?, ?, ?, ?)",
  drop: "delete from fastsession_sessions where id = ?",

  field: "select text from fastsession_fields where session = ? and name = ?",
  clear: "delete from fastsession_fields where session = ?",
  unset: "delete from fastsession_fields where session = ? and name = ?",
  set: `insert into fastsession_fields (session, name, text) values (?, ?, ?)
    on conflict (session, name) do update set text = excluded.text`,

  /** Leaves the deadline alone, and with it an index. */
  use: "update fastsession_sessions set version = ?, last_used_at = ? where id = ?",
  extend: "update fastsession_sessions set version = ?, last_used_at = ?, expires_at = ? where id = ?",
  renew: `update fastsession_sessions as s set last_used_at = max(last_used_at, ?), expires_at = max(expires_at, ?)
    where s.key = ? and ${LIVE}` as string,
  move: `update fastsession_sessions set key = ?, version = ?, created_at = coalesce(?, created_at), last_used_at = ?,
    rotated_at = ?, expires_at = ? where id = ?`,
  bind: `update fastsession_sessions set user_id = ?, bound_at = ?, generation = ?, metadata = ?, max_age = ?
    where id = ?`,
  end: `update fastsession_sessions set ${ENDED} where id = ?` as string,

  /** In the order of the logins, from the one after (bound_at, id). A limit below 0 is none. */
  ofUser: `select s.id, s.key, s.handle, s.created_at, s.bound_at, s.last_used_at, s.expires_at, s.metadata
    from fastsession_sessions s where s.user_id = ? and ${LIVE} and (s.bound_at, s.id) > (?, ?)
    order by s.bound_at, s.id limit ?` as string,
  generation: "select generation from fastsession_users where user_id = ?",
  raise: `insert into fastsession_users (user_id, generation) values (?, 1)
    on conflict (user_id) do update set generation = generation + 1 returning generation`,
  stamp: "update fastsession_sessions set generation = ? where id = ?",
  endUser: `update fastsession_sessions set ${ENDED}
    where user_id = ? and kind = 'session' and expires_at > ? and id <> ? returning key` as string,

  sweep: `delete from fastsession_sessions where id in
    (select id from fastsession_sessions where expires_at <= ? order by expires_at limit ?)`,
  ping: "select version from fastsession_schema",
};
