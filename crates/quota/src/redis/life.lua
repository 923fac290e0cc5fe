-- The life that this server's data leads: another one after each restart, promotion or resynchronisation, so that what an
-- old snapshot or a replica that lagged behind brings back is recognised.
local function life()
  local server = redis.call('INFO', 'server')
  local replication = redis.call('INFO', 'replication')
  local run = string.match(server, 'run_id:(%w+)')
  local history = string.match(replication, 'master_replid:(%w+)')
  return run .. ':' .. history
end

-- A number that grows with each change of a pool, over lost pools as well, as long as the clock does not go back; where it
-- does, the caller's own last number carries on.
local function next_number(last)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  return math.max(now, last + 1)
end

-- The pool of one project, kind and day: units, whether Google called the day over, its number. `known`: the highest number
-- that the caller ever saw of it. A pool of another life, or older than that, has no units.
local function open(key, known)
  local held = redis.call('HMGET', key, 'life', 'number', 'units', 'over', 'left')
  local pool = { life = life(), over = held[4] == '1', left = tonumber(held[5] or 0), rebuilt = false }
  local number = tonumber(held[2] or 0)
  if held[1] == pool.life and number >= known then
    pool.units = tonumber(held[3] or 0)
  else
    pool.units = 0
    pool.rebuilt = held[1] ~= false or known > 0
  end
  pool.number = next_number(math.max(number, known))
  return pool
end

local function close(key, pool, seconds)
  redis.call('HSET', key, 'life', pool.life, 'number', string.format('%.0f', pool.number),
    'units', string.format('%.0f', pool.units), 'over', pool.over and '1' or '0', 'left', string.format('%.0f', pool.left))
  redis.call('EXPIRE', key, seconds)
end
