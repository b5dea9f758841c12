/** Milliseconds by the server's clock, which all machines share. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Whether a request may leave now, and the how manieth time that is; writes down that it does.
 * KEYS answer, attempts; ARGV attempt, who, leave by, kept for.
 */
export const BEGIN = `${NOW}
if redis.call('EXISTS', KEYS[1]) == 1 then return {'answered', 0, now} end
if now > tonumber(ARGV[3]) then return {'late', redis.call('HLEN', KEYS[2]), now} end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {'begun', redis.call('HLEN', KEYS[2]), now}
`;

/**
 * Keeps what came of a request and tells the watch, unless something came of it before.
 * KEYS answer, told; ARGV reply, kept for, job.
 */
export const ANSWER = `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 'job', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
`;

/**
 * Takes the most that a request can cost out of every limit, or of none when one has no room.
 *
 * What was spent is summed by the sixtieth of a limit's window in which it was reserved: a window touches 61 of
 * them, and all 61 are counted, so that no stretch of time of that length ever has more than the limit.
 *
 * KEYS limits, reserved; ARGV tokens, billionths of dollars or '', kept for.
 */
export const RESERVE = `${NOW}
if redis.call('EXISTS', KEYS[2]) == 1 then return {'reserved'} end
local limits = redis.call('HGETALL', KEYS[1])
local takes = {}
for at = 1, #limits, 2 do
  local unit, window = string.match(limits[at], '^(%a+):(%d+)$')
  local amount = tonumber(limits[at + 1])
  local cost = tonumber(unit == 'usd' and ARGV[2] or ARGV[1])
  if not cost then return {'unpriced', limits[at], limits[at + 1]} end
  if cost > amount then return {'never', limits[at], limits[at + 1], cost} end
  local slice = tonumber(window) / 60
  local current = math.floor(now / slice)
  local key = KEYS[1] .. ':' .. limits[at]
  local used = 0
  local slices = {}
  local spent = redis.call('HGETALL', key)
  for i = 1, #spent, 2 do
    local index = tonumber(spent[i])
    if index < current - 60 then
      redis.call('HDEL', key, spent[i])
    else
      used = used + tonumber(spent[i + 1])
      table.insert(slices, {index, tonumber(spent[i + 1])})
    end
  end
  if used + cost > amount then
    table.sort(slices, function(a, b) return a[1] < b[1] end)
    for _, one in ipairs(slices) do
      used = used - one[2]
      if used + cost <= amount then
        return {'full', limits[at], limits[at + 1], math.ceil((one[1] + 61) * slice - now)}
      end
    end
  end
  table.insert(takes, {limits[at], string.format('%d', current), cost})
end
for _, take in ipairs(takes) do
  local key = KEYS[1] .. ':' .. take[1]
  redis.call('HINCRBY', key, take[2], string.format('%d', take[3]))
  redis.call('PEXPIRE', key, ARGV[3])
end
if #takes > 0 then redis.call('SET', KEYS[2], cjson.encode(takes), 'PX', ARGV[3]) end
return {'reserved'}
`;

/**
 * Corrects what was reserved to what was spent, once.
 * KEYS limits, reserved; ARGV tokens, billionths of dollars.
 */
export const SETTLE = `
local reserved = redis.call('GET', KEYS[2])
if not reserved then return 0 end
redis.call('DEL', KEYS[2])
for _, take in ipairs(cjson.decode(reserved)) do
  local key = KEYS[1] .. ':' .. take[1]
  local spent = tonumber(string.match(take[1], '^usd:') and ARGV[2] or ARGV[1])
  if redis.call('HEXISTS', key, take[2]) == 1 then
    redis.call('HINCRBY', key, take[2], string.format('%d', spent - take[3]))
  end
end
return 1
`;
