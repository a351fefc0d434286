/**
 * The tables of `PostgresStore`. `@name` stands for `fastsession_name` in the schema of the options.
 *
 * A record's fields hang on its number, so that a rotation changes a key and moves nothing, and a field is a row, so that
 * a counter beside 100 KB costs what a counter costs. All instants are milliseconds since 1970.
 */
const TABLES = `
create table if not exists @sessions (
  id bigint generated always as identity primary key,
  key text collate "C" not null unique,
  kind text not null check (kind in ('session', 'alias', 'rotated', 'revoked')), -- the last two: a tombstone's reason
  expires_at bigint not null,
  version bigint not null default 0,
  created_at bigint,
  last_used_at bigint,
  rotated_at bigint,
  handle text collate "C",
  user_id text collate "C",
  bound_at bigint,
  generation bigint,
  metadata text, -- JSON
  max_age double precision,
  alias_to text collate "C",
  sealed_id text,
  operations text[], -- the last eight that were applied, the newest first
  versions bigint[], -- what each of them answered
  evicted text[], -- the last operation that evicted somebody, then the keys
  fence bigint not null default 0,
  leased_until bigint
) with (fillfactor = 80);
create index if not exists fastsession_expiry on @sessions (expires_at);
create index if not exists fastsession_handle on @sessions (handle) where handle is not null;
create index if not exists fastsession_user on @sessions (user_id, bound_at, id) where user_id is not null;

create table if not exists @fields (
  session bigint not null,
  name text collate "C" not null,
  text text collate "C" not null,
  primary key (session, name)
) with (fillfactor = 80);

-- Of users whose sessions were revoked or capped. A generation only ever rises.
create table if not exists @users (
  user_id text collate "C" primary key,
  generation bigint not null
) with (fillfactor = 80);
`;

/**
 * Fields go with their record, whoever deletes it: once a statement, and no check when a field is written, which a
 * foreign key would make.
 */
const TRIGGER = `
create or replace function @v1_deleted() returns trigger language plpgsql as $$
begin
  delete from @fields f using gone where f.session = gone.id;
  return null;
end $$;
drop trigger if exists fastsession_deleted on @sessions;
create trigger fastsession_deleted after delete on @sessions referencing old table as gone
  for each statement execute function @v1_deleted();
`;

/** For people who query; the store reads neither. A text that is no JSON, or that `jsonb` refuses, is null here. */
const VIEW = `
create or replace function @json(p_text text) returns jsonb language plpgsql immutable strict parallel safe as $$
begin
  return p_text::jsonb;
exception when others then
  return null;
end $$;
create or replace view @data as
select s.handle, s.user_id, to_timestamp(s.created_at / 1000.0) as created_at,
  to_timestamp(s.last_used_at / 1000.0) as last_used_at, to_timestamp(s.expires_at / 1000.0) as expires_at,
  @json(s.metadata) as metadata, f.name, @json(f.text) as value
from @sessions s left join @fields f on f.session = s.id
where s.kind = 'session'
  and not exists (select 1 from @users u where u.user_id = s.user_id and u.generation > s.generation);
`;

export const SCHEMA: string = TABLES + TRIGGER + VIEW;
