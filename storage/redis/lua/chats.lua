-- ARGV: now, channel, what the keys of the bot begin with, the key to go on after or '', how many.
-- Answers keys of scopes, in the order of their persons. It goes from one conversation to the
-- next in the list of all rows, past the other rows of each.
local prefix, after_, want = ARGV[3], ARGV[4], tonumber(ARGV[5])
local last = '(' .. ARGV[2] .. '/' .. END
local from = '[' .. (after_ ~= '' and base(after_) .. END or ARGV[2] .. '/')
local found = {}
while #found < want do
  local member = call('ZRANGEBYLEX', rows, from, last, 'LIMIT', 0, 1)[1]
  if not member then
    break
  end
  local key = match(member, '^%Z*%z(%Z*)%z')
  if sub(key, 1, #prefix) == prefix and call('HEXISTS', scopes, key) == 1 then
    add(found, key)
  end
  from = '[' .. match(member, '^%Z*%z%Z*%z') .. END
end
return found
