-- ARGV: now, lines {conversation, track, name, time, body}. Answers the place of each (false: a
-- line of that name is there).
local page = cjson.decode(ARGV[2])
check_types()
local answer = {}
for index, row in ipairs(page) do
  local conv, track, name, at, body = unpack(row)
  local named = conv .. NUL .. track .. NUL .. name
  answer[index] = false
  if call('HEXISTS', line_names, named) == 0 then
    local start = base(conv) .. 'l' .. track .. NUL
    local last = call('ZREVRANGEBYLEX', rows, '(' .. start .. END, '[' .. start, 'LIMIT', 0, 1)[1]
    local place = tonumber(at)
    if last then
      place = math.max(place, tonumber(sub(last, -15), 16) + 1)
    end
    local member = conv .. NUL .. track .. NUL .. ordered(place)
    call('HSET', lines, member, name .. NUL .. at .. NUL .. body)
    call('HSET', line_names, named, ordered(place))
    call('ZADD', told, at, member)
    call('ZADD', rows, 0, start .. ordered(place))
    answer[index] = place
  end
end
return answer
