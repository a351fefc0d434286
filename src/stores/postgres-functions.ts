/** What runs in the database for each verb on a record. The pieces in capitals are in `postgres-fragments.ts`. */
import { MOST_HOPS } from "../core/alias-limit.ts";
import { APPLY, end, EVICTED, EXPECT, find, LIVE, OUTDATED, REFUSE } from "./postgres-fragments.ts";

/** A function's parameters, each with its type. Named `p_…` inside. */
export const PARAMETERS = {
  load: "key text",
  create: `key text, operation text, now bigint, names text[], texts text[], created bigint, used bigint, expires bigint,
    handle text, user text, metadata text, max_age double precision, since bigint, cap bigint, policy text, until bigint`,
  commit: `key text, operation text, now bigint, expect text[], expected text[], clear boolean, remove text[],
    names text[], texts text[], used bigint, expires bigint, fence bigint, announce boolean`,
  renew: "key text, now bigint, used bigint, expires bigint",
  rotate: `old text, new text, operation text, now bigint, expect text[], expected text[], clear boolean, remove text[],
    names text[], texts text[], used bigint, expires bigint, fence bigint, created bigint, leave text, leave_until bigint,
    leave_to text, leave_sealed text, bind boolean, user text, metadata text, max_age double precision, since bigint,
    cap bigint, policy text, until bigint`,
  destroy: "key text, now bigint, until bigint",
  sweep: "now bigint, count bigint",
  lock: "key text, now bigint, lease bigint",
  release: "id bigint, fence bigint",
  echo: "payload text",
} as const;

/** One row for what stands under the key, with JSON in `text` and no name; then one for each field. */
const LOAD = `
begin
  return query
  select x.name, x.text from (
    select s.id, json_build_array(s.kind, s.expires_at, s.version, s.created_at, s.last_used_at, s.rotated_at, s.handle,
      s.user_id, s.bound_at, s.generation, s.metadata, s.max_age, s.alias_to, s.sealed_id, ${OUTDATED})::text as head
    from @sessions s where s.key = p_key
  ) h cross join lateral (
    select null::text, h.head union all select f.name, f.text from @fields f where f.session = h.id
  ) x (name, text);
end`;

const CREATE = `
declare
  r record;
  v_id bigint;
  v_generation bigint;
  v_why text;
  v_ids bigint[];
  v_keys text[];
begin
  if p_user is not null then v_generation := @v1_enter(p_user, p_cap); end if;
  loop
    select s.* into r from @sessions s where s.key = p_key for update of s;
    if found then
      if r.kind = 'session' and p_operation = any (r.operations) then
        if r.evicted[1] = p_operation then v_keys := r.evicted[2:]; end if;
        return '{"ok":true,"evicted":' || ${EVICTED} || '}';
      elsif r.expires_at > p_now then
        return '{"ok":false,"reason":"duplicate"}';
      end if;
      delete from @sessions where id = r.id;
    end if;
    if p_user is not null then
      select a.why, a.ids, a.keys into v_why, v_ids, v_keys
        from @v1_admit(p_user, v_generation, p_now, p_since, p_cap, p_policy, null) a;
      if v_why is not null then return '{"ok":false,"reason":"rejected","why":"' || v_why || '"}'; end if;
    end if;
    insert into @sessions (key, kind, version, created_at, last_used_at, rotated_at, expires_at, handle, user_id, bound_at,
        generation, metadata, max_age, operations, versions, evicted)
      values (p_key, 'session', 1, p_created, p_used, p_now, p_expires, p_handle, p_user,
        case when p_user is not null then p_now end, v_generation, p_metadata, p_max_age, array[p_operation], array[1],
        case when v_keys is not null then p_operation || v_keys end)
      on conflict (key) do nothing returning id into v_id;
    exit when v_id is not null;
  end loop;
  insert into @fields (session, name, text) select v_id, n.name, n.text from unnest(p_names, p_texts) n (name, text);
  if v_ids is not null then
    ${end("v_ids", "p_until")}
    perform @v1_tell('revoked', v_keys);
  end if;
  return '{"ok":true,"evicted":' || ${EVICTED} || '}';
end`;

const COMMIT = `
declare
  r record;
  v_current text;
  v_version bigint;
begin
  ${find("p_key")}
  ${REFUSE}
  if p_operation = any (r.operations) then
    return '{"ok":true,"version":' || r.versions[array_position(r.operations, p_operation)] || '}';
  end if;
  ${EXPECT}
  ${APPLY}
  update @sessions set version = v_version, last_used_at = greatest(last_used_at, p_used),
    expires_at = greatest(expires_at, p_expires), operations = (p_operation || r.operations)[1:8],
    versions = (v_version || r.versions)[1:8] where id = r.id;
  if p_announce then perform pg_notify(@channel, 'changed ' || p_key); end if;
  return '{"ok":true,"version":' || v_version || '}';
end`;

const RENEW = `
begin
  update @sessions s set last_used_at = greatest(s.last_used_at, p_used), expires_at = greatest(s.expires_at, p_expires)
    where s.key = p_key and ${LIVE};
  return case when found then 'true' else 'false' end;
end`;

const ROTATE = `
declare
  r record;
  v_current text;
  v_version bigint;
  v_generation bigint;
  v_why text;
  v_ids bigint[];
  v_keys text[];
  v_other record;
begin
  -- Before the record: who revokes locks in the same order.
  if p_user is not null then v_generation := @v1_enter(p_user, p_cap); end if;
  ${find("p_old")}
  if r.kind <> 'session' and p_operation = any (r.operations) then
    if r.evicted[1] = p_operation then v_keys := r.evicted[2:]; end if;
    return '{"ok":true,"version":' || r.versions[1] || ',"evicted":' || ${EVICTED} || '}';
  end if;
  ${REFUSE}
  select s.id, s.expires_at into v_other from @sessions s where s.key = p_new for update of s;
  if v_other.expires_at > p_now then return '{"ok":false,"reason":"duplicate"}'; end if;
  ${EXPECT}
  if p_user is not null then
    select a.why, a.ids, a.keys into v_why, v_ids, v_keys
      from @v1_admit(p_user, v_generation, p_now, p_since, p_cap, p_policy, r.id) a;
    if v_why is not null then return '{"ok":false,"reason":"rejected","why":"' || v_why || '"}'; end if;
  end if;
  if v_other.id is not null then delete from @sessions where id = v_other.id; end if;
  ${APPLY}
  update @sessions set key = p_new, version = v_version, created_at = coalesce(p_created, created_at),
    last_used_at = greatest(last_used_at, p_used), rotated_at = p_now,
    expires_at = case when p_created is null then greatest(expires_at, p_expires) else coalesce(p_expires, expires_at) end,
    operations = (p_operation || r.operations)[1:8], versions = (v_version || r.versions)[1:8],
    evicted = case when v_keys is null then r.evicted else p_operation || v_keys end where id = r.id;
  if p_bind is not null then
    update @sessions set user_id = p_user, bound_at = case when p_bind then p_now end, generation = v_generation,
      metadata = p_metadata, max_age = p_max_age where id = r.id;
  end if;
  insert into @sessions (key, kind, expires_at, alias_to, sealed_id, operations, versions, evicted)
    values (p_old, p_leave, p_leave_until, p_leave_to, p_leave_sealed, array[p_operation], array[v_version],
      case when v_keys is not null then p_operation || v_keys end);
  if v_ids is not null then
    ${end("v_ids", "p_until")}
    perform @v1_tell('revoked', v_keys);
  end if;
  perform pg_notify(@channel, 'rotated ' || p_old);
  return '{"ok":true,"version":' || v_version || ',"evicted":' || ${EVICTED} || '}';
end`;

const DESTROY = `
declare
  v_id bigint := @v1_behind(p_key, p_now);
  v_key text;
begin
  if v_id is null then return 'false'; end if;
  select s.key into v_key from @sessions s where s.id = v_id;
  ${end("array[v_id]", "p_until")}
  perform pg_notify(@channel, 'revoked ' || v_key);
  return 'true';
end`;

/** The numbers are chosen once, in an array: as a subquery they could be chosen again for each row. */
const SWEEP = `
declare
  v_count bigint;
begin
  delete from @sessions where id = any (array(
    select s.id from @sessions s where s.expires_at <= p_now order by s.expires_at limit p_count for update skip locked));
  get diagnostics v_count = row_count;
  return v_count::text;
end`;

/** Where there is nothing to lock, the holder's commit will hear that the session is gone. */
const LOCK = `
declare
  v_id bigint := @v1_behind(p_key, p_now);
  v_fence bigint;
begin
  if v_id is null then return '[0,0]'; end if;
  update @sessions set fence = fence + 1, leased_until = p_now + p_lease
    where id = v_id and (leased_until is null or leased_until <= p_now) returning fence into v_fence;
  return case when v_fence is null then 'null' else '[' || v_id || ',' || v_fence || ']' end;
end`;

const RELEASE = `
begin
  update @sessions set leased_until = null where id = p_id and fence = p_fence;
  return 'null';
end`;

/** How a process that listens makes sure that it hears. */
const ECHO = `
begin
  perform pg_notify(@channel, p_payload);
  return 'null';
end`;

/** The live record that a key leads to, also through aliases, locked. */
const BEHIND = `
create or replace function @v1_behind(p_key text, p_now bigint) returns bigint language plpgsql as $$
declare
  r record;
begin
  for v_hop in 0..${MOST_HOPS} loop
    ${find("p_key")}
    if r.id is null or r.expires_at <= p_now or r.outdated or r.kind in ('rotated', 'revoked') then return null; end if;
    if r.kind = 'session' then return r.id; end if;
    p_key := r.alias_to;
  end loop;
  return null;
end $$;`;

/** A notification has less than 8,000 bytes: a hundred keys of fifty fit. */
const TELL = `
create or replace function @v1_tell(p_type text, p_keys text[]) returns void language plpgsql as $$
begin
  perform pg_notify(@channel, p_type || ' ' || string_agg(b.key, ' ')) from (
    select k.key, (k.number - 1) / 100 as batch from unnest(p_keys) with ordinality k (key, number)) b group by b.batch;
end $$;`;

export const HELPERS: string = BEHIND + TELL;

export const BODIES: { readonly [Verb in keyof typeof PARAMETERS]: string } = {
  load: LOAD,
  create: CREATE,
  commit: COMMIT,
  renew: RENEW,
  rotate: ROTATE,
  destroy: DESTROY,
  sweep: SWEEP,
  lock: LOCK,
  release: RELEASE,
  echo: ECHO,
};
