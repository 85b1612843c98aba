#pragma once

/// What Redis runs in one step, so that several servers may share it. A member is three keys and a
/// place in an index of all members:
///
///     limber:h:MEMBER   hash    touched, newest, marks: 8 bytes of each kept event_id's hash
///     limber:i:MEMBER   list    interactions, the newest last: sequence, time, event_id, body
///     limber:s:MEMBER   hash    length, model, version -> time, sequence, values
///     limber:members    sorted set of all members, all with score 0: in the order of their bytes
///     limber:probe      written now and then, to see whether writing works
///
/// Marks let an append look for its event_id without reading the interactions; one that matches is
/// compared with the interaction itself. Numbers in records are 8 bytes, the lowest first.
namespace limber::redis_scripts {

/// What all scripts begin with. KEYS: head, interactions, states, index. ARGV: now, lifetimes of
/// interactions, states and head in milliseconds, member.
inline constexpr char kCommon[] = R"lua(
local head, list, states, index = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now, list_life, state_life = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local head_life, member = tonumber(ARGV[4]), ARGV[5]
local touched, newest, marks = now, 0, ''

local function expired(time, life) return life > 0 and time < now - life end
local function number(record, at) return (struct.unpack('<i8', record, at)) end
local function set_lifetime(key, life)
  if life > 0 then redis.call('PEXPIRE', key, life) else redis.call('PERSIST', key) end
end

local function read_head()
  local stored = redis.call('HMGET', head, 'touched', 'newest', 'marks')
  if not stored[1] then return end
  if expired(tonumber(stored[1]), head_life) then
    redis.call('DEL', head, list, states)
    return
  end
  touched, newest, marks = math.max(now, tonumber(stored[1])), tonumber(stored[2]), stored[3]
end

-- Comes last: the clock goes on meanwhile, and a head must not end before what it numbers.
local function write_head()
  redis.call('HSET', head, 'touched', string.format('%.0f', touched),
             'newest', string.format('%.0f', newest), 'marks', marks)
  redis.call('ZADD', index, 0, member)
  set_lifetime(head, head_life)
  set_lifetime(index, head_life)
end
)lua";

/// More of ARGV: most interactions, then for each: time, mark, event_id as in the record, and the
/// record without its sequence. Returns for each: AppendOutcome, sequence.
inline constexpr char kAppend[] = R"lua(
local most = tonumber(ARGV[6])
read_head()
local size = redis.call('LLEN', list)
-- The list may have become shorter since, by what it dropped for duplicates or by its own lifetime.
marks = string.sub(marks, #marks - 8 * size + 1)

local function drop_oldest()
  redis.call('LPOP', list)
  size, marks = size - 1, string.sub(marks, 9)
end

local function kept(mark, event)
  local from = 1
  while true do
    local at = string.find(marks, mark, from, true)
    if not at then return nil end
    if (at - 1) % 8 == 0 then
      local record = redis.call('LINDEX', list, (at - 1) / 8)
      if string.sub(record, 17, 16 + #event) == event and not expired(number(record, 9), list_life) then
        return number(record, 1)
      end
    end
    from = at + 1
  end
end

while size > 0 and expired(number(redis.call('LINDEX', list, 0), 9), list_life) do drop_oldest() end
local results, stored = {}, false
for i = 7, #ARGV, 4 do
  local time, mark, event = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  local outcome, sequence = 0, nil
  if expired(time, list_life) then
    outcome, sequence = 2, 0
  else
    if #event > 2 then sequence = kept(mark, event) end
    if sequence then
      outcome = 1
    else
      newest, size, stored = newest + 1, size + 1, true
      sequence, touched, marks = newest, math.max(touched, time), marks .. mark
      redis.call('RPUSH', list, struct.pack('<i8', sequence) .. ARGV[i + 3])
      while size > most do drop_oldest() end
    end
  end
  table.insert(results, outcome)
  table.insert(results, sequence)
end
if stored then
  set_lifetime(list, list_life)
  write_head()
end
return results
)lua";

/// More of ARGV: most states, field, time, sequence, value. Returns 1 when it was stored.
inline constexpr char kPutState[] = R"lua(
local most, field, value = tonumber(ARGV[6]), ARGV[7], ARGV[10]
local time, sequence = tonumber(ARGV[8]), tonumber(ARGV[9])
if expired(time, state_life) then return 0 end
read_head()
if sequence > newest then return 0 end
local others, outdated = {}, {}
local all = redis.call('HGETALL', states)
for i = 1, #all, 2 do
  local other = {field = all[i], time = number(all[i + 1], 1)}
  if expired(other.time, state_life) then
    table.insert(outdated, other.field)
  elseif other.field ~= field then
    table.insert(others, other)
  elseif number(all[i + 1], 9) > sequence then
    return 0
  end
end
table.sort(others, function(one, two) return one.time < two.time end)
for i = 1, #others - most + 1 do table.insert(outdated, others[i].field) end
for _, old in ipairs(outdated) do redis.call('HDEL', states, old) end
redis.call('HSET', states, field, value)
touched = math.max(touched, time)
set_lifetime(states, state_life)
write_head()
return 1
)lua";

inline constexpr char kForget[] = R"lua(
redis.call('DEL', head, list, states)
redis.call('ZREM', index, member)
return 1
)lua";

/// `member` is the cursor here. More of ARGV: most members, field, and what keys of heads and of
/// states begin with. Returns the next cursor, then for each: member, newest sequence, sequence of
/// the state or -1.
inline constexpr char kScan[] = R"lua(
local most, field = tonumber(ARGV[6]), ARGV[7]
local from = '-'
if member ~= '' then from = '(' .. member end
local page = redis.call('ZRANGEBYLEX', index, from, '+', 'LIMIT', 0, most)
local results = {''}
if #page == most then results[1] = page[#page] end
for _, name in ipairs(page) do
  local stored = redis.call('HMGET', ARGV[8] .. name, 'touched', 'newest')
  if not stored[1] then
    redis.call('ZREM', index, name)
  elseif not expired(tonumber(stored[1]), head_life) then
    local last, state = tonumber(stored[2]), redis.call('HGET', ARGV[9] .. name, field)
    local adapted = -1
    if state and not expired(number(state, 1), state_life) then adapted = number(state, 9) end
    if last > math.max(adapted, 0) then
      table.insert(results, name)
      table.insert(results, last)
      table.insert(results, adapted)
    end
  end
end
return results
)lua";

}  // namespace limber::redis_scripts
