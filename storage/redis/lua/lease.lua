-- ARGV: now, worker, how many it wants, milliseconds. Answers the number of workers, and then
-- partition and epoch of each that it holds. The rules are those of storage/leases.py.
local worker, want, ttl = ARGV[2], math.max(0, tonumber(ARGV[3])), tonumber(ARGV[4])
local mine, free = {}, {}
for part = 0, 63 do
  local name = format('%02x', part)
  local epoch, holder = match(call('HGET', parts, name) or '0', '^(%d+)%z?(%Z*)$')
  local row = {name, tonumber(epoch), holder}
  if holder == '' or tonumber(call('HGET', leases, name) or 0) <= now then
    free[#free + 1] = row
  elseif holder == worker then
    mine[#mine + 1] = row
  end
end
check_types()

local until_ = int(now + ttl)
local answer = {}
local function hold(row)
  call('HSET', parts, row[1], int(row[2]) .. NUL .. worker)
  call('HSET', leases, row[1], until_)
  add(answer, row[1], int(row[2]))
end
local function give_back(row)
  call('HSET', parts, row[1], int(row[2]))
  call('HDEL', leases, row[1])
end

for place, row in ipairs(mine) do
  if place <= want then
    hold(row)
  else
    give_back(row)
  end
end
local lacking = math.max(0, want - #mine)
for place, row in ipairs(free) do
  if place <= lacking then
    row[2] = row[2] + 1
    hold(row)
  elseif row[3] == worker then
    give_back(row)
  end
end
call('ZADD', workers, until_, worker)
call('ZREMRANGEBYSCORE', workers, '-inf', int(now))
return {call('ZCARD', workers), answer}
