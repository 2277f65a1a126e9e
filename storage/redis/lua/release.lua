-- ARGV: now, worker.
check_types()
call('ZREM', workers, ARGV[2])
local all = call('HGETALL', parts)
for place = 1, #all, 2 do
  local epoch, holder = match(all[place + 1], '^(%d+)%z?(%Z*)$')
  if holder == ARGV[2] then
    call('HSET', parts, all[place], epoch)
    call('HDEL', leases, all[place])
  end
end
return 1
