-- The provider says that the day is over. KEYS: the pool. ARGV: day, seconds to live.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local day = redis.call('HGET', KEYS[1], 'day')
if day and day > ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'day', ARGV[1], 'server', server, 'units', 0, 'over', '1', 'plenty', '0')
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
