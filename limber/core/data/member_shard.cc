#include "limber/core/data/member_shard.h"

#include <charconv>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/core/base/random.h"
#include "limber/core/data/vocabulary.h"

namespace limber {
namespace {

// Unlike the splits' seeds, so that a share is not all training or all test members.
constexpr std::uint64_t kPurpose = 0x5ead5;
constexpr std::int64_t kMost = 1'000'000;

std::int64_t whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : -1;
}

}  // namespace

bool MemberShard::has(const Key& member) const {
  if (all()) return true;
  const std::uint64_t word = mix64(hash_key(member) ^ mix64(kPurpose));
  return word % static_cast<std::uint64_t>(count) == static_cast<std::uint64_t>(index - 1);
}

MemberShard parse_member_shard(const std::string& text, const std::string& option) {
  const std::size_t slash = text.find('/');
  const std::string_view all = text;
  MemberShard shard{-1, -1};
  if (slash != std::string::npos) {
    shard = {whole(all.substr(0, slash)), whole(all.substr(slash + 1))};
  }
  if (shard.count < 1 || shard.count > kMost || shard.index < 1 || shard.index > shard.count) {
    throw InputError("{} {}: expected I/N, such as 3/8 for the third of eight shards", option,
                     one_short_line(text, 40));
  }
  return shard;
}

}  // namespace limber
