/** Parts that the procedures share. Parameters are named `p_`, variables `v_`. */

import { MOST_HOPS } from "../core/alias-limit.ts";

const ASCII = "character set ascii collate ascii_bin";
const UNICODE = "character set utf8mb4 collate utf8mb4_bin";

/** Types of parameters and variables. Spelled out, since a database's own character set may fold case. */
export const TYPE: Readonly<Record<"key" | "name" | "list" | "json" | "sealed" | "user", string>> = {
  key: `varchar(191) ${ASCII}`,
  name: `varchar(64) ${ASCII}`,
  list: `mediumtext ${ASCII}`,
  json: `longtext ${UNICODE}`,
  sealed: `text ${UNICODE}`,
  user: "varbinary(1020)",
};

/** The columns that a verb looks at, as variables. */
const FOUND = `
  declare v_id bigint unsigned;
  declare v_kind ${TYPE.name};
  declare v_expires_at, v_version, v_generation, v_fence, v_lock_until bigint;
  declare v_user_id ${TYPE.user};
  declare v_at, v_alias_to ${TYPE.key};
  declare v_sealed_id ${TYPE.sealed};
  declare v_operations ${TYPE.list};
  declare v_fields ${TYPE.json};`;

/** Locks the row of a key and reads it. `v_id` stays null where there is none. */
export function find(key: string, data: "with data" | "without data"): string {
  const [columns, variables] = data === "with data" ? [", operations, fields", ", v_operations, v_fields"] : ["", ""];
  return `
  select id, kind, expires_at, version, user_id, generation, lock_fence, lock_until, alias_to, sealed_id${columns}
  into v_id, v_kind, v_expires_at, v_version, v_user_id, v_generation, v_fence, v_lock_until, v_alias_to,
    v_sealed_id${variables}
  from fastsession_sessions where session_key = ${key} for update;`;
}

/** Whether nothing alive was found: no row, or one that is over, or one that was bound under a lower generation. */
export const DEAD: string = `(v_id is null or v_expires_at <= p_now or exists (
    select 1 from fastsession_users u where u.user_id = v_user_id and u.generation > v_generation))`;

/** Finds the live record that a key leads to, also through aliases. `v_id` is null where there is none. */
export function behind(key: string): string {
  return `
  set v_at = ${key};
  aliases: loop
    set v_id = null;${find("v_at", "without data")}
    if ${DEAD} or v_kind not in ('session', 'alias') or v_hops = ${MOST_HOPS} then set v_id = null; leave aliases; end if;
    if v_kind = 'session' then leave aliases; end if;
    set v_at = v_alias_to, v_hops = v_hops + 1;
  end loop;`;
}

/** Ends records. What was known of them goes with them. */
export function end(until: string): string {
  return `update fastsession_sessions set kind = 'revoked', expires_at = ${until}, version = 0, created_at = null,
    last_used_at = null, rotated_at = null, handle = null, user_id = null, bound_at = null, generation = null,
    metadata = null, max_age = null, operations = null, fields = '{}'`;
}

/** Whether the record has heard of this call, and how it was answered then. */
export const REPEATED: string = "locate(concat(',', p_operation, '='), v_operations) > 0";
export const ANSWER_AGAIN: string = `
    set v_status = 'ok';
    set v_operations = substring_index(substring_index(v_operations, concat(',', p_operation, '='), -1), ',', 1);
    set v_version = substring_index(v_operations, '=', 1);
    set v_evicted = substring_index(v_operations, '=', -1);`;

/** Remembers the call among the last eight. */
export const REMEMBER: string = `
    set v_operations = concat(',', substring_index(
      concat(coalesce(v_operations, ''), ',', p_operation, '=', v_version, '=', v_evicted), ',', -8));`;

/** Refusals of a change, as branches of an `if`. Absent are names whose removal would remove nothing. */
export const UNEXPECTED: string = `
  elseif v_fence > p_fence then
    set v_status = 'fenced';
  elseif not json_contains(v_fields, p_equal)
      or json_length(json_merge_patch(v_fields, p_absent)) <> json_length(v_fields) then
    set v_status = 'conflict';
    set v_current = v_fields;`;

/** Applies the patch, in which a null removes. A text that fills a packet could not be read again, or comes out null. */
export const APPLY: string = `
    if p_patch is not null then
      set v_fields = json_merge_patch(if(p_clear, '{}', v_fields), p_patch);
      if v_fields is null or length(v_fields) > @@max_allowed_packet - 65536 then
        signal sqlstate '45000' set message_text = 'the session outgrew max_allowed_packet';
      end if;
      set v_version = v_version + 1;
    end if;`;

/** Logins of one user under a cap come one after the other. Taken before any session's lock, as `revoke_user` does. */
export const LOCK_USER: string = `
  if p_cap is not null then
    insert into fastsession_users (user_id, generation) values (p_user, 0) on duplicate key update generation = generation;
  end if;`;

/** The user's other live sessions. */
const OTHERS = `fastsession_sessions where user_id = p_user and kind = 'session' and expires_at > p_now
          and generation >= v_generation and id <> coalesce(v_id, 0)`;

/** Decides whether a login is admitted, and who has to go for it. \`v_id\` is the record itself, or null. */
export const ADMIT: string = `
    if p_user is not null then
      select coalesce(max(generation), 0) into v_generation from fastsession_users where user_id = p_user;
      if p_since < v_generation then
        set v_status = 'revoked';
      elseif p_cap is not null then
        select count(*) + 1 - p_cap into v_surplus from ${OTHERS};
        if v_surplus > 0 and p_policy = 'reject' then
          set v_status = 'cap';
        end if;
      end if;
    end if;`;

/** The sessions that have to go: in the order of their logins, or of their last use. */
export const SURPLUS: string = `
  declare c_surplus cursor for select id, session_key from ${OTHERS}
    order by if(p_policy = 'evict-idle', last_used_at, bound_at), bound_at, id limit v_surplus for update;
  declare continue handler for not found set v_end = true;`;

export const EVICT: string = `
    if v_surplus > 0 then
      set v_end = false; -- a key that was not found ends a loop as well
      open c_surplus; -- and lock them: who went while his lock was waited for has made room
      select count(*) + 1 - p_cap into v_surplus from ${OTHERS};
      evicting: loop
        fetch c_surplus into v_other, v_key;
        if v_end or v_surplus <= 0 then leave evicting; end if;
        set v_surplus = v_surplus - 1;
        ${end("p_evicted_until")} where id = v_other;
        set v_evicted = concat(v_evicted, if(v_evicted = '', '', ' '), v_key);
      end loop;
      close c_surplus;
    end if;`;

interface Procedure {
  readonly name: string;
  readonly parameters: string;
  readonly variables?: string;
  /** Declared after the variables, as SQL asks. */
  readonly cursors?: string;
  readonly body: string;
}

/**
 * A procedure that is one transaction. Read committed, so that it waits for rows and for no gaps between them; every
 * row it decides by is locked or belongs to a locked user. An error undoes it whole.
 */
export function procedure({ name, parameters, variables = "", cursors = "", body }: Procedure): string {
  return `create procedure if not exists fastsession_v1_${name}(${parameters})
sql security invoker
begin
  declare v_status ${TYPE.name} default null;
  declare v_hops int default 0;${FOUND}${variables}${cursors}
  declare exit handler for sqlexception begin rollback; resignal; end;
  set transaction isolation level read committed;
  start transaction;${body}
end`;
}
