-- Refreshes at an OAuth token endpoint, each with a token that an earlier answer brought; the first ones come from a
-- tape. Arguments: tape, record length (with its line feed), path, body before the token.
local tokens = {}
local workers = {}
sent = 0

function setup(worker)
  table.insert(workers, worker)
end

function init(args)
  local tape = assert(io.open(args[1], "rb"))
  for token in tape:lines() do
    table.insert(tokens, token)
  end
  path = args[3]
  before = args[4]
  form = { ["Content-Type"] = "application/x-www-form-urlencoded" }
end

function request()
  sent = sent + 1
  return wrk.format("POST", path, form, before .. (table.remove(tokens) or "none-left"))
end

function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token ~= nil then
    table.insert(tokens, token)
  end
end

function done(summary, latency, requests)
  local all = 0
  for _, worker in ipairs(workers) do
    all = all + worker:get("sent")
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"sent":%d,"seconds":%f,"refused":%d,"broken":%d,"p50Ms":%f,"p99Ms":%f,"maxMs":%f}\n',
    summary.requests, all, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
