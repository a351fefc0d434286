import { FastSessionError } from "../core/errors.ts";
import { type SqliteDatabase, Statement, transact } from "./sqlite-driver.ts";

const SCHEMA_VERSION = 1;

/**
 * The tables. A record's fields hang on its number, so that a rotation changes a key and moves nothing.
 *
 * Fields are removed by triggers and not by a foreign key: that would hold only on connections that switch it on, and
 * a record deleted in the `sqlite3` shell would leave its fields to the next record of that number.
 * `fastsession_data` is for people who query; the store does not read it.
 */
const SCHEMA = `
create table fastsession_schema (version integer not null) strict;

create table fastsession_sessions (
  id integer primary key,
  key text not null unique,
  kind text not null check (kind in ('session', 'alias', 'rotated', 'revoked')), -- the last two: a tombstone's reason
  expires_at integer not null, -- this and all instants: milliseconds since 1970
  version integer not null default 0,
  created_at integer,
  last_used_at integer,
  rotated_at integer,
  handle text,
  user_id text,
  bound_at integer,
  generation integer,
  metadata text check (json_type(metadata) = 'object'),
  max_age integer,
  alias_to text,
  sealed_id text
) strict;
create index fastsession_expiry on fastsession_sessions (expires_at);
create index fastsession_handle on fastsession_sessions (handle) where handle is not null;
create index fastsession_user on fastsession_sessions (user_id, bound_at) where user_id is not null;

create table fastsession_fields (
  session integer not null,
  name text not null check (instr(name, char(31)) = 0),
  text text not null check (instr(text, char(31)) = 0),
  primary key (session, name)
) strict, without rowid;

create trigger fastsession_ended after update of kind on fastsession_sessions begin
  delete from fastsession_fields where session = old.id;
end;
create trigger fastsession_deleted after delete on fastsession_sessions begin
  delete from fastsession_fields where session = old.id;
end;

create table fastsession_users (user_id text primary key, generation integer not null) strict, without rowid;

create view fastsession_data as
select s.id as session, s.handle, s.user_id, s.expires_at, f.name,
  case when json_valid(f.text) then json(f.text) end as value
from fastsession_sessions s join fastsession_fields f on f.session = s.id;

insert into fastsession_schema values (${SCHEMA_VERSION});
`;

/**
 * Makes the tables where there are none.
 *
 * @throws FastSessionError `ERR_SESSION_STORE` for tables of a later version, which are left as they are
 */
export function ensureSchema(db: SqliteDatabase): void {
  if (schemaVersion(db) === null) {
    transact(db, () => {
      // Another process may have been quicker.
      if (schemaVersion(db) === null) db.exec(SCHEMA);
    });
  }
  const version = schemaVersion(db);
  if (version === SCHEMA_VERSION) return;
  throw new FastSessionError(
    "ERR_SESSION_STORE",
    `the file's tables have version ${version} and this fastsession knows ${SCHEMA_VERSION}: update fastsession, or use another file`,
  );
}

function schemaVersion(db: SqliteDatabase): number | null {
  const made = new Statement(db.prepare("select 1 from sqlite_master where name = 'fastsession_schema'")).get();
  if (made === undefined) return null;
  return new Statement(db.prepare("select max(version) from fastsession_schema")).get()?.[0] as number;
}
