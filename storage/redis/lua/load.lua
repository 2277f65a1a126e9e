-- ARGV: now, keys of scopes.
return get('HMGET', scopes, cjson.decode(ARGV[2]))
