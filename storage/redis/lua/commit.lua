-- ARGV: now, the leases that the fence has of the batch's partitions, turns. A turn is
-- {partition, cause, scopes, instances, timers, outbox, transitions, dead letter or false}.
-- Answers how each turn ended, or '!', the place of a bad turn, and what is wrong with it.
local turns = cjson.decode(ARGV[3])

-- What is read before anything is decided -----------------------------------------------------

local still = held(cjson.decode(ARGV[2]))

local causes, values, members, undone = {}, {}, {}, {}
for place, turn in ipairs(turns) do
  causes[place] = turn[2]
end
for place, value in ipairs(get('HMGET', inbox, causes)) do
  if value then
    values[causes[place]] = value
  end
  members[place] = sub(value or '', 1, 2) .. causes[place]
end
for place, score in ipairs(get('ZMSCORE', todo, members)) do
  undone[causes[place]] = score and true or nil
end

-- Key to {version, person}; `known` stays as it was stored.
local keys, known, current = {}, {}, {}
for _, turn in ipairs(turns) do
  for _, scope in ipairs(turn[3]) do
    keys[#keys + 1] = scope[1]
  end
end
for place, value in ipairs(get('HMGET', scopes, keys)) do
  if value then
    local version, person = match(value, '^(%Z*)%z%Z*%z(%Z*)%z')
    known[keys[place]] = {version, person}
    current[keys[place]] = known[keys[place]]
  end
end

-- How each turn ends: the rules are those of storage/outcomes.py ------------------------------

local highest = tonumber(call('HGET', meta, 'version') or 0)

local function conflicts(turn)
  for _, scope in ipairs(turn[3]) do
    local there = current[scope[1]]
    if (there and there[1] or '') ~= scope[2] then
      return true
    end
  end
  return false
end

local function write_version(scope, cause)
  local key, version, state, person = unpack(scope)
  if not state then
    return version ~= '' and version or '0'
  end
  local there = current[key]
  local new = there and tonumber(there[1]) + 1 or math.max(now_micros, highest + 1)
  highest = math.max(highest, new)
  if person == '' and there then
    person = there[2]
  end
  local text = int(new)
  current[key] = {text, person, text .. NUL .. cause .. NUL .. person .. NUL .. state}
  return text
end

local outcomes, finished = {}, {}
for place, turn in ipairs(turns) do
  if not still[turn[1]] then
    outcomes[place] = 'f'
  elseif not undone[turn[2]] then
    outcomes[place] = 'g'
  elseif conflicts(turn) then
    outcomes[place] = 'c'
  else
    undone[turn[2]] = nil
    local versions = {}
    for number, scope in ipairs(turn[3]) do
      versions[number] = write_version(scope, turn[2])
    end
    outcomes[place] = 'd' .. table.concat(versions, ',')
    finished[#finished + 1] = {place, turn}
  end
end

-- Messages and moves are written once ----------------------------------------------------------

local messages, moves, once, places = {}, {}, {message = {}, move = {}}, {message = {}, move = {}}
for _, pair in ipairs(finished) do
  local place, turn = unpack(pair)
  for _, row in ipairs(turn[6]) do
    messages[#messages + 1] = row
    add(once.message, message_name(row))
    add(places.message, place)
  end
  for _, row in ipairs(turn[7]) do
    moves[#moves + 1] = row
    add(once.move, row[1])
    add(places.move, place)
  end
end

local bad, reason
local function refuse_twice(kind, table_, stored)
  local seen = {}
  for number, name in ipairs(once[kind]) do
    local place = places[kind][number]
    if (stored[number] or seen[name]) and (not bad or place < bad) then
      bad, reason = place, table_ .. ' has this row already'
    end
    seen[name] = true
  end
end
refuse_twice('message', 'outbox', get('HMGET', outbox, once.message))
refuse_twice('move', 'transitions', get('HMGET', transitions, once.move))
if bad then
  return '!' .. int(bad - 1) .. ' ' .. reason
end
if #finished == 0 then
  return table.concat(outcomes, ';')
end

local instance_changes, timer_changes, letters_, causes_done = {}, {}, {}, {}
local instance_names, timer_names = {}, {}
local function last_word(changes, order, row)
  if not changes[row[1]] then
    order[#order + 1] = row[1]
  end
  changes[row[1]] = row
end
for _, pair in ipairs(finished) do
  local _, turn = unpack(pair)
  for _, row in ipairs(turn[4]) do
    last_word(instance_changes, instance_names, row)
  end
  for _, row in ipairs(turn[5]) do
    last_word(timer_changes, timer_names, row)
  end
  causes_done[#causes_done + 1] = turn[2]
  if turn[8] then
    local letter = turn[8]
    letter[#letter + 1] = without_body(values[turn[2]])
    letters_[#letters_ + 1] = letter
  end
end
local instances_before = get('HMGET', instances, instance_names)
local timers_before = get('HMGET', timers, timer_names)
check_types()

-- From here on everything is written, and no command can fail ---------------------------------

local scope_writes, index, no_index = {}, {}, {}
for key, scope in pairs(current) do
  if scope[3] then
    local person, old = sub(scope[2], 2), known[key] and sub(known[key][2], 2)
    add(scope_writes, key, scope[3])
    if not known[key] then
      add(index, 0, base(key) .. 's')
    end
    if old ~= person then
      if old and old ~= owner(key) and old ~= '' then
        add(no_index, old .. NUL .. key .. NUL .. 's')
      end
      if person ~= owner(key) and person ~= '' then
        add(index, 0, person .. NUL .. key .. NUL .. 's')
      end
    end
  end
end
many('HSET', scopes, scope_writes)
call('HSET', meta, 'version', int(highest))

write_instances(instance_names, instance_changes, instances_before, index)
write_timers(timer_names, timer_changes, timers_before, index, no_index)
write_moves(moves, instance_changes, index)
many('ZREM', rows, no_index)
many('ZADD', rows, index)
put_messages(messages)
put_letters(letters_)
end_causes(causes_done, values)
return table.concat(outcomes, ';')
