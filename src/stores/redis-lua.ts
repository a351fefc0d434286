/**
 * Lua that the scripts of `RedisStore` are made of. A script begins with the parts it uses and nothing else: Redis keeps
 * it compiled, and a call only makes the closures.
 *
 * A record is a HASH. A field of the data is `:name`; what belongs to the record itself has one letter:
 *
 * | | | | |
 * | --- | --- | --- | --- |
 * | `v` version | `c` created | `l` last use | `e` deadline |
 * | `r` since when under this key | `h` handle | `o`, `p` the last 8 operations | `y` whom its cap ended |
 * | `u` routing tag and user | `b` bound at | `g` generation | `m` metadata, JSON |
 * | `x` maxAge | `f` fence | `k` lease until | `q` the handle's pointer is good until |
 * | `t` a tombstone and why | `a` an alias to | `i` its sealed id | `w` version that a rotation answered |
 *
 * Numbers are kept as the texts that came: Lua 5.1 prints what has more than 14 digits in another form, so no key and no
 * text is ever made of a Lua number but by `text`. (An argument of `redis.call` may be one: it is written with 17 digits.)
 *
 * A script reads every key it needs before it writes the first. While Redis Cluster moves a slot, some keys of it are
 * here and some are not, and touching one that is not ends the script where it stands.
 */

import { MOST_HOPS } from "../core/alias-limit.ts";

/** How long Redis keeps what is past its deadline: the caller's clock decides, and it may be behind. Milliseconds. */
export const GRACE = 60_000;

/** Keys. They are made from one that was declared, so that a prefix which the client adds is in them too. */
export const KEYS = `
local call, sub = redis.call, string.sub
local function pre(k) return sub(k, 1, string.find(k, '{', 1, true) - 1) end
local function keyOf(k)
  local at = string.find(k, '{', 1, true)
  return 'v1.' .. sub(k, at + 1, at + 3) .. '.' .. sub(k, at + 8)
end
local function recordOf(k, key) return pre(k) .. '{' .. sub(key, 4, 6) .. '}:s:' .. sub(key, 8) end
local function ofUser(k, kind, u) return pre(k) .. '{' .. sub(u, 1, 3) .. '}:' .. kind .. ':' .. sub(u, 4) end
local function text(number) return string.format('%.0f', number) end
local function left(instant, now) return math.max(math.ceil(instant - now), 0) + ${GRACE} end
` as string;

/** Finds a record: its fields, and what refuses a verb (0: gone; a table: moved). */
export const FIND = `
local V, E, T, A, I, U, G, L, O, P, F, B, H, Q = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
local function find(k, now)
  local r = call('HMGET', k, 'v', 'e', 't', 'a', 'i', 'u', 'g', 'l', 'o', 'p', 'f', 'b', 'h', 'q')
  if not r[E] or r[T] or tonumber(r[E]) <= now then return r, 0 end
  if r[A] then return r, {'moved', r[A], r[I]} end
  if r[U] then
    local generation = call('GET', ofUser(k, 'g', r[U]))
    if generation and tonumber(generation) > tonumber(r[G]) then return r, 0 end
  end
  return r
end
`;

/**
 * The live record behind a key, through aliases. Those of another slot cannot be followed here: the key to go on with is
 * the third answer.
 */
export const BEHIND = `
local function behind(k, now)
  for _ = 0, ${MOST_HOPS} do
    local r, refused = find(k, now)
    if not refused then return k, r end
    if refused == 0 then return nil end
    local to = recordOf(k, refused[2])
    if sub(keyOf(k), 1, 6) ~= sub(refused[2], 1, 6) then return nil, nil, refused[2] end
    k = to
  end
end
` as string;

/**
 * Ends a record. ZREM and DEL come first: they are allowed when memory is full, and after a script's first write Redis
 * refuses it nothing more, so that a logout works then too.
 */
export const FINISH = `
local function tell(channel, what, keys)
  if #keys > 0 then call('PUBLISH', channel, what .. ' ' .. table.concat(keys, ' ')) end
end
local function finish(k, u, tombstone, now)
  if u then call('ZREM', ofUser(k, 'u', u), keyOf(k)) end
  call('DEL', k)
  if tonumber(tombstone) > now then
    call('HSET', k, 't', 'revoked', 'e', tombstone)
    call('PEXPIRE', k, left(tonumber(tombstone), now))
  end
end
`;

/**
 * The public name of a bound session leads to its user. That is a key in another slot: on a server without slots it is
 * set here, else by a call of its own (`apart`), which is repeated in time even if one of them gets lost.
 */
export const POINT = `
local function good(e, now) return text(now + 2 * math.max(math.ceil(tonumber(e) - now), 0)) end
local function point(k, h, u, e, now, apart)
  if apart == '' then call('SET', pre(k) .. '{' .. h .. '}:h', u, 'PX', 3 * left(tonumber(e), now)) end
end
`;

/** Whether a key is free, made so if what it holds has expired. */
export const FREE = `
local function free(k, now)
  local e = call('HGET', k, 'e')
  if e and tonumber(e) > now then return false end
  if e then call('DEL', k) end
  return true
end
`;

/**
 * Lets a login in: answers the user's generation and whom the cap ended, or why not. Arguments from \`n\`: user, since,
 * max, policy, tombstone, metadata, maxAge.
 */
export const ADMIT = `
local function admit(k, n, now, own)
  local u, since, max, policy = ARGV[n], ARGV[n + 1], ARGV[n + 2], ARGV[n + 3]
  local index = ofUser(k, 'u', u)
  local generation = call('GET', ofUser(k, 'g', u)) or '0'
  if since ~= '' and tonumber(since) < tonumber(generation) then return nil, 'revoked' end
  local ended = {}
  if max == '' then
    for _, key in ipairs(call('ZRANDMEMBER', index, 4)) do
      if call('HGET', recordOf(k, key), 'u') ~= u then call('ZREM', index, key) end
    end
    return generation, ended
  end
  local alive = {}
  for order, key in ipairs(call('ZRANGE', index, 0, -1)) do
    local other = recordOf(k, key)
    local r = call('HMGET', other, 'u', 'e', 'g', policy == 'evict-idle' and 'l' or 'b', 't', 'a')
    if r[1] ~= u or r[5] or r[6] then call('ZREM', index, key)
    elseif other ~= own and tonumber(r[2]) > now and tonumber(r[3]) >= tonumber(generation) then
      alive[#alive + 1] = {other, key, tonumber(r[4]), order}
    end
  end
  local surplus = #alive + 1 - tonumber(max)
  if surplus <= 0 then return generation, ended end
  if policy == 'reject' then return nil, 'cap' end
  table.sort(alive, function(one, two)
    if one[3] ~= two[3] then return one[3] < two[3] end
    return one[4] < two[4]
  end)
  for at = 1, math.min(surplus, #alive) do
    finish(alive[at][1], u, ARGV[n + 4], now)
    ended[at] = alive[at][2]
  end
  return generation, ended
end
local function enlist(k, u, boundAt, ttl)
  local index = ofUser(k, 'u', u)
  call('ZADD', index, boundAt, keyOf(k))
  if call('PTTL', index) < ttl then call('PEXPIRE', index, ttl) end
end
`;

/**
 * A change. Arguments from \`n\`: fence, clear, lastUsedAt, expiresAt, how many expected, how many removed, then name,
 * whether there, text for each expected; names removed; names and texts that are set, to the end.
 */
export const CHANGE = `
local function conflict(k, n, r)
  if ARGV[n] ~= '' and r[F] and tonumber(r[F]) > tonumber(ARGV[n]) then return {'conflict'} end
  local answer
  for at = n + 6, n + 5 + 3 * tonumber(ARGV[n + 4]), 3 do
    local text = call('HGET', k, ARGV[at])
    if text ~= (ARGV[at + 1] == '1' and ARGV[at + 2]) then
      answer = answer or {'conflict'}
      answer[#answer + 1] = ARGV[at]
      answer[#answer + 1] = text
    end
  end
  return answer
end
local function drop(k, names, first, last)
  for at = first, last, 4000 do call('HDEL', k, unpack(names, at, math.min(at + 3999, last))) end
end
local function later(old, new) return new ~= '' and tonumber(new) > tonumber(old) and new or old end
local function add(name, text) ARGV[#ARGV + 1] = name; ARGV[#ARGV + 1] = text end
local function put(k, first)
  for at = first, #ARGV, 4000 do call('HSET', k, unpack(ARGV, at, math.min(at + 3999, #ARGV))) end
end
local function apply(k, n, r, operation)
  local sets = n + 6 + 3 * tonumber(ARGV[n + 4])
  local removes = tonumber(ARGV[n + 5])
  local version = tonumber(r[V])
  if ARGV[n + 1] == '' and removes == 0 and sets > #ARGV then return version, sets end
  if ARGV[n + 1] ~= '' then
    local names = {}
    for _, name in ipairs(call('HKEYS', k)) do if sub(name, 1, 1) == ':' then names[#names + 1] = name end end
    drop(k, names, 1, #names)
  end
  drop(k, ARGV, sets, sets + removes - 1)
  local operations = operation .. (r[O] or '') .. (r[P] or '')
  version = version + 1
  add('v', text(version))
  add('o', sub(operations, 1, 44))
  if #operations > 44 then add('p', sub(operations, 45, 88)) end
  return version, sets + removes
end
local function applied(r, operation)
  local operations = (r[O] or '') .. (r[P] or '')
  for at = 1, #operations, 11 do
    if sub(operations, at, at + 10) == operation then return tonumber(r[V]) - (at - 1) / 11 end
  end
end
` as string;
