-- What turns write besides scopes and messages: instances, timers and moves.

-- The classes of rows that have an ordered list each, counted, so that listings know them.
local function count(kind, class, by)
  if call('HINCRBY', classes, kind .. class, by) <= 0 then
    call('HDEL', classes, kind .. class)
  end
end

-- The place of an instance in `order`: flow, status, and 0 or 1 (ended or live) with the time.
local function place_of(value)
  return match(value, '^(%Z*%z%Z*%z%Z*)%z')
end

-- The class is the place without the time.
local function class_of(place)
  return sub(place, 1, -17)
end

local function is_live(place)
  return sub(place, -17, -17) == '1'
end

-- Writes instances {name, place, when it ended or '', the rest}.
local function write_instances(order_, changes, stored, index)
  local values, listed, unlisted, alive, over, id_writes = {}, {}, {}, {}, {}, {}
  for number, name in ipairs(order_) do
    local _, place, end_, rest = unpack(changes[name])
    local old = stored[number] and place_of(stored[number])
    add(values, name, place .. NUL .. rest)
    if old ~= place then
      if old then
        add(unlisted, old .. name)
      end
      add(listed, 0, place .. name)
    end
    if not old then
      local conv, id = match(name, '^(%Z*)%z(.*)$')
      add(index, 0, base(conv) .. 'i' .. id)
      add(id_writes, 0, id .. NUL .. conv)
    end
    if not old or class_of(old) ~= class_of(place) then
      if old then
        count('i', class_of(old), -1)
      end
      count('i', class_of(place), 1)
    end
    if is_live(place) then
      if not old or not is_live(old) then
        add(alive, 0, name)
        call('ZREM', ended, name)
      end
    else
      call('ZREM', live, name)
      add(over, end_, name)
    end
  end
  many('HSET', instances, values)
  many('ZREM', order, unlisted)
  many('ZADD', order, listed)
  many('ZADD', live, alive)
  many('ZADD', ended, over)
  many('ZADD', ids, id_writes)
end

-- Sets timers {name, partition and due time, the rest}; without a place, drops them.
local function write_timers(order_, changes, stored, index, no_index)
  local values, gone, listed, unlisted = {}, {}, {}, {}
  for number, name in ipairs(order_) do
    local _, place, rest = unpack(changes[name])
    local conv, label = match(name, '^(%Z*)%z(.*)$')
    local old = stored[number]
    if old then
      add(unlisted, sub(old, 1, 18) .. name)
    end
    if place ~= '' then
      add(values, name, place .. NUL .. rest)
      add(listed, 0, place .. name)
      if not old then
        add(index, 0, base(conv) .. 't' .. label)
      end
    elseif old then
      add(gone, name)
      add(no_index, base(conv) .. 't' .. label)
    end
  end
  many('HDEL', timers, gone)
  many('ZREM', due, unlisted)
  many('HSET', timers, values)
  many('ZADD', due, listed)
end

-- Writes moves {turn, n and conversation as one name, flow, instance, at, the rest}.
-- An id stays in `ids` with a conversation for as long as an instance or a move has it there;
-- those of the instances in `written` are there.
local function write_moves(list, written, index)
  local values, listed, id_writes, flows = {}, {}, {}, {}
  for _, row in ipairs(list) do
    local name, flow, instance, at, rest = unpack(row)
    local conv = sub(name, 33)
    add(values, name, flow .. NUL .. instance .. NUL .. at .. NUL .. rest)
    add(listed, 0, flow .. NUL .. name)
    add(index, 0, base(conv) .. 'x' .. instance .. NUL .. sub(name, 1, 32))
    if not written[conv .. NUL .. instance] then
      add(id_writes, 0, instance .. NUL .. conv)
    end
    flows[flow] = (flows[flow] or 0) + 1
  end
  many('HSET', transitions, values)
  many('ZADD', log, listed)
  many('ZADD', ids, id_writes)
  for flow, number in pairs(flows) do
    count('x', flow, number)
  end
end
