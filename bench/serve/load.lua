-- wrk's requests for bench/serve.py: five requests to rank for each feedback, and the time of each,
-- told apart by kind and by whether it was accepted. One connection a thread, so that a response
-- belongs to the request before it.
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long seconds, nanoseconds; } limber_time; int clock_gettime(int, limber_time*); ]]
local moment = ffi.new("limber_time")

local function now()
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) * 1e6 + tonumber(moment.nanoseconds) / 1e3
end

local threads = {}
function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

-- Buckets of microseconds, each 2 % wider than the one before.
local function bucket(microseconds)
  return math.max(0, math.floor(math.log(microseconds) / math.log(1.02)))
end

function init(arguments)
  members, items, candidates = tonumber(arguments[1]), tonumber(arguments[2]), tonumber(arguments[3])
  math.randomseed(1000 + number)
  count, begin, kind = 0, 0, "rank"
  rank_times, feedback_times = {}, {}
  rank_shed, feedback_shed, failed = 0, 0, 0
  -- Bodies made ahead: making one takes longer than answering it.
  ranks = {}
  for r = 1, 32 do
    local list = {}
    for i = 1, candidates do list[i] = math.random(items) end
    ranks[r] = ',"candidates":[' .. table.concat(list, ",") .. "]}"
  end
  json = {["Content-Type"] = "application/json"}
end

function request()
  count = count + 1
  local member = math.random(members)
  local path, body
  if count % 6 == 0 then
    kind, path = "feedback", "/feedback"
    body = string.format('{"member":%d,"interaction":{"movie_id":%d,"rating":%d}}', member,
                         math.random(items), math.random(5))
  else
    kind, path = "rank", "/rank"
    body = '{"member":' .. member .. ranks[math.random(#ranks)]
  end
  local bytes = wrk.format("POST", path, json, body)
  begin = now()
  return bytes
end

function response(status)
  local took = bucket(now() - begin)
  if status == 503 or status == 429 then
    if kind == "rank" then rank_shed = rank_shed + 1 else feedback_shed = feedback_shed + 1 end
  elseif status ~= 200 then
    failed = failed + 1
  elseif kind == "rank" then
    rank_times[took] = (rank_times[took] or 0) + 1
  else
    feedback_times[took] = (feedback_times[took] or 0) + 1
  end
end

local function quantiles(times)
  local total, keys = 0, {}
  for key, value in pairs(times) do
    total = total + value
    table.insert(keys, key)
  end
  table.sort(keys)
  local wanted, found, seen, at = {0.5, 0.99, 0.999}, {}, 0, 1
  for _, key in ipairs(keys) do
    seen = seen + times[key]
    while at <= #wanted and seen >= wanted[at] * total do
      found[at] = 1.02 ^ (key + 0.5) / 1e3
      at = at + 1
    end
  end
  return total, found[1] or 0, found[2] or 0, found[3] or 0
end

function done(summary)
  local rank, feedback, shed, fails = {}, {}, 0, 0
  for _, thread in ipairs(threads) do
    for key, value in pairs(thread:get("rank_times")) do rank[key] = (rank[key] or 0) + value end
    for key, value in pairs(thread:get("feedback_times")) do feedback[key] = (feedback[key] or 0) + value end
    shed = shed + thread:get("rank_shed") + thread:get("feedback_shed")
    fails = fails + thread:get("failed")
  end
  local seconds = summary.duration / 1e6
  local r, r50, r99, r999 = quantiles(rank)
  local f, f50, f99, f999 = quantiles(feedback)
  local broken = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format('JSON {"seconds":%.3f,"ranks":%d,"rank_p50":%.3f,"rank_p99":%.3f,"rank_p999":%.3f,' ..
    '"feedbacks":%d,"feedback_p50":%.3f,"feedback_p99":%.3f,"feedback_p999":%.3f,"shed":%d,"failed":%d,"broken":%d}',
    seconds, r, r50, r99, r999, f, f50, f99, f999, shed, fails, broken))
end
