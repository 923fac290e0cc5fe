-- Remembers that Google called the day over. KEYS and the first two ARGV as in pool.lua. Answers the pool's number.
local pool = open(KEYS[1], tonumber(ARGV[1]))
pool.over, pool.units, pool.left = true, 0, 0
close(KEYS[1], pool, ARGV[2])
return string.format('%.0f', pool.number)
