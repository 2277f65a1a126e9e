-- ARGV: now, the last member of the page before, how many. Answers the last member of this one
-- ('' at the end), and then of each text its row, its hash, its field and the value it is in.
local page = call('ZRANGEBYLEX', rows, '(' .. ARGV[2], '+', 'LIMIT', 0, ARGV[3])
local answer = {#page == tonumber(ARGV[3]) and page[#page] or ''}

local function text(row, hash, key, field)
  local value = call('HGET', key, field)
  if value then
    add(answer, row, hash)
    add(answer, field, value)
  end
end

for _, member in ipairs(page) do
  local owner_, conv, kind, name = match(member, '^(%Z*)%z(%Z*)%z(.)(.*)$')
  if kind == 'c' then
    text(member, 'inbox', inbox, name)
    text(member, 'notes', notes, name)
  elseif kind == 'd' then
    text(member, 'dead', dead, name)
  elseif kind == 'i' then
    text(member, 'instances', instances, conv .. NUL .. name)
  elseif kind == 'l' then
    text(member, 'lines', lines, conv .. NUL .. name)
  elseif kind == 'm' then
    text(member, 'texts', texts, (known_as(conv .. NUL .. name)))
  elseif kind == 'r' then
    text(member, 'refs', refs, conv .. NUL .. name)
  elseif kind == 's' and owner_ == owner(conv) then
    text(member, 'scopes', scopes, conv)
  elseif kind == 't' then
    text(member, 'timers', timers, conv .. NUL .. name)
  end
end
return answer
