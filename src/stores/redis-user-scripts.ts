import { BEHIND, FIND, FINISH, KEYS } from "./redis-lua.ts";
import { Script } from "./redis-script.ts";

/**
 * Scripts on what belongs to a user. `KEYS[1]` is the user's generation, `ARGV[1]` routing tag and user. The index is a
 * ZSET of the sessions' keys by the instant of their login, so that a list has a stable order and a cap finds the oldest.
 */

/**
 * now, limit, and where to go on: instant and key, or two times nothing. Looks at `limit` entries at most that are not
 * live beside those it answers. → whether there is more, then for each: instant, key, handle, created, last use, deadline,
 * metadata. Of the last two entries the first is where to go on.
 *
 * A place that is no longer in the index is found by putting it there for a moment: nobody sees it, a script is alone.
 * The removal before it is of nobody: after a script's first write a full memory refuses it no other.
 */
export const LIST: Script = new Script(`${KEYS}
local k, u, now, limit = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local index = ofUser(k, 'u', u)
local generation = tonumber(call('GET', k) or '0')
local start = 0
if ARGV[5] ~= '' then
  local rank = call('ZRANK', index, ARGV[5])
  if rank then start = rank + 1 else
    call('ZREM', index, '')
    call('ZADD', index, ARGV[4], ARGV[5])
    start = call('ZRANK', index, ARGV[5])
    call('ZREM', index, ARGV[5])
  end
end
local answer, found, lost = {0}, 0, {}
local keys = call('ZRANGE', index, start, start + 2 * limit, 'WITHSCORES')
local at = 1
while at < #keys and found < limit do
  local key, score = keys[at], keys[at + 1]
  local r = call('HMGET', recordOf(k, key), 'u', 't', 'a', 'g', 'e', 'h', 'c', 'l', 'm')
  if r[1] ~= u or r[2] or r[3] then lost[#lost + 1] = key
  elseif tonumber(r[5]) > now and tonumber(r[4]) >= generation then
    found = found + 1
    for _, value in ipairs({score, key, r[6], r[7], r[8], r[5], r[9]}) do answer[#answer + 1] = value end
  end
  at = at + 2
end
if at < #keys or #keys == 2 * (2 * limit + 1) then
  answer[1] = {keys[at - 1], keys[at - 2]}
end
for _, key in ipairs(lost) do call('ZREM', index, key) end
return answer
`);

/**
 * now, tombstone, channel, key to spare or nothing, generation of an earlier batch or nothing, where to go on. The first
 * batch raises the generation, which ends the sessions on every verb, and tells of all of them; each puts 200 of them
 * away. → generation, where to go on or -1, and of the first the keys
 */
export const REVOKE_USER: Script = new Script(`${KEYS}${FIND}${BEHIND}${FINISH}
local k, u, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local index = ofUser(k, 'u', u)
local generation, skipped = tonumber(ARGV[6]), tonumber(ARGV[7])
local first = not generation
local keys = call('ZRANGE', index, skipped, first and -1 or skipped + 199)
local records = {}
for at, key in ipairs(keys) do records[at] = call('HMGET', recordOf(k, key), 'u', 't', 'a', 'g', 'e') end
if first then
  local spared, r
  if ARGV[5] ~= '' then spared, r = behind(recordOf(k, ARGV[5]), now) end
  call('ZREM', index, '') -- nobody's: after a script's first write a full memory refuses it no other
  generation = call('INCR', k)
  spared = spared and r[U] == u and spared
  ARGV[5] = spared and keyOf(spared) or ''
  if spared then call('HSET', spared, 'g', generation) end
end
local answer, ended = {generation, -1}, {}
for at, key in ipairs(keys) do
  local r = records[at]
  local lost = r[1] ~= u or r[2] or r[3]
  local live = not lost and (key == ARGV[5] or tonumber(r[4]) >= generation)
  local ends = not lost and not live and tonumber(r[5]) > now
  if first and ends then
    answer[#answer + 1] = key
    ended[#ended + 1] = key
    if #ended == 1000 then
      tell(ARGV[4], 'revoked', ended)
      ended = {}
    end
  end
  if at > 200 then -- of a later batch
  elseif live then skipped = skipped + 1
  elseif ends then finish(recordOf(k, key), u, ARGV[3], now)
  else call('ZREM', index, key) end
end
tell(ARGV[4], 'revoked', ended)
if #keys >= 200 then answer[2] = skipped end
return answer
`);

/** now, tombstone, channel, handle. → the key, or nothing */
export const REVOKE_HANDLE: Script = new Script(`${KEYS}${FIND}${FINISH}
local k, u, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
for _, key in ipairs(call('ZRANGE', ofUser(k, 'u', u), 0, -1)) do
  local other = recordOf(k, key)
  if call('HGET', other, 'h') == ARGV[5] then
    local r, refused = find(other, now)
    if refused or r[U] ~= u then return false end
    finish(other, u, ARGV[3], now)
    tell(ARGV[4], 'revoked', {key})
    return key
  end
end
return false
`);
