-- Counts one use of a key unless its rate is exceeded. KEYS: the key. ARGV: microseconds in which one is earned, burst.
-- Answers: microseconds to wait, 0 when it was counted; how many more are allowed at once.
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local longest = interval * burst
local free = tonumber(redis.call('GET', KEYS[1]) or now)
-- After the clock was set back, nobody waits for longer than the burst takes.
free = math.min(math.max(free, now), now + longest)
local ahead = free + interval - now
if ahead > longest then
  return { ahead - longest, 0 }
end
redis.call('SET', KEYS[1], string.format('%.0f', free + interval), 'PX', math.ceil(ahead / 1000))
return { 0, math.floor((longest - ahead) / interval) }
