-- ARGV: now, this handle, rows.
local page = cjson.decode(ARGV[3])
check_types()
local answer = put_causes(page)
for _, seq in ipairs(answer) do
  if seq then
    hint(ARGV[2])
    break
  end
end
return answer
