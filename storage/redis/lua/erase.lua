-- ARGV: now, person, what stands in the audit in their place. Answers how many scopes there were,
-- without those that only say that somebody is a recipient of a broadcast.
local convs, seen = {}, {}
for _, member in ipairs(beginning(rows, ARGV[2] .. NUL)) do
  local conv = match(member, '^%Z*%z(%Z*)%z')
  if not seen[conv] then
    seen[conv] = true
    add(convs, conv)
  end
end
check_types()

-- What operators did stays, and not whom it was about.
local acts = call('HGETALL', audit)
for place = 1, #acts, 2 do
  local at, who, what, target, conv = unpack(fields(acts[place + 1]))
  if target == ARGV[2] or seen[sub(conv, 2)] or owner(sub(conv, 2)) == ARGV[2] then
    local row = {at, who, what, ARGV[3], '', ''}
    call('HSET', audit, acts[place], table.concat(row, NUL))
  end
end

local scopes = 0
local DROPS = {
  c = function(_, name) drop_cause(name) end,
  d = function(_, name) drop_letter(name) end,
  i = function(conv, name) drop_instance(conv .. NUL .. name) end,
  l = function(conv, name) drop_line(conv .. NUL .. name) end,
  m = function(conv, place) drop_message(conv .. NUL .. place) end,
  r = function(conv, name) drop_reference(conv .. NUL .. name) end,
  s = function(conv)
    drop_scope(conv)
    if sub(conv, 1, 10) ~= 'broadcast/' then
      scopes = scopes + 1
    end
  end,
  t = function(conv, name) drop_timer(conv .. NUL .. name) end,
  x = function(conv, name) drop_move(sub(name, -32) .. conv) end,
}

for _, conv in ipairs(convs) do
  local start = base(conv)
  for _, member in ipairs(beginning(rows, start)) do
    local row = sub(member, #start + 1)
    DROPS[sub(row, 1, 1)](conv, sub(row, 2))
  end
  local chat = private_chat(conv)
  for _, member in ipairs(chat and beginning(posted, chat .. NUL) or {}) do
    drop_message(sub(member, #chat + 2))
  end
end
return scopes
