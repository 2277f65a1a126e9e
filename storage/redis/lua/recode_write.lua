-- ARGV: now, and then of each value its hash, its field, what it was and what it shall be.
-- Answers of each 1, or what it is by now (false: it is gone) where that is something else.
local HASHES = {
  inbox = inbox, notes = notes, dead = dead, instances = instances, texts = texts,
  refs = refs, lines = lines, scopes = scopes, timers = timers,
}
check_types()
local answer = {}
for place = 2, #ARGV, 4 do
  local key, field = HASHES[ARGV[place]], ARGV[place + 1]
  local there = call('HGET', key, field)
  if there == ARGV[place + 2] then
    call('HSET', key, field, ARGV[place + 3])
    add(answer, 1)
  else
    add(answer, there)
  end
end
return answer
