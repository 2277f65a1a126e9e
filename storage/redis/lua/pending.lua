-- ARGV: now, fence, numbers to skip, limit.
local fence, limit = cjson.decode(ARGV[2]), tonumber(ARGV[4])
local skip = {}
for _, seq in ipairs(cjson.decode(ARGV[3])) do
  skip[seq] = true
end
local function wanted(seq)
  return not skip[seq]
end

-- One row of each conversation before the second of any, out of the `window` oldest.
local function choose(window)
  local seqs, more = oldest(todo, held(fence), window, wanted)
  local values = get('HMGET', inbox, seqs)
  local places, ranks, groups = {}, {}, 0
  for place, seq in ipairs(seqs) do
    local conv = match(values[place], '^%Z*%z=?(%Z*)')
    local group = conv ~= '' and conv or NUL .. seq
    places[group] = (places[group] or 0) + 1
    groups = groups + (places[group] == 1 and 1 or 0)
    ranks[place] = {places[group], seq}
  end
  table.sort(ranks, function(a, b)
    if a[1] ~= b[1] then
      return a[1] < b[1]
    end
    return a[2] < b[2]
  end)
  local chosen = {}
  for place = 1, math.min(limit, #ranks) do
    chosen[place] = ranks[place][2]
  end
  table.sort(chosen)
  return chosen, more and groups == 1 and #chosen == limit and limit > 1
end

if limit < 1 then
  return {}
end
local chosen, crowded = choose(limit * 8)
if crowded then
  chosen = choose(math.huge)
end
local values = get('HMGET', inbox, chosen)
local noted, counts = get('HMGET', notes, chosen), get('HMGET', tries, chosen)
local writes, answer = {}, {}
for place, seq in ipairs(chosen) do
  local tried = int(tonumber(counts[place] or 0) + 1)
  add(writes, seq, tried)
  add(answer, seq, values[place])
  add(answer, noted[place], tried)
end
many('HSET', tries, writes)
return answer
