-- Requests that each carry the next record of a tape: a file of records of one length.
-- Arguments: tape, record length, method, path, header of the record (empty: the record is a JSON body), further
-- headers (each ending in a line feed). A "%s" in them becomes a number that no other request of the run has.
local tape, size, head, numbered
local workers = {}
sent = 0

function setup(worker)
  table.insert(workers, worker)
end

function init(args)
  size = tonumber(args[2])
  tape = assert(io.open(args[1], "rb"))
  head = args[3] .. " " .. args[4] .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
  if args[6] ~= nil then
    head = head .. args[6]:gsub("\n", "\r\n")
  end
  numbered = head:find("%s", 1, true) ~= nil
  if args[5] == "" then
    head = head .. "Content-Type: application/json\r\nContent-Length: " .. size .. "\r\n\r\n"
    tail = ""
  else
    head = head .. args[5] .. ": "
    tail = "\r\n\r\n"
  end
  unique = os.time()
end

function request()
  local record = tape:read(size)
  if record == nil then
    tape:seek("set", 0)
    record = tape:read(size)
  end
  sent = sent + 1
  if numbered then
    return head:format(unique .. "-" .. sent) .. record .. tail
  end
  return head .. record .. tail
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
