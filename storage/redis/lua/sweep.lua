-- ARGV: now, table, time, limit, where to go on. Looks at up to 1000 rows, oldest first, and
-- removes those that ended before the time and of whom nothing lives. Answers how many those
-- were, and where to go on ('' at the end).
local table_, time, limit, cursor = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]

local function lives(conv)
  return #beginning(live, conv .. NUL, 1) > 0
end

local function never()
  return false
end

local function itself(name)
  return name
end

-- The list by time, what removes a row, whether it is needed, and what to sort by.
local TABLES = {
  inbox = {done, drop_cause, never, itself},
  outbox = {settled, drop_message, function(name) return lives(match(name, '^%Z*')) end,
    function(name) return sub(call('HGET', outbox, name), 1, 16) end},
  messages = {kept, drop_reference, function(name) return lives(match(name, '^%Z*')) end, itself},
  transcripts = {told, drop_line, function(name) return lives(match(name, '^%Z*')) end, itself},
  instances = {ended, drop_instance, never, itself},
}

local over, next_ = {}, ''
local drop, sort_by = drop_move, itself

if table_ == 'transitions' then
  -- By flow and number, which is almost by time.
  local page = call('ZRANGEBYLEX', log, '(' .. cursor, '+', 'LIMIT', 0, 1000)
  for _, member in ipairs(page) do
    local name = match(member, '^%Z*%z(.*)$')
    local instance, at = match(call('HGET', transitions, name), '^%Z*%z(%Z*)%z(%Z*)%z')
    if tonumber(at) < tonumber(time) then
      if not call('ZSCORE', live, sub(name, 33) .. NUL .. instance) then
        add(over, name)
      end
    end
  end
  next_ = #page == 1000 and page[#page] or ''
else
  local list, drop_, is_needed, key = unpack(TABLES[table_])
  drop, sort_by = drop_, key
  local offset = tonumber(cursor) or 0
  -- By rank, which Redis finds at once, however many are passed over.
  local page = call('ZRANGE', list, offset, offset + 999, 'WITHSCORES')
  local kept_ = 0
  for place = 1, #page, 2 do
    if tonumber(page[place + 1]) >= tonumber(time) then
      page = {}
      break
    end
    if is_needed(page[place]) then
      kept_ = kept_ + 1
    else
      add(over, page[place])
    end
  end
  next_ = (#page == 2000 or #over > limit) and int(offset + kept_) or ''
end

check_types()
-- By name, as other databases do.
local keys = {}
for _, name in ipairs(over) do
  keys[name] = sort_by(name)
end
table.sort(over, function(a, b) return before(keys[a], keys[b]) end)
local removed = math.min(limit, #over)
for place = 1, removed do
  drop(over[place])
end
return {removed, next_}
