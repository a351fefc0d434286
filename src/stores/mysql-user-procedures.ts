import { behind, DEAD, end, procedure, TYPE } from "./mysql-fragments.ts";

const { key, name, user } = TYPE;

/** The procedures of the verbs that go over many records. `mysql.ts` shows what each does. */
export const USER_PROCEDURES: readonly string[] = [
  procedure({
    name: "list",
    parameters: `p_user ${user}, p_now bigint, p_bound_at bigint, p_id bigint unsigned, p_limit int`,
    body: `
  select id, handle, created_at, bound_at, last_used_at, expires_at, metadata from fastsession_sessions
  where user_id = p_user and kind = 'session' and expires_at > p_now and bound_at >= p_bound_at
    and (bound_at > p_bound_at or id > p_id)
    and generation >= coalesce((select generation from fastsession_users where user_id = p_user), 0)
  order by bound_at, id limit p_limit;
  commit;`,
  }),

  procedure({
    name: "revoke_handle",
    parameters: `p_handle ${name}, p_now bigint, p_until bigint`,
    variables: `
  declare v_key ${key};`,
    body: `
  select id, session_key, expires_at, user_id, generation into v_id, v_key, v_expires_at, v_user_id, v_generation
  from fastsession_sessions where handle = p_handle limit 1 for update;
  if ${DEAD} then
    set v_key = null;
  else
    ${end("p_until")} where id = v_id;
  end if;
  commit;
  select v_key;`,
  }),

  // The raised generation ends what the index does not know of. Locks the user first, as a login under a cap does.
  procedure({
    name: "revoke_user",
    parameters: `p_user ${user}, p_now bigint, p_until bigint, p_except ${key}`,
    body: `
  insert into fastsession_users (user_id, generation) values (p_user, 0) on duplicate key update generation = generation;
  ${behind("p_except")}
  update fastsession_users set generation = generation + 1 where user_id = p_user;
  select generation into v_generation from fastsession_users where user_id = p_user;
  if v_user_id <=> p_user then
    update fastsession_sessions set generation = v_generation where id = v_id;
  else
    set v_id = null;
  end if;
  select session_key from fastsession_sessions where user_id = p_user and kind = 'session' and expires_at > p_now
    and id <> coalesce(v_id, 0) for update;
  ${end("p_until")} where user_id = p_user and kind = 'session' and expires_at > p_now and id <> coalesce(v_id, 0);
  commit;
  select v_generation;`,
  }),

  // Rows that others hold are left to the next sweep.
  procedure({
    name: "sweep",
    parameters: "p_now bigint, p_limit int",
    variables: `
  declare v_end bool default false;
  declare v_removed int default 0;`,
    cursors: `
  declare c_expired cursor for select id from fastsession_sessions where expires_at <= p_now
    order by expires_at limit p_limit for update skip locked;
  declare continue handler for not found set v_end = true;`,
    body: `
  open c_expired;
  sweeping: loop
    fetch c_expired into v_id;
    if v_end then leave sweeping; end if;
    delete from fastsession_sessions where id = v_id;
    set v_removed = v_removed + 1;
  end loop;
  close c_expired;
  commit;
  select v_removed;`,
  }),
];
