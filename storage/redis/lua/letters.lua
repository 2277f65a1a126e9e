-- Dead letters: conversation, origin, tries, at, error, body, and then the row that it was.

local function put_letters(list)
  if #list == 0 then
    return
  end
  local last = tonumber(call('HGET', meta, 'letter') or 0)
  call('HSET', meta, 'letter', int(last + #list))
  for place, letter in ipairs(list) do
    local number = ordered(last + place)
    call('HSET', dead, number, table.concat(letter, NUL))
    call('ZADD', letters, 0, number)
    call('ZADD', rows, 0, base(sub(letter[1], 2)) .. 'd' .. number)
  end
end
