-- Puts units into a pool, which is made anew when it is void. KEYS: the pool.
-- ARGV: day, units, '1' or '0': whether the ledger has plenty left, or '' to leave that as it is; seconds to live.
-- Answers the units in the pool, or -1 when they were not taken: the pool is of a later day, or its day is over.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local pool = redis.call('HMGET', KEYS[1], 'day', 'server', 'over')
if pool[1] and pool[1] > ARGV[1] then return -1 end
if pool[1] ~= ARGV[1] or pool[2] ~= server then
  -- What an older day or an earlier life of the server left here is worth nothing.
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'day', ARGV[1], 'server', server, 'units', 0, 'over', '0', 'plenty', '0')
elseif pool[3] == '1' then
  return -1
end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'plenty', ARGV[3]) end
redis.call('EXPIRE', KEYS[1], ARGV[4])
return redis.call('HINCRBY', KEYS[1], 'units', ARGV[2])
