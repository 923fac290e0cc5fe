-- Puts units in, then takes some out.
-- KEYS: pool. ARGV: highest number seen, seconds to keep it, units to put in, units of the day that nobody leased ('' when
-- not known), units wanted at least, and at most; the most that one taking may be, its part of what is left, and what it may
-- be even if that part is less.
-- Answers: units taken, units in the pool now, its number, 1 when the day is over, 1 when a pool was lost.
local pool = open(KEYS[1], tonumber(ARGV[1]))
local put, least, most = tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[6])
local share_of_day, parts_of_rest, floor = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
if ARGV[4] ~= '' then
  pool.left = tonumber(ARGV[4])
end
pool.units = pool.over and 0 or pool.units + put
local taken = 0
if least > 0 then
  local rest = math.max(floor, math.floor((pool.units + pool.left) / parts_of_rest))
  taken = math.min(pool.units, math.max(least, math.min(most, share_of_day, rest)))
  pool.units = pool.units - taken
end
close(KEYS[1], pool, ARGV[2])
return { taken, pool.units, string.format('%.0f', pool.number), pool.over and 1 or 0, pool.rebuilt and 1 or 0 }
