// Redis runs a script alone: that is what makes compare-and-set atomic.
/** KEYS: the record. ARGV: what is expected, what is to stand there, when it ends, and how that is meant. */
export const replaceScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local at, kind = tonumber(ARGV[3]), 'PXAT'
if ARGV[4] == 'atLeast' then at = math.max(at, redis.call('PEXPIRETIME', KEYS[1])) end
if ARGV[4] == 'lasts' then kind = 'PX' end
redis.call('SET', KEYS[1], ARGV[2], kind, at)
return 1`
export const deleteIfScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`
/** A sorted set whose scores are expiries: each member has its own, and the whole goes with the last. */
export const addMemberScript = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
if tonumber(ARGV[2]) > tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1]) end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], last[2]) end
return 1`
/** A hash of counts by slice of the window. The time is Redis' own: the clocks of replicas differ. */
export const countScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, limit, slice, slices = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local current = math.floor(now / slice)
local fields = redis.call('HGETALL', KEYS[1])
local used, oldest, newest = 0, nil, nil
for i = 1, #fields, 2 do
  local at = tonumber(fields[i])
  if at < current - slices then
    redis.call('HDEL', KEYS[1], fields[i])
  else
    used = used + tonumber(fields[i + 1])
    if not oldest or at < oldest then oldest = at end
    if not newest or at > newest then newest = at end
  end
end
local counted = cost <= 0 or used + cost <= limit
if counted and cost > 0 then
  redis.call('HINCRBY', KEYS[1], current, cost)
  redis.call('PEXPIRE', KEYS[1], math.ceil(slice * (slices + 1)))
  if not oldest then oldest = current end
  used = used + cost
elseif cost < 0 and newest then
  if redis.call('HINCRBY', KEYS[1], newest, cost) <= 0 then redis.call('HDEL', KEYS[1], newest) end
  used = used + cost
end
local reset = oldest and (oldest + slices + 1) * slice - now or 0
return { counted and 1 or 0, math.max(0, limit - used), math.ceil(reset) }`
