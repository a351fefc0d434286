import { ADMIT, CHANGE, FIND, FINISH, FREE, KEYS, POINT } from "./redis-lua.ts";
import { Script } from "./redis-script.ts";

/**
 * Scripts of `rotate`. Their arguments: now, operation, createdAt, apart, channel; what is left (kind, deadline, alias's
 * key, sealed id); binding (7; user `` keeps it, `-` unbinds); how many of a record and the record; change.
 */

/** Puts a record that stands under `k` into its new state. → refusal, or ok, version, handle and evicted. */
const SETTLE = `
local function settle(k, old, r, now)
  local n = 18 + tonumber(ARGV[17])
  local bound, generation, ended = ARGV[10], nil, {}
  if bound ~= '' and bound ~= '-' then
    generation, ended = admit(k, 10, now, old)
    if not generation then return {'rejected', ended} end
  end
  if k ~= old then call('RENAME', old, k) end
  if ARGV[10] ~= '' and r[U] then call('HDEL', k, 'u', 'b', 'g', 'm', 'x', 'q') end
  call('HDEL', k, 'y', 'z')
  local used, e = later(r[L], ARGV[n + 2]), later(r[E], ARGV[n + 3])
  if ARGV[3] ~= '' and ARGV[n + 3] ~= '' then e = ARGV[n + 3] end
  local version, first = apply(k, n, r, ARGV[2])
  add('l', used); add('e', e); add('r', ARGV[1])
  if ARGV[3] ~= '' then add('c', ARGV[3]) end
  local u, boundAt = r[U], r[B]
  if bound == '-' then u = nil
  elseif generation then
    u, boundAt = bound, ARGV[1]
    add('u', u); add('b', boundAt); add('g', generation); add('m', ARGV[15]); add('q', good(e, now))
    if ARGV[16] ~= '' then add('x', ARGV[16]) end
  end
  put(k, first)
  local ttl = left(tonumber(e), now)
  call('PEXPIRE', k, ttl)
  if u then enlist(k, u, boundAt, ttl) end
  if generation then point(k, r[H], u, e, now, ARGV[4]) end
  table.insert(ended, 1, r[H])
  table.insert(ended, 1, version)
  table.insert(ended, 1, 'ok')
  return ended
end
` as string;

/** What stands under the old key afterwards. It remembers the answer, for a call that arrives twice. */
const LEAVE = `
local function leave(k, u, h, now, version, ended)
  if u then call('ZREM', ofUser(k, 'u', u), keyOf(k)) end
  call('DEL', k)
  call('HSET', k, 'e', ARGV[7], 'o', ARGV[2], 'w', version, 'y', ended, 'h', h)
  if ARGV[6] == 'alias' then call('HSET', k, 'a', ARGV[8], 'i', ARGV[9])
  else call('HSET', k, 't', ARGV[6]) end
  call('PEXPIRE', k, left(tonumber(ARGV[7]), now))
  tell(ARGV[5], 'rotated', {keyOf(k)})
end
local function answered(k, r)
  if r[O] ~= ARGV[2] or not (r[T] or r[A]) then return nil end
  local answer = {'ok', tonumber(call('HGET', k, 'w')), r[H]}
  for key in string.gmatch(call('HGET', k, 'y'), '%S+') do answer[#answer + 1] = key end
  return answer
end
` as string;

/** `KEYS`: old, new. One step: both keys lie in one slot, or the server has no slots. */
export const ROTATE: Script = new Script(`${KEYS}${FIND}${FINISH}${FREE}${POINT}${ADMIT}${CHANGE}${SETTLE}${LEAVE}
local old, new, now = KEYS[1], KEYS[2], tonumber(ARGV[1])
local r, refused = find(old, now)
if refused then return answered(old, r) or refused end
if not free(new, now) then return {'duplicate'} end
local answer = conflict(old, 18 + tonumber(ARGV[17]), r)
if answer then return answer end
answer = settle(new, old, r, now)
if answer[1] ~= 'ok' then return answer end
local ended = {}
for at = 4, #answer do ended[at - 3] = answer[at] end
leave(old, r[U], r[H], now, text(answer[2]), table.concat(ended, ' '))
tell(ARGV[5], 'revoked', ended)
return answer
`);

/** Across slots, 1. `KEYS`: old. → refusal, an earlier answer, or `record` or `pending` (see RETIRE) and HGETALL */
export const TAKE: Script = new Script(`${KEYS}${FIND}${FINISH}${LEAVE}
local k = KEYS[1]
local r, refused = find(k, tonumber(ARGV[1]))
if not refused then return {'record', call('HGETALL', k)} end
if call('HGET', k, 'n') == ARGV[2] then return {'pending', call('HGETALL', k)} end
return answered(k, r) or refused
`);

/**
 * Across slots, 2. `KEYS`: new. Writes the record that was taken, in its new state, or writes it again where it changed
 * since: `z` tells the own copy from anybody else's, `y` whom it has ended. → as `rotate`; 0 when the copy was ended
 */
export const COPY: Script = new Script(`${KEYS}${FIND}${FINISH}${FREE}${POINT}${ADMIT}${CHANGE}${SETTLE}
local k, now, before = KEYS[1], tonumber(ARGV[1]), ''
if call('HGET', k, 'z') == ARGV[2] then
  local r, refused = find(k, now)
  if refused then return 0 end
  before = call('HGET', k, 'y') or ''
  call('DEL', k)
elseif ARGV[6] == 'again' then return 0
elseif not free(k, now) then return {'duplicate'} end
for at = 18, 17 + tonumber(ARGV[17]), 2 do call('HSET', k, ARGV[at], ARGV[at + 1]) end
local r = call('HMGET', k, 'v', 'e', 't', 'a', 'i', 'u', 'g', 'l', 'o', 'p', 'f', 'b', 'h', 'q')
local answer = conflict(k, 18 + tonumber(ARGV[17]), r) or settle(k, k, r, now)
if answer[1] ~= 'ok' then
  call('DEL', k)
  return answer
end
local ended = {}
for at = 4, #answer do ended[at - 3] = answer[at] end
tell(ARGV[5], 'revoked', ended)
for key in string.gmatch(before, '%S+') do answer[#answer + 1], ended[#ended + 1] = key, key end
call('HSET', k, 'z', ARGV[2], 'y', table.concat(ended, ' '))
return answer
`);

/**
 * Across slots, 3. `KEYS`: old. Arguments from the 10th: the state that was copied, version and evicted of the answer,
 * whether the record may be withheld. Ends the old key if nothing changed since. If something did, answers the record;
 * withheld (`pending`), nobody else can change it any more, and it is given again to the same call, until it is ended.
 * Meanwhile it leads nowhere: what others write to a copy would be lost with the next one.
 */
export const RETIRE: Script = new Script(`${KEYS}${FIND}${FINISH}${LEAVE}
local k, now = KEYS[1], tonumber(ARGV[1])
local r, refused = find(k, now)
local withheld = refused and call('HGET', k, 'n') == ARGV[2]
if refused and not withheld then return answered(k, r) and {'ok'} or refused end
local state = call('HMGET', k, 'v', 'l', 'e', 'f', 'k')
for at = 1, 5 do state[at] = state[at] or '' end
if table.concat(state, ' ') == ARGV[10] then
  leave(k, r[U], r[H], now, ARGV[11], ARGV[12])
  return {'ok'}
end
local record = call('HGETALL', k)
if withheld then return {'pending', record} end
if ARGV[13] == '' then return {'record', record} end
if r[U] then call('ZREM', ofUser(k, 'u', r[U]), keyOf(k)) end
call('HSET', k, 'n', ARGV[2], 't', 'rotated')
return {'pending', record}
`);

/** Removes a copy that has no future. `KEYS`: new. */
export const DISCARD: Script = new Script(`${KEYS}${FINISH}
if call('HGET', KEYS[1], 'z') ~= ARGV[1] then return 0 end
local u = call('HGET', KEYS[1], 'u')
finish(KEYS[1], u, '0', 0)
return 1
`);
