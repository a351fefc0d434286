import { ADMIT, BEHIND, CHANGE, FIND, FINISH, FREE, KEYS, POINT } from "./redis-lua.ts";
import { Script } from "./redis-script.ts";

/**
 * One script for each verb on a record. A script is one atomic step. `KEYS[1]` is the record's key, other keys are of the
 * same slot or, on a single server, anywhere.
 */

/** → HGETALL, and `!` where the user's generation has outrun the record's. */
export const LOAD: Script = new Script(`${KEYS}
local k = KEYS[1]
local who = call('HMGET', k, 'u', 'g')
local all = call('HGETALL', k)
if who[1] and who[2] then
  local generation = call('GET', ofUser(k, 'g', who[1]))
  if generation and tonumber(generation) > tonumber(who[2]) then
    all[#all + 1] = '!'
    all[#all + 1] = '1'
  end
end
return all
`);

/** now, operation, created, last use, deadline, handle, apart, channel, binding (7), fields. → created and evicted */
export const CREATE: Script = new Script(`${KEYS}${FIND}${FINISH}${FREE}${POINT}${ADMIT}${CHANGE}
local k, now = KEYS[1], tonumber(ARGV[1])
local r, refused = find(k, now)
if not refused and applied(r, ARGV[2]) then
  local answer = {'ok', 1}
  for key in string.gmatch(call('HGET', k, 'y') or '', '%S+') do answer[#answer + 1] = key end
  return answer
end
if not free(k, now) then return {'duplicate'} end
local generation, ended
if ARGV[9] ~= '' then
  generation, ended = admit(k, 9, now)
  if not generation then return {'rejected', ended} end
end
local last = #ARGV
add('v', '1'); add('c', ARGV[3]); add('l', ARGV[4]); add('e', ARGV[5]); add('r', ARGV[1]); add('h', ARGV[6])
add('o', ARGV[2])
if generation then
  add('u', ARGV[9]); add('b', ARGV[1]); add('g', generation); add('m', ARGV[14]); add('q', good(ARGV[5], now))
  if ARGV[15] ~= '' then add('x', ARGV[15]) end
  if #ended > 0 then add('y', table.concat(ended, ' ')) end
end
put(k, 16)
local ttl = left(tonumber(ARGV[5]), now)
call('PEXPIRE', k, ttl)
if not generation then return {'ok', 1} end
enlist(k, ARGV[9], ARGV[1], ttl)
point(k, ARGV[6], ARGV[9], ARGV[5], now, ARGV[7])
tell(ARGV[8], 'revoked', ended)
table.insert(ended, 1, 1)
table.insert(ended, 1, 'ok')
return ended
`);

/** now, operation, apart, channel or nothing, change. → version, refusal, or version, handle, user, deadline to POINT */
export const COMMIT: Script = new Script(`${KEYS}${FIND}${POINT}${CHANGE}
local k, now = KEYS[1], tonumber(ARGV[1])
local r, refused = find(k, now)
if refused then return refused end
local before = applied(r, ARGV[2])
if before then return before end
local answer = conflict(k, 5, r)
if answer then return answer end
local used, e = later(r[L], ARGV[7]), later(r[E], ARGV[8])
local index = r[U] and e ~= r[E] and ofUser(k, 'u', r[U])
local listed = index and call('PTTL', index)
local version, first = apply(k, 5, r, ARGV[2])
local due = index and tonumber(e) > tonumber(r[Q])
if used ~= r[L] then add('l', used) end
if e ~= r[E] then add('e', e) end
if due then add('q', good(e, now)) end
put(k, first)
if e ~= r[E] then
  local ttl = left(tonumber(e), now)
  call('PEXPIRE', k, ttl)
  if index and listed < ttl then call('PEXPIRE', index, ttl) end
end
if ARGV[4] ~= '' and version ~= tonumber(r[V]) then call('PUBLISH', ARGV[4], 'changed ' .. keyOf(k)) end
if not due then return version end
point(k, r[H], r[U], e, now, ARGV[3])
return {'ok', version, r[H], r[U], e}
`);

/** now, last use, deadline, apart. → 0, 1, or handle and user to POINT */
export const RENEW: Script = new Script(`${KEYS}${FIND}${POINT}
local k, now = KEYS[1], tonumber(ARGV[1])
local r, refused = find(k, now)
if refused then return 0 end
local e = tonumber(ARGV[3])
local ttl = left(e, now)
local index = r[U] and ofUser(k, 'u', r[U])
local listed = index and call('PTTL', index)
if tonumber(ARGV[2]) > tonumber(r[L]) then call('HSET', k, 'l', ARGV[2]) end
if e <= tonumber(r[E]) then return 1 end
call('HSET', k, 'e', ARGV[3])
call('PEXPIRE', k, ttl)
if not index then return 1 end
if listed < ttl then call('PEXPIRE', index, ttl) end
if e <= tonumber(r[Q]) then return 1 end
call('HSET', k, 'q', good(ARGV[3], now))
point(k, r[H], r[U], ARGV[3], now, ARGV[4])
return {r[H], r[U]}
`);

/** now, tombstone, channel. → 0, 1, or the key in another slot to go on with */
export const DESTROY: Script = new Script(`${KEYS}${FIND}${BEHIND}${FINISH}
local now = tonumber(ARGV[1])
local k, r, elsewhere = behind(KEYS[1], now)
if not k then return elsewhere or 0 end
finish(k, r[U], ARGV[2], now)
tell(ARGV[3], 'revoked', {keyOf(k)})
return 1
`);

/** now, lease until. → nothing while it is held; fence and key; or the key in another slot to go on with */
export const LOCK: Script = new Script(`${KEYS}${FIND}${BEHIND}
local k, r, elsewhere = behind(KEYS[1], tonumber(ARGV[1]))
if not k then return elsewhere or {0, ''} end
local held = call('HGET', k, 'k')
if held and tonumber(held) > tonumber(ARGV[1]) then return false end
call('HSET', k, 'k', ARGV[2])
return {call('HINCRBY', k, 'f', 1), keyOf(k)}
`);

/** now, fence */
export const RELEASE: Script = new Script(`${KEYS}${FIND}${BEHIND}
local k = behind(KEYS[1], tonumber(ARGV[1]))
if k and call('HGET', k, 'f') == ARGV[2] then return call('HDEL', k, 'k') end
return 0
`);

/** Nothing of sessions: whether the server may evict keys. → INFO's part on memory */
export const PING: Script = new Script("return redis.call('INFO', 'memory')");

/** Where a public name leads, see `POINT` in redis-lua.ts. */
export const SET_POINTER: Script = new Script("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])");
export const READ: Script = new Script("return redis.call('GET', KEYS[1])");
