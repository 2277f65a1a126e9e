-- ARGV: now, names of messages. Answers for each how often it was tried, or false where it does
-- not wait any more.
local answer = {}
for place, name in ipairs(cjson.decode(ARGV[2])) do
  local seq = known_as(name)
  if seq and call('HEXISTS', texts, seq) == 1 then
    answer[place] = tonumber(match(call('HGET', marks, seq) or '', '^(%d*)%z') or 0)
  else
    answer[place] = false
  end
end
return answer
