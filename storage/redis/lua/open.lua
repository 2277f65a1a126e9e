-- ARGV: now, application, format. Answers whose the keys are and in which format; an empty
-- database becomes ours.
local kind = call('TYPE', meta).ok
if kind == 'hash' then
  local found = call('HMGET', meta, 'application', 'format')
  return {found[1] or '', found[2] or ''}
end
if kind ~= 'none' or call('EXISTS', unpack(KEYS)) > 0 then
  return {'', ''}
end
call('HSET', meta, 'application', ARGV[2], 'format', ARGV[3], 'created', int(now))
return {ARGV[2], ARGV[3]}
