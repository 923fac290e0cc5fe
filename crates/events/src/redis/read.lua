-- Reads what is held after an id. KEYS: the tenant's stream. ARGV: the id, 0 for all. Answers the life of the server, the
-- last id in the stream (0 when it is empty), then id, id before and event of each. All are read when the stream is behind
-- the id: it is another one then.
local life = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local last = 0
if #newest > 0 then
  last = tonumber(string.match(newest[1][1], '^%d+'))
end
local from = '-'
if last >= tonumber(ARGV[1]) then
  from = '(' .. ARGV[1] .. '-0'
end
local events = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], from, '+')) do
  local fields = entry[2]
  table.insert(events, { string.match(entry[1], '^%d+'), fields[2], fields[4] })
end
return { life, string.format('%.0f', last), events }
