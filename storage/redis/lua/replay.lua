-- ARGV: now, this handle, number of the dead letter in order, the same as text.
local value = call('HGET', dead, ARGV[3])
if not value then
  return false
end
check_types()
local letter = fields(value)
drop_letter(ARGV[3])
local conv, origin, _, at, _, body = unpack(letter)
if origin == 'outbox' then
  local part, chat, conv_, turn, n, slot = unpack(letter, 7)
  local name = table.concat({conv_, turn, n}, NUL)
  if known_as(name) then
    drop_message(name)
  end
  put_messages({{part, chat, conv_, turn, n, slot, body}})
  return turn
end
local part, _, source, _, kind = unpack(letter, 7)
local seq = put_causes({{part, conv, source, 'replay:' .. ARGV[4], kind, at, body}})[1]
hint(ARGV[2])
return seq and int(seq)
