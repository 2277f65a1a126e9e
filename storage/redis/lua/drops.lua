-- Rows are taken out of every list that names them.

local function drop_cause(seq)
  local row = fields(call('HGET', inbox, seq))
  call('HDEL', accepted, row[3] .. NUL .. row[4])
  call('HDEL', inbox, seq)
  call('HDEL', notes, seq)
  call('HDEL', tries, seq)
  call('ZREM', todo, row[1] .. seq)
  call('ZREM', done, seq)
  call('ZREM', rows, base(sub(row[2], 2)) .. 'c' .. seq)
end

local function drop_message(name)
  local seq, part, chat = known_as(name)
  local conv, place = match(name, '^(%Z*)%z(.*)$')
  leave_queue(seq, part, chat)
  call('HDEL', outbox, name)
  call('ZREM', settled, name)
  call('ZREM', rows, base(conv) .. 'm' .. place)
  call('ZREM', posted, chat .. NUL .. name)
end

-- An id is listed with a conversation while an instance or a move has it there.
local function forget_id(conv, id)
  local moves = beginning(rows, base(conv) .. 'x' .. id .. NUL, 1)
  if #moves == 0 and not call('ZSCORE', rows, base(conv) .. 'i' .. id) then
    call('ZREM', ids, id .. NUL .. conv)
  end
end

local function drop_instance(name)
  local conv, id = match(name, '^(%Z*)%z(.*)$')
  local place = place_of(call('HGET', instances, name))
  call('HDEL', instances, name)
  call('ZREM', order, place .. name)
  call('ZREM', live, name)
  call('ZREM', ended, name)
  call('ZREM', rows, base(conv) .. 'i' .. id)
  count('i', class_of(place), -1)
  forget_id(conv, id)
end

local function drop_move(name)
  local conv = sub(name, 33)
  local flow, instance = match(call('HGET', transitions, name), '^(%Z*)%z(%Z*)%z')
  call('HDEL', transitions, name)
  call('ZREM', log, flow .. NUL .. name)
  call('ZREM', rows, base(conv) .. 'x' .. instance .. NUL .. sub(name, 1, 32))
  count('x', flow, -1)
  forget_id(conv, instance)
end

local function drop_reference(name)
  local conv, slot = match(name, '^(%Z*)%z(.*)$')
  call('HDEL', refs, name)
  call('ZREM', kept, name)
  call('ZREM', rows, base(conv) .. 'r' .. slot)
end

local function drop_timer(name)
  local conv, label = match(name, '^(%Z*)%z(.*)$')
  call('ZREM', due, sub(call('HGET', timers, name), 1, 18) .. name)
  call('HDEL', timers, name)
  call('ZREM', rows, base(conv) .. 't' .. label)
end

local function drop_letter(number)
  local conv = sub(match(call('HGET', dead, number), '^(%Z*)%z'), 2)
  call('HDEL', dead, number)
  call('ZREM', letters, number)
  call('ZREM', rows, base(conv) .. 'd' .. number)
end

-- `name` is conversation, track and place.
local function drop_line(name)
  local conv, track, place = match(name, '^(%Z*)%z(%Z*)%z(%Z*)$')
  local said = match(call('HGET', lines, name), '^%Z*')
  call('HDEL', lines, name)
  call('HDEL', line_names, conv .. NUL .. track .. NUL .. said)
  call('ZREM', told, name)
  call('ZREM', rows, base(conv) .. 'l' .. track .. NUL .. place)
end

local function drop_scope(key)
  local person = match(call('HGET', scopes, key), '^%Z*%z%Z*%z=?(%Z*)%z')
  call('HDEL', scopes, key)
  call('ZREM', rows, base(key) .. 's', person .. NUL .. key .. NUL .. 's')
end
