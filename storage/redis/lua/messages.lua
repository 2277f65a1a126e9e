-- Messages: rows of the outbox. `outbox` has number, partition and chat by the message's name
-- (conversation, turn, n) for as long as it is known; `texts` the whole row by its number, and
-- `marks` what tries have left, until it is settled.

local function message_name(row)
  return row[3] .. NUL .. row[4] .. NUL .. row[5]
end

local function first_of(chat)
  return beginning(queue, chat .. NUL, 1)[1]
end

-- Puts messages {partition, chat, conversation, turn, n, slot, body} at the end of their chats.
local function put_messages(list)
  if #list == 0 then
    return
  end
  local last = tonumber(call('HGET', meta, 'message') or 0)
  local row_writes, text_writes, queue_writes, unsent_writes = {}, {}, {}, {}
  local front_writes, index_writes, post_writes, waits = {}, {}, {}, {}
  for place, row in ipairs(list) do
    local seq, part, chat, conv = ordered(last + place), row[1], row[2], row[3]
    local name = message_name(row)
    add(row_writes, name, seq .. NUL .. part .. NUL .. chat)
    add(text_writes, seq, table.concat(row, NUL))
    add(queue_writes, 0, chat .. NUL .. seq)
    add(unsent_writes, 0, seq)
    add(index_writes, 0, base(conv) .. 'm' .. row[4] .. NUL .. row[5])
    if private_chat(conv) ~= chat then
      add(post_writes, 0, chat .. NUL .. name)
    end
    if not waits[chat] then
      waits[chat] = true
      if not first_of(chat) then
        add(front_writes, 0, part .. seq .. chat)
      end
    end
  end
  call('HSET', meta, 'message', int(last + #list))
  many('HSET', outbox, row_writes)
  many('HSET', texts, text_writes)
  many('ZADD', queue, queue_writes)
  many('ZADD', unsent, unsent_writes)
  many('ZADD', fronts, front_writes)
  many('ZADD', rows, index_writes)
  many('ZADD', posted, post_writes)
end

-- Takes an unsent message out of its chat's queue and empties it.
local function leave_queue(seq, part, chat)
  call('HDEL', texts, seq)
  call('HDEL', marks, seq)
  call('ZREM', queue, chat .. NUL .. seq)
  call('ZREM', unsent, seq)
  if call('ZREM', fronts, part .. seq .. chat) == 1 then
    local first = first_of(chat)
    if first then
      local next_ = sub(first, -16)
      call('ZADD', fronts, 0, sub(call('HGET', texts, next_), 1, 2) .. next_ .. chat)
    end
  end
end

-- Number, partition and chat of a message.
local function known_as(name)
  local value = call('HGET', outbox, name)
  if value then
    return match(value, '^(%Z*)%z(%Z*)%z(%Z*)$')
  end
end
