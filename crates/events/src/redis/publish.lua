-- Publishes an event. KEYS: the tenant's stream and topic. ARGV: the event, how many are held, seconds to keep a silent
-- stream. Answers its id: microseconds of the server's time, so that ids grow over a lost stream as well, or one more than
-- the last one. Each event holds the id before it, which shows where some are missing.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local before = 0
if #last > 0 then
  before = tonumber(string.match(last[1][1], '^%d+'))
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local id = string.format('%.0f', math.max(now, before + 1))
before = string.format('%.0f', before)
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], id .. '-0', 'before', before, 'event', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[2], id .. ' ' .. before .. ' ' .. ARGV[1])
return id
