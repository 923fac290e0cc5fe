-- Generic cell rate algorithm. KEYS: the key's place. ARGV: microseconds in which one more is earned, burst.
-- Answers {left, 0}, or {-1, microseconds to wait}; then nothing is counted.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next = arrival + interval
local earliest = next - burst * interval
if now < earliest then return {-1, earliest - now} end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1000)
return {math.floor((now - earliest) / interval), 0}
