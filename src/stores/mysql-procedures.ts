import {
  ADMIT,
  ANSWER_AGAIN,
  APPLY,
  behind,
  DEAD,
  end,
  EVICT,
  find,
  LOCK_USER,
  procedure,
  REMEMBER,
  REPEATED,
  SURPLUS,
  TYPE,
  UNEXPECTED,
} from "./mysql-fragments.ts";

const { key, name, list, json, sealed, user } = TYPE;

const CHANGE = `p_now bigint, p_operation ${name}, p_equal ${json}, p_absent ${json},
  p_clear bool, p_patch ${json}, p_last_used_at bigint, p_expires_at bigint, p_fence bigint`;

const BIND = `p_user ${user}, p_metadata ${json}, p_max_age double, p_since bigint, p_cap int,
  p_policy ${name}, p_evicted_until bigint`;

const ANSWER = `
  declare v_evicted ${list} default '';
  declare v_current ${json};`;

const BINDING = `
  declare v_surplus, v_other bigint default 0;
  declare v_key ${key};
  declare v_end bool default false;`;

/** The procedures of the verbs that write one record. `mysql.ts` shows what each does. */
export const PROCEDURES: readonly string[] = [
  procedure({
    name: "create",
    parameters: `p_key ${key}, p_now bigint, p_operation ${name}, p_fields ${json}, p_created_at bigint,
  p_last_used_at bigint, p_expires_at bigint, p_handle ${name}, ${BIND}`,
    variables: ANSWER + BINDING,
    cursors: SURPLUS,
    body: `${LOCK_USER}${find("p_key", "with data")}
  if v_expires_at <= p_now then
    delete from fastsession_sessions where id = v_id;
    set v_id = null, v_operations = null;
  end if;
  if v_id is not null and v_kind = 'session' and ${REPEATED} then${ANSWER_AGAIN}
  elseif v_id is not null then
    set v_status = 'duplicate';
  else${ADMIT}
    if v_status is null then${EVICT}
      set v_version = 1, v_operations = null;${REMEMBER}
      insert into fastsession_sessions (session_key, kind, expires_at, version, created_at, last_used_at, rotated_at,
        handle, user_id, bound_at, generation, metadata, max_age, operations, fields)
      values (p_key, 'session', p_expires_at, v_version, p_created_at, p_last_used_at, p_now, p_handle, p_user,
        if(p_user is null, null, p_now), if(p_user is null, null, v_generation), p_metadata, p_max_age, v_operations,
        p_fields);
      set v_status = 'ok';
    end if;
  end if;
  commit;
  select v_status, v_version, v_evicted;`,
  }),

  procedure({
    name: "commit",
    parameters: `p_key ${key}, ${CHANGE}`,
    variables: ANSWER,
    body: `${find("p_key", "with data")}
  if ${DEAD} or v_kind not in ('session', 'alias') then
    set v_status = 'gone';
  elseif v_kind = 'alias' then
    set v_status = 'moved';
  elseif ${REPEATED} then${ANSWER_AGAIN}${UNEXPECTED}
  else${APPLY}${REMEMBER}
    update fastsession_sessions set fields = v_fields, version = v_version, operations = v_operations,
      last_used_at = greatest(last_used_at, coalesce(p_last_used_at, 0)),
      expires_at = greatest(expires_at, coalesce(p_expires_at, 0))
    where id = v_id;
    set v_status = 'ok';
  end if;
  commit;
  select v_status, v_version, v_evicted, v_alias_to, v_sealed_id, v_current;`,
  }),

  procedure({
    name: "renew",
    parameters: `p_key ${key}, p_now bigint, p_last_used_at bigint, p_expires_at bigint`,
    body: `${find("p_key", "without data")}
  if ${DEAD} or v_kind <> 'session' then
    set v_status = 'gone';
  else
    update fastsession_sessions set last_used_at = greatest(last_used_at, p_last_used_at),
      expires_at = greatest(expires_at, p_expires_at)
    where id = v_id;
    set v_status = 'ok';
  end if;
  commit;
  select v_status;`,
  }),

  procedure({
    name: "rotate",
    parameters: `p_old ${key}, p_new ${key}, ${CHANGE},
  p_created_at bigint, p_leave ${name}, p_leave_until bigint, p_alias_to ${key}, p_sealed_id ${sealed},
  p_rebind bool, ${BIND}`,
    variables: `${ANSWER}${BINDING}
  declare v_taken bigint unsigned;
  declare v_taken_until bigint;`,
    cursors: SURPLUS,
    body: `${LOCK_USER}${find("p_old", "with data")}
  if v_id is not null then
    select id, expires_at into v_taken, v_taken_until from fastsession_sessions where session_key = p_new for update;
  end if;
  if v_id is not null and v_expires_at > p_now and v_kind <> 'session' and ${REPEATED} then${ANSWER_AGAIN}
  elseif ${DEAD} or v_kind not in ('session', 'alias') then
    set v_status = 'gone';
  elseif v_kind = 'alias' then
    set v_status = 'moved';
  elseif v_taken_until > p_now then
    set v_status = 'duplicate';${UNEXPECTED}
  else${ADMIT}
    if v_status is null then${EVICT}${APPLY}
      delete from fastsession_sessions where id = v_taken;${REMEMBER}
      update fastsession_sessions set session_key = p_new, fields = v_fields, version = v_version, rotated_at = p_now,
        operations = v_operations, created_at = coalesce(p_created_at, created_at),
        last_used_at = greatest(last_used_at, coalesce(p_last_used_at, 0)),
        expires_at = if(p_created_at is null, greatest(expires_at, coalesce(p_expires_at, 0)),
          coalesce(p_expires_at, expires_at))
      where id = v_id;
      if p_rebind then
        update fastsession_sessions set user_id = p_user, bound_at = if(p_user is null, null, p_now),
          generation = if(p_user is null, null, v_generation), metadata = p_metadata, max_age = p_max_age
        where id = v_id;
      end if;
      set v_operations = null;${REMEMBER}
      insert into fastsession_sessions (session_key, kind, expires_at, alias_to, sealed_id, operations, fields)
      values (p_old, p_leave, p_leave_until, p_alias_to, p_sealed_id, v_operations, '{}');
      set v_status = 'ok';
    end if;
  end if;
  commit;
  select v_status, v_version, v_evicted, v_alias_to, v_sealed_id, v_current;`,
  }),

  procedure({
    name: "destroy",
    parameters: `p_key ${key}, p_now bigint, p_until bigint`,
    body: `${behind("p_key")}
  if v_id is not null then
    ${end("p_until")} where id = v_id;
    set v_status = 'ok';
  end if;
  commit;
  select v_status;`,
  }),

  procedure({
    name: "lock",
    parameters: `p_key ${key}, p_now bigint, p_until bigint`,
    body: `${behind("p_key")}
  if v_id is null then
    set v_fence = 0;
  elseif v_lock_until > p_now then
    set v_fence = null;
  else
    set v_fence = v_fence + 1;
    update fastsession_sessions set lock_fence = v_fence, lock_until = p_until where id = v_id;
  end if;
  commit;
  select v_fence, v_id;`,
  }),
];
