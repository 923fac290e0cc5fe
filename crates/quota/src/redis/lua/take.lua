-- Takes units out of a pool. KEYS: the pool. ARGV: day, units needed, units wanted at most.
-- Answers {granted, 1} · {0, 0}: too few are there · {-1, 0}: the pool is void · {-2, 0}: the day is over.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local pool = redis.call('HMGET', KEYS[1], 'day', 'server', 'units', 'over', 'plenty')
if pool[1] ~= ARGV[1] or pool[2] ~= server then return {-1, 0} end
if pool[4] == '1' then return {-2, 0} end
local units, needed, most = tonumber(pool[3]), tonumber(ARGV[2]), tonumber(ARGV[3])
if units < needed then return {0, 0} end
local want = most
-- Towards the end of the day smaller pieces, so that none lies idle in one process while another one needs it.
if pool[5] ~= '1' then want = math.ceil(units / 4) end
local granted = math.max(needed, math.min(units, most, want))
redis.call('HINCRBY', KEYS[1], 'units', -granted)
return {granted, 1}
