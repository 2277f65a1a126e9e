-- ARGV: now, fence, chats to skip, limit. Answers number, row and mark of each message.
local skip = {}
for _, chat in ipairs(cjson.decode(ARGV[3])) do
  skip[chat] = true
end
local any_marked = call('HLEN', marks) > 0
local function ready(front)
  if skip[sub(front, 17)] then
    return false
  end
  local mark = any_marked and call('HGET', marks, sub(front, 1, 16))
  return not mark or tonumber(match(mark, '%z(.*)$')) <= now
end

local seqs = {}
for place, front in ipairs((oldest(fronts, held(cjson.decode(ARGV[2])), tonumber(ARGV[4]), ready))) do
  seqs[place] = sub(front, 1, 16)
end
local values, tried = get('HMGET', texts, seqs), get('HMGET', marks, seqs)
local answer = {}
for place, seq in ipairs(seqs) do
  add(answer, seq, values[place])
  add(answer, tried[place])
end
return answer
