/** Pieces that several functions in the database share. */

/** Whether the record `s` was bound under a lower generation than its user's: it is gone. */
export const OUTDATED = "exists (select 1 from @users u where u.user_id = s.user_id and u.generation > s.generation)";

export const LIVE: string = `s.kind = 'session' and s.expires_at > p_now and not ${OUTDATED}`;

export const GONE = `'{"ok":false,"reason":"gone"}'`;

/**
 * Reads and locks what stands under a key into `r`. A lock that was waited for may turn out to be of a row that
 * moved to another key meanwhile: then nothing is found, and a second look, with a snapshot of its own, sees what was left.
 */
export function find(key: string): string {
  return `for v_look in 1..2 loop
    select s.*, ${OUTDATED} as outdated into r from @sessions s where s.key = ${key} for no key update of s;
    exit when found;
  end loop;`;
}

/** Refuses unless `r` is a live record. */
export const REFUSE: string = `if r.id is null or r.expires_at <= p_now or r.outdated or r.kind in ('rotated', 'revoked') then
    return ${GONE};
  elsif r.kind = 'alias' then
    return json_build_object('ok', false, 'reason', 'moved', 'to', r.alias_to, 'sealedId', r.sealed_id)::text;
  end if;`;

/** Refuses the holder of an outlived lease, and who expects other texts than there are. */
export const EXPECT: string = `if p_fence < r.fence then
    return '{"ok":false,"reason":"conflict","current":{}}';
  elsif p_expect is not null then
    select json_object_agg(e.name, f.text)::text into v_current from unnest(p_expect, p_expected) e (name, text)
      left join @fields f on f.session = r.id and f.name = e.name where f.text is distinct from e.text;
    if v_current is not null then
      return '{"ok":false,"reason":"conflict","current":' || v_current || '}';
    end if;
  end if;`;

/** Applies a change to the fields of `r`. Answers in `v_version`. */
export const APPLY: string = `v_version := r.version;
  if p_clear or p_remove is not null or p_names is not null then
    v_version := r.version + 1;
    if p_clear then
      delete from @fields where session = r.id;
    elsif p_remove is not null then
      delete from @fields where session = r.id and name = any (p_remove);
    end if;
    if p_names is not null then
      insert into @fields (session, name, text) select r.id, n.name, n.text from unnest(p_names, p_texts) n (name, text)
        on conflict (session, name) do update set text = excluded.text;
    end if;
  end if;`;

/** The keys in `v_keys` as JSON. */
export const EVICTED = `coalesce(to_json(v_keys)::text, '[]')`;

/** Ends the records whose numbers are in `ids`. Their fields go in a statement of its own, which sees the latest ones. */
export function end(ids: string, until: string): string {
  return `update @sessions set kind = 'revoked', expires_at = ${until}, version = 0, created_at = null, last_used_at = null,
      rotated_at = null, handle = null, user_id = null, bound_at = null, generation = null, metadata = null, max_age = null,
      operations = null, versions = null, evicted = null, leased_until = null where id = any (${ids});
    delete from @fields where session = any (${ids});`;
}
