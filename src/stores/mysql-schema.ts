import { type MysqlStoreOptions, PREFIX } from "./mysql-options.ts";
import { PROCEDURES } from "./mysql-procedures.ts";
import { USER_PROCEDURES } from "./mysql-user-procedures.ts";

/**
 * The tables. A record's data is one JSON object of strings, so that texts come back as they went in; its row keeps its
 * number, so that a rotation changes a key and moves nothing. Character sets are spelled out: a server's own may fold case.
 * User ids are bytes, because no collation that compares exactly has the same name on MariaDB and MySQL.
 */
const TABLES: readonly string[] = [
  `create table if not exists fastsession_sessions (
  id bigint unsigned not null auto_increment primary key,
  session_key varchar(191) character set ascii collate ascii_bin not null,
  kind enum('session', 'alias', 'rotated', 'revoked') not null, -- the last two: a tombstone's reason
  expires_at bigint not null, -- this and all instants: milliseconds since 1970
  version bigint not null default 0,
  created_at bigint,
  last_used_at bigint,
  rotated_at bigint,
  handle varchar(64) character set ascii collate ascii_bin,
  user_id varbinary(1020),
  bound_at bigint,
  generation bigint,
  metadata mediumtext,
  max_age double,
  lock_fence bigint not null default 0,
  lock_until bigint not null default 0,
  alias_to varchar(191) character set ascii collate ascii_bin,
  sealed_id text,
  operations mediumtext character set ascii collate ascii_bin, -- the last eight: ,name=version=evicted keys
  fields longtext not null,
  unique key fastsession_key (session_key),
  key fastsession_expiry (expires_at),
  key fastsession_handle (handle),
  key fastsession_user (user_id, bound_at)
) engine = innodb row_format = dynamic default character set utf8mb4 collate utf8mb4_bin`,

  `create table if not exists fastsession_users (
  user_id varbinary(1020) not null primary key,
  generation bigint not null
) engine = innodb row_format = dynamic`,

  // For people who query; the store does not read it.
  `create or replace sql security invoker view fastsession_data as
select s.id as session, s.handle, convert(s.user_id using utf8mb4) as user_id, s.expires_at, f.name,
  json_unquote(json_extract(s.fields, concat('$.', json_quote(f.name)))) as value
from fastsession_sessions s, json_table(json_keys(s.fields), '$[*]' columns (name text path '$')) f
where s.kind = 'session'`,
];

/** What makes the tables and procedures, statement by statement. Every one may run again. */
export function migration(prefix: string): string[] {
  return [...TABLES, ...PROCEDURES, ...USER_PROCEDURES].map((sql) => prefixed(sql, prefix));
}

/** What `migration` makes: tables, the view, procedures. */
export function madeBy(statements: readonly string[]): string[] {
  return statements
    .map((sql) => /^create (?:table|procedure) if not exists (\w+)|view (\w+)/.exec(sql) ?? [])
    .map(([, name, view]) => name ?? (view as string));
}

/** The names of what is there of it, and perhaps of more. Anybody may ask who may use it. */
export const LAYOUT = `select table_name from information_schema.tables
  where table_schema = database() and table_name like 'fastsession_%'
union all select routine_name from information_schema.routines
  where routine_schema = database() and routine_name like 'fastsession_%'`;

/** A statement over tables of another prefix. */
export function prefixed(sql: string, prefix: string): string {
  return sql.replaceAll("fastsession_", prefix);
}

/** The SQL that makes the tables and procedures, for the command-line client: it changes the delimiter. */
export function migrationSql({ prefix = PREFIX }: Pick<MysqlStoreOptions, "prefix"> = {}): string {
  const statements = migration(prefix).map((sql) => `${sql}\n$$`);
  return `delimiter $$\n\n${statements.join("\n\n")}\n\ndelimiter ;\n`;
}
