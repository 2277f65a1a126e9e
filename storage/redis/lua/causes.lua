-- Causes: rows of the inbox. A row is partition, conversation, source, ext, kind, at and body;
-- the body is emptied, and `notes` and `tries` are dropped, when it is done.

-- Accepts rows {partition, conversation, source, ext, kind, at, body}; their numbers, false for
-- a duplicate. A duplicate uses up a number, as in other databases.
local function put_causes(rows_)
  local last = tonumber(call('HGET', meta, 'cause') or 0)
  local names, answer, seen = {}, {}, {}
  for place, row in ipairs(rows_) do
    names[place] = row[3] .. NUL .. row[4]
  end
  local known = get('HMGET', accepted, names)
  local name_writes, row_writes, queue_writes, index_writes = {}, {}, {}, {}
  for place, row in ipairs(rows_) do
    local name = names[place]
    answer[place] = false
    if not known[place] and not seen[name] then
      seen[name] = true
      local seq = ordered(last + place)
      add(name_writes, name, seq)
      add(row_writes, seq, table.concat(row, NUL))
      add(queue_writes, 0, row[1] .. seq)
      add(index_writes, 0, base(sub(row[2], 2)) .. 'c' .. seq)
      answer[place] = last + place
    end
  end
  if #rows_ > 0 then
    call('HSET', meta, 'cause', int(last + #rows_))
  end
  many('HSET', accepted, name_writes)
  many('HSET', inbox, row_writes)
  many('ZADD', todo, queue_writes)
  many('ZADD', rows, index_writes)
  return answer
end

local function without_body(row)
  return match(row, '^(%Z*%z%Z*%z%Z*%z%Z*%z%Z*%z%Z*%z)')
end

-- Marks undone causes as done and empties them; `values` are the rows as they are.
local function end_causes(seqs, values)
  local members, ends, emptied, time = {}, {}, {}, int(now)
  for _, seq in ipairs(seqs) do
    add(members, sub(values[seq], 1, 2) .. seq)
    add(emptied, seq, without_body(values[seq]))
    add(ends, time, seq)
  end
  many('ZREM', todo, members)
  many('HSET', inbox, emptied)
  many('ZADD', done, ends)
  -- Few have any.
  if call('HLEN', notes) > 0 then
    many('HDEL', notes, seqs)
  end
  if call('HLEN', tries) > 0 then
    many('HDEL', tries, seqs)
  end
end

-- Tells whoever listens that there are new causes, and who has brought them.
local function hint(handle)
  call('PUBLISH', wakes, handle)
end
