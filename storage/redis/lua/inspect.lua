-- ARGV: now, listing, filters, where to go on or '', how many. Answers per row its name, its
-- value, and what else its kind has. A row's place in its listing is a text: what the listing is
-- sorted by, in order.
local what, filters, begin, want = ARGV[2], cjson.decode(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local conv_, id_, person_ = filters.conv, filters.instance, filters.person

local function partitions()
  if filters.part then
    return {filters.part}
  end
  local all = {}
  for part = 0, 63 do
    all[part + 1] = format('%02x', part)
  end
  return all
end

local function has_text(name)
  local conv, id = match(name, '^(%Z*)%z(.*)$')
  return string.find(conv, filters.text, 1, true) or string.find(id, filters.text, 1, true)
end

-- Whether an instance {version, step, updated, ended} is as the filters want it that no list is by.
local looks_closer = filters.step or filters.before or filters.text
local function is_so(name, rest)
  return (not filters.step
      or string.find(' ' .. rest[2] .. ' ', ' ' .. filters.step .. ' ', 1, true))
    and (not filters.before or rest[3] < tonumber(filters.before))
    and (not filters.text or has_text(name))
end

local function everything()
  return {''}
end

-- The lists of the classes whose fields are as the filters want them.
local function classes_of(kind, wanted)
  return function()
    local found = {}
    for _, class in ipairs(call('HKEYS', classes)) do
      local parts_ = fields(sub(class, 2))
      local fits = sub(class, 1, 1) == kind
      for place, name in ipairs(wanted) do
        fits = fits and (not filters[name] or filters[name] == parts_[place])
      end
      if fits then
        add(found, sub(class, 2) .. (kind == 'x' and NUL or ''))
      end
    end
    return found
  end
end

local LISTINGS = {
  instances = {
    letter = 'i', list = order, newest = true,
    lists = classes_of('i', {'flow', 'status', 'live'}),
    place = function(conv, id)
      local name = conv .. NUL .. id
      return sub(place_of(call('HGET', instances, name)), -16) .. name
    end,
    fits = function(place)
      local name = sub(place, 17)
      local found = fields(call('HGET', instances, name))
      return (not filters.flow or found[1] == filters.flow)
        and (not filters.status or found[2] == filters.status)
        and (not filters.live or sub(found[3], 1, 1) == filters.live)
        and (not id_ or match(name, '^%Z*%z(.*)$') == id_)
        and (not looks_closer or is_so(name, cjson.decode(found[4])))
    end,
    show = function(place)
      local name = sub(place, 17)
      return name, call('HGET', instances, name)
    end,
  },
  transitions = {
    letter = 'x', list = log, newest = true,
    lists = classes_of('x', {'flow'}),
    place = function(conv, row) return sub(row, -32) .. conv end,
    fits = function(place)
      local found = fields(call('HGET', transitions, place))
      return (not filters.flow or found[1] == filters.flow) and (not id_ or found[2] == id_)
    end,
    show = function(place) return place, call('HGET', transitions, place) end,
  },
  dead_letters = {
    letter = 'd', list = letters, newest = true, lists = everything,
    place = function(_, number) return number end,
    fits = function(number) return not filters.letter or number == filters.letter end,
    show = function(number) return number, call('HGET', dead, number) end,
  },
  audit = {
    list = audited, newest = true, lists = everything,
    fits = function(number)
      return not conv_ or fields(call('HGET', audit, number))[5] == '=' .. conv_
    end,
    show = function(number) return number, call('HGET', audit, number) end,
  },
  inbox = {
    letter = 'c', list = todo, lists = partitions,
    place = function(_, seq) return seq end,
    fits = function(seq)
      local part = sub(call('HGET', inbox, seq), 1, 2)
      return (not filters.part or part == filters.part) and call('ZSCORE', todo, part .. seq)
    end,
    show = function(seq)
      return seq, call('HGET', inbox, seq), call('HGET', notes, seq), call('HGET', tries, seq)
    end,
  },
  outbox = {
    letter = 'm', list = unsent, lists = everything,
    place = function(conv, row) return (known_as(conv .. NUL .. row)) end,
    fits = function(seq)
      local state = call('HEXISTS', marks, seq) == 1 and 'later' or 'new'
      local message = call('HGET', texts, seq)
      return message
        and (not filters.part or filters.part == sub(message, 1, 2))
        and (not filters.status or filters.status == state)
    end,
    show = function(seq)
      return seq, call('HGET', texts, seq), call('HGET', marks, seq)
    end,
  },
  timers = {
    letter = 't', list = due, lists = partitions,
    place = function(conv, label)
      local name = conv .. NUL .. label
      return sub(call('HGET', timers, name), 3, 18) .. name
    end,
    fits = function() return true end,
    show = function(place)
      local name = sub(place, 17)
      return name, call('HGET', timers, name)
    end,
  },
}
local listing = LISTINGS[what]
local comes_first = listing.newest and after or before

-- The conversations that the filters name, or nil where they name none.
local function named()
  if what == 'audit' then
    return nil
  end
  if conv_ then
    return {conv_}
  end
  local found, seen = {}, {}
  local function note_conv(conv)
    if not seen[conv] then
      seen[conv] = true
      add(found, conv)
    end
  end
  if person_ then
    for _, member in ipairs(beginning(rows, person_ .. NUL)) do
      note_conv(match(member, '^%Z*%z(%Z*)%z'))
    end
  elseif id_ then
    for _, member in ipairs(beginning(ids, id_ .. NUL)) do
      note_conv(sub(member, #id_ + 2))
    end
  else
    return nil
  end
  return found
end

local function is_theirs(conv)
  if not person_ then
    return true
  end
  local scope = call('HGET', scopes, conv)
  return scope and match(scope, '^%Z*%z%Z*%z(%Z*)%z') == '=' .. person_
end

local function of_conversations(convs)
  local found = {}
  for _, conv in ipairs(convs) do
    local start = base(conv) .. listing.letter
    for _, member in ipairs(is_theirs(conv) and beginning(rows, start) or {}) do
      local place = listing.place(conv, sub(member, #start + 1))
      if listing.fits(place) and (begin == '' or comes_first(begin, place)) then
        add(found, place)
      end
    end
  end
  return found
end

local function next_page(prefix, cursor)
  if listing.newest then
    local top = '(' .. prefix .. (cursor ~= '' and cursor or END)
    return call('ZREVRANGEBYLEX', listing.list, top, '[' .. prefix, 'LIMIT', 0, want)
  end
  local bottom = (cursor ~= '' and '(' or '[') .. prefix .. cursor
  return call('ZRANGEBYLEX', listing.list, bottom, '(' .. prefix .. END, 'LIMIT', 0, want)
end

local function of_lists()
  local found = {}
  for _, prefix in ipairs(listing.lists()) do
    local cursor, number, page = begin, 0, nil
    repeat
      page = next_page(prefix, cursor)
      for _, member in ipairs(page) do
        cursor = sub(member, #prefix + 1)
        if listing.fits(cursor) then
          add(found, cursor)
          number = number + 1
        end
      end
    until #page < want or number >= want
  end
  return found
end

-- The unsent messages of a partition: those of the chats that it has any of.
local function of_chats()
  local found = {}
  for _, front in ipairs(beginning(fronts, filters.part)) do
    local start = sub(front, 19) .. NUL
    for _, member in ipairs(beginning(queue, start)) do
      local seq = sub(member, #start + 1)
      if listing.fits(seq) and (begin == '' or comes_first(begin, seq)) then
        add(found, seq)
      end
    end
  end
  return found
end

local function matching()
  local convs = named()
  if convs then
    return of_conversations(convs)
  end
  return what == 'outbox' and filters.part and of_chats() or of_lists()
end

local places = matching()
table.sort(places, comes_first)
local answer = {}
for place = 1, math.min(want, #places) do
  for _, value in ipairs({listing.show(places[place])}) do
    add(answer, value)
  end
end
return answer
