-- ARGV: now, conversation, track, the first place, how many, 1 for the newest, the place before
-- which they end or nothing. Answers of each line its place and its value, ascending.
local conv, track = ARGV[2], ARGV[3]
local start = base(conv) .. 'l' .. track .. NUL
local finish = ARGV[7] == '' and END or ARGV[7]
local low, high = '[' .. start .. ARGV[4], '(' .. start .. finish
local page
if ARGV[6] == '1' then
  local found = call('ZREVRANGEBYLEX', rows, high, low, 'LIMIT', 0, ARGV[5])
  page = {}
  for place = #found, 1, -1 do
    add(page, found[place])
  end
else
  page = call('ZRANGEBYLEX', rows, low, high, 'LIMIT', 0, ARGV[5])
end
local answer = {}
for _, member in ipairs(page) do
  local place = sub(member, -16)
  add(answer, place, call('HGET', lines, conv .. NUL .. track .. NUL .. place))
end
return answer
