-- What every script begins with: the keys, the clock, and how rows are named.
-- KEYS are those of storage/redis/keys.py, in that order; ARGV[1] is the time in milliseconds,
-- empty for this server's own. Values are texts whose fields are joined by NUL, which no field
-- may hold; a field that may be absent begins with '=' where it is there.

local NUL = '\0'
-- Above every UTF-8 text.
local END = '\255'

local call = redis.call
local sub, match, format = string.sub, string.match, string.format

local now, now_micros
if ARGV[1] == '' then
  local time = call('TIME')
  now_micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
  now = math.floor(now_micros / 1000)
else
  now = tonumber(ARGV[1])
  now_micros = now * 1000
end

-- A whole number as text: tostring would write large ones with an exponent.
local function int(number)
  return format('%.0f', number)
end

-- A number that is not negative as text whose order is that of the numbers; the same as
-- storage.redis.keys.ordered.
local function ordered(number)
  return format('8%015x', number)
end

-- Reads every key that this script may write, so that a key of another type, which somebody
-- else has put there, fails the script before its first write: Lua takes nothing back.
local function check_types()
  for place, key in ipairs(KEYS) do
    call(sub(KINDS, place, place) == 'h' and 'HLEN' or 'ZCARD', key)
  end
end

-- Calls a command with many arguments, in slices that fit on Lua's stack.
local function many(command, key, arguments)
  for start = 1, #arguments, 6000 do
    call(command, key, unpack(arguments, start, math.min(start + 5999, #arguments)))
  end
end

-- The same for commands that answer a list; absent ones are false.
local function get(command, key, names)
  if #names <= 6000 then
    return #names > 0 and call(command, key, unpack(names)) or {}
  end
  local found = {}
  for start = 1, #names, 6000 do
    local page = call(command, key, unpack(names, start, math.min(start + 5999, #names)))
    for _, value in ipairs(page) do
      found[#found + 1] = value
    end
  end
  return found
end

-- Puts one or two values at the end of a list; a loop over `...` takes three times as long.
local function add(list, one, two)
  local size = #list
  list[size + 1] = one
  if two ~= nil then
    list[size + 2] = two
  end
end

local function fields(value)
  local found = {}
  for field in string.gmatch(value .. NUL, '(%Z*)%z') do
    found[#found + 1] = field
  end
  return found
end

-- Members that begin so, in order.
local function beginning(key, prefix, limit)
  if limit then
    return call('ZRANGEBYLEX', key, '[' .. prefix, '(' .. prefix .. END, 'LIMIT', 0, limit)
  end
  return call('ZRANGEBYLEX', key, '[' .. prefix, '(' .. prefix .. END)
end

-- Compares bytes. Lua's own < goes by the server's locale.
local function before(a, b)
  for place = 1, math.min(#a, #b) do
    local x, y = string.byte(a, place), string.byte(b, place)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

local function after(a, b)
  return before(b, a)
end

-- Whose conversation it is by its key (storage.people.belongs), and its private chat
-- (storage.people.private_chat).
local function owner(conv)
  local channel, user = match(conv, '^([^/]*)/[^/]*/[^/]*/[^/]*/([^/]*)$')
  return channel and (channel .. '/' .. user) or ''
end

local function private_chat(conv)
  local address, chat, user = match(conv, '^([^/]*/[^/]*/([^/]*)/[^/]*)/([^/]*)$')
  return chat and chat == user and address or nil
end

-- The beginning of the conversation's members in `rows`, where every row of it is listed:
-- owner, conversation, and a letter for the kind of row followed by its name.
local bases = {}
local function base(conv)
  local known = bases[conv]
  if not known then
    known = owner(conv) .. NUL .. conv .. NUL
    bases[conv] = known
  end
  return known
end

-- The partitions of a fence (partition to lease) that still are as it says.
local function held(fence)
  local still, all = {}, call('HGETALL', parts)
  for place = 1, #all, 2 do
    local part = all[place]
    if fence[part] == all[place + 1] then
      still[part] = true
    end
  end
  return still
end

-- Up to `want` members of a list by partition that `take` accepts, the oldest first, without
-- their partitions; and whether there may be more. Their order is in their first 16 bytes.
local function oldest(key, still, want, take)
  local size = 64
  while true do
    local found, horizon = {}, nil
    for part in pairs(still) do
      local page = beginning(key, part, size)
      if #page == size then
        local last = sub(page[size], 3, 18)
        if not horizon or last < horizon then
          horizon = last
        end
      end
      for _, member in ipairs(page) do
        local name = sub(member, 3)
        if take(name) then
          found[#found + 1] = name
        end
      end
    end
    table.sort(found, function(a, b) return sub(a, 1, 16) < sub(b, 1, 16) end)
    -- Beyond the horizon, a partition that was not read to its end may have older ones.
    while horizon and #found > 0 and sub(found[#found], 1, 16) > horizon do
      found[#found] = nil
    end
    if #found >= want or not horizon then
      local more = horizon ~= nil or #found > want
      while #found > want do
        found[#found] = nil
      end
      return found, more
    end
    size = size * 4
  end
end
