-- ARGV: now, fence, limit. Answers the numbers of the new causes, now, and when the next timer
-- is due.
local still, limit = held(cjson.decode(ARGV[2])), tonumber(ARGV[3])
local waiting = {}
for part in pairs(still) do
  local bound = '(' .. part .. ordered(now + 1)
  local page = call('ZRANGEBYLEX', due, '[' .. part, bound, 'LIMIT', 0, limit)
  for _, member in ipairs(page) do
    waiting[#waiting + 1] = {sub(member, 3), member}
  end
end
table.sort(waiting, function(a, b) return before(a[1], b[1]) end)
check_types()

local fired = {}
for place = 1, math.min(limit, #waiting) do
  local name = sub(waiting[place][1], 17)
  local timer = fields(call('HGET', timers, name))
  local conv, label = match(name, '^(%Z*)%z(.*)$')
  call('HDEL', timers, name)
  call('ZREM', due, waiting[place][2])
  call('ZREM', rows, base(conv) .. 't' .. label)
  local place_, id, _, source, kind, at, body = unpack(timer)
  fired[place] = {sub(place_, 1, 2), '=' .. conv, source, id, kind, at, body}
end
local seqs = {}
for _, seq in ipairs(put_causes(fired)) do
  if seq then
    add(seqs, int(seq))
  end
end

local soonest
for part in pairs(still) do
  local first = beginning(due, part, 1)[1]
  if first and (not soonest or sub(first, 3, 18) < soonest) then
    soonest = sub(first, 3, 18)
  end
end
return {table.concat(seqs, ','), int(now), soonest or ''}
