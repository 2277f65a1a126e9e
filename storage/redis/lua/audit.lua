-- ARGV: now, the row: when, who, what, to what, conversation, detail. Keeps what an operator did.
local number = ordered(tonumber(call('HGET', meta, 'audit') or 0) + 1)
check_types()
call('HINCRBY', meta, 'audit', 1)
call('HSET', audit, number, ARGV[2])
call('ZADD', audited, 0, number)
