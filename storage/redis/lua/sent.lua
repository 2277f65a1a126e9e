-- ARGV: now, fence, results, this handle. A result is {name, state, slot name or '', reference,
-- due, error, cause that informs or false}. Answers one letter a result.
local results = cjson.decode(ARGV[3])
local still = held(cjson.decode(ARGV[2]))
check_types()

local informs, time = {}, int(now)

local function keep_reference(name, slot, ref)
  local conv = match(name, '^%Z*')
  call('HSET', refs, slot, ref)
  call('ZADD', kept, time, slot)
  call('ZADD', rows, 0, base(conv) .. 'r' .. sub(slot, #conv + 2))
end

local function bury(seq, tried, result)
  local row = fields(call('HGET', texts, seq))
  local body = table.remove(row)
  put_letters({{
    '=' .. row[3], 'outbox', int(tried), time, result[6], body, table.concat(row, NUL) .. NUL,
  }})
  if result[7] then
    add(informs, result[7])
  end
end

local function record(seq, part, chat, result)
  local name, state, slot, ref, due_ = unpack(result)
  if state == 'sent' then
    if slot ~= '' then
      keep_reference(name, slot, ref)
    end
  else
    local tried = tonumber(match(call('HGET', marks, seq) or '', '^(%d*)%z') or 0) + 1
    if state == 'later' then
      call('HSET', marks, seq, int(tried) .. NUL .. due_)
      return
    end
    bury(seq, tried, result)
  end
  leave_queue(seq, part, chat)
  call('ZADD', settled, time, name)
end

local answer = {}
for place, result in ipairs(results) do
  local seq, part, chat = known_as(result[1])
  if not seq then
    answer[place] = 'g'
  elseif not still[part] then
    answer[place] = 'f'
  elseif call('HEXISTS', texts, seq) == 0 then
    answer[place] = 'g'
  else
    record(seq, part, chat, result)
    answer[place] = 'd'
  end
end
if #informs > 0 then
  put_causes(informs)
  hint(ARGV[4])
end
return table.concat(answer)
