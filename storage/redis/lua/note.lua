-- ARGV: now, fence, number, notes.
local seq = ARGV[3]
local value = call('HGET', inbox, seq)
if not value then
  return 'gone'
end
local part = sub(value, 1, 2)
if not held(cjson.decode(ARGV[2]))[part] then
  return 'fenced'
end
if not call('ZSCORE', todo, part .. seq) then
  return 'gone'
end
call('HSET', notes, seq, ARGV[4])
return 'done'
