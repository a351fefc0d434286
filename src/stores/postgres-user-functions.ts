/** What runs in the database for each verb on a user's sessions. The pieces in capitals are in `postgres-fragments.ts`. */
import { end, LIVE } from "./postgres-fragments.ts";

export const USER_PARAMETERS = {
  list: "user text, now bigint, bound bigint, id bigint, count bigint",
  revoke_handle: "handle text, now bigint, until bigint",
  revoke_user: "user text, now bigint, until bigint, except text",
  generation: "user text",
} as const;

/** In the order of the logins, from the one after (bound, id). */
const LIST = `
begin
  return (select coalesce(json_agg(json_build_array(l.id, l.handle, l.created_at, l.bound_at, l.last_used_at, l.expires_at,
      l.metadata) order by l.bound_at, l.id), '[]')::text from (
    select s.* from @sessions s where s.user_id = p_user and ${LIVE} and (s.bound_at, s.id) > (p_bound, p_id)
      order by s.bound_at, s.id limit p_count) l);
end`;

const REVOKE_HANDLE = `
declare
  v_id bigint;
  v_key text;
begin
  select s.id, s.key into v_id, v_key from @sessions s where s.handle = p_handle and ${LIVE} for no key update of s;
  if v_id is null then return 'null'; end if;
  ${end("array[v_id]", "p_until")}
  perform pg_notify(@channel, 'revoked ' || v_key);
  return to_json(v_key)::text;
end`;

/** The higher generation alone ends the sessions; the rest says so under each key and empties the list. */
const REVOKE_USER = `
declare
  v_generation bigint;
  v_spared bigint;
  v_ids bigint[];
  v_keys text[];
begin
  perform @v1_enter(p_user, 0);
  -- While its generation counts, and after the user's row: a login locks in the same order.
  if p_except is not null then v_spared := @v1_behind(p_except, p_now); end if;
  update @users set generation = generation + 1 where user_id = p_user returning generation into v_generation;
  update @sessions set generation = v_generation where id = v_spared and user_id = p_user;
  select array_agg(l.id), array_agg(l.key) into v_ids, v_keys from (
    select s.id, s.key from @sessions s where s.user_id = p_user and s.kind = 'session' and s.expires_at > p_now
      and s.generation < v_generation for no key update) l;
  if v_ids is not null then
    ${end("v_ids", "p_until")}
    perform @v1_tell('revoked', v_keys);
  end if;
  return json_build_array(v_generation, coalesce(to_json(v_keys), '[]'))::text;
end`;

const GENERATION = `
begin
  return coalesce((select u.generation from @users u where u.user_id = p_user), 0)::text;
end`;

/**
 * The user's generation at a login. With a cap, logins of one user wait for each other here; the row is written so that
 * under stricter isolation levels than READ COMMITTED one that waited is refused, and does not count an old snapshot.
 */
const ENTER = `
create or replace function @v1_enter(p_user text, p_cap bigint) returns bigint language plpgsql as $$
declare
  v_generation bigint;
begin
  if p_cap is null then
    select u.generation into v_generation from @users u where u.user_id = p_user;
  else
    insert into @users as u (user_id, generation) values (p_user, 0)
      on conflict (user_id) do update set generation = u.generation returning u.generation into v_generation;
  end if;
  return coalesce(v_generation, 0);
end $$;`;

/** Whether a login is admitted, and who must go for it. `p_self`: the record that is rotated. */
const ADMIT = `
create or replace function @v1_admit(p_user text, p_generation bigint, p_now bigint, p_since bigint, p_cap bigint,
  p_policy text, p_self bigint, out why text, out ids bigint[], out keys text[]) language plpgsql as $$
declare
  v_surplus bigint;
begin
  if p_since < p_generation then
    why := 'revoked';
  elsif p_cap is not null then
    select count(*) + 1 - p_cap into v_surplus from @sessions s
      where s.user_id = p_user and ${LIVE} and s.id is distinct from p_self;
    if v_surplus <= 0 then return; end if;
    if p_policy = 'reject' then why := 'cap'; return; end if;
    select array_agg(l.id), array_agg(l.key) into ids, keys from (
      select s.id, s.key from @sessions s where s.user_id = p_user and ${LIVE} and s.id is distinct from p_self
        order by case when p_policy = 'evict-idle' then s.last_used_at end, s.bound_at, s.id limit v_surplus
        for no key update of s) l;
    -- Who went while his lock was waited for has made room.
    select count(*) + 1 - p_cap into v_surplus from @sessions s
      where s.user_id = p_user and ${LIVE} and s.id is distinct from p_self;
    ids := ids[1:v_surplus];
    keys := keys[1:v_surplus];
  end if;
end $$;`;

export const USER_HELPERS: string = ENTER + ADMIT;

export const USER_BODIES: { readonly [Verb in keyof typeof USER_PARAMETERS]: string } = {
  list: LIST,
  revoke_handle: REVOKE_HANDLE,
  revoke_user: REVOKE_USER,
  generation: GENERATION,
};
