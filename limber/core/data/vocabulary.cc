#include "limber/core/data/vocabulary.h"

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber {

std::int32_t Vocabulary::find(const Key& key) const {
  if (key.is_number) {
    const auto found = numbers_.find(key.number);
    return found == numbers_.end() ? unknown : found->second;
  }
  const auto found = texts_.find(key.text);
  return found == texts_.end() ? unknown : found->second;
}

std::int32_t Vocabulary::add(const Key& key) {
  if (next_ == std::numeric_limits<std::int32_t>::max()) {
    throw InputError("a vocabulary has more than {} values; use vocabulary: hash", next_ - 1);
  }
  if (key.is_number) {
    const auto [place, added] = numbers_.try_emplace(key.number, next_);
    if (added) {
      keys_.push_back(Key{true, key.number, {}});
      ++next_;
    }
    return place->second;
  }
  const auto found = texts_.find(key.text);
  if (found != texts_.end()) return found->second;
  const auto place = texts_.emplace(std::string(key.text), next_).first;
  keys_.push_back(Key{false, 0, place->first});
  return next_++;
}

Key Vocabulary::key(std::int32_t index) const {
  return index <= 0 || index >= next_ ? Key{false, 0, {}}
                                      : keys_[static_cast<std::size_t>(index - 1)];
}

std::string Vocabulary::text(std::int32_t index) const {
  const Key value = key(index);
  return value.is_number ? std::to_string(value.number) : std::string(value.text);
}

std::string Vocabulary::to_lines() const {
  std::string lines;
  for (const Key& key : keys_) {
    if (key.is_number) {
      lines += '#';
      lines += std::to_string(key.number);
    } else {
      lines +=
          nlohmann::json(key.text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    lines += '\n';
  }
  return lines;
}

Vocabulary Vocabulary::from_lines(const std::string& lines, const std::string& origin) {
  Vocabulary vocabulary;
  std::size_t start = 0;
  for (std::int64_t number = 1; start < lines.size(); ++number) {
    const std::size_t end = std::min(lines.find('\n', start), lines.size());
    const std::string_view line(lines.data() + start, end - start);
    start = end + 1;
    const std::int64_t before = vocabulary.size();
    if (line.starts_with('#')) {
      std::int64_t value = 0;
      const auto parsed = std::from_chars(line.data() + 1, line.data() + line.size(), value);
      if (parsed.ec != std::errc() || parsed.ptr != line.data() + line.size()) {
        throw InputError("{}: line {}: not a number; the file is damaged", origin, number);
      }
      vocabulary.add(Key{true, value, {}});
    } else {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (!json.is_string()) {
        throw InputError("{}: line {}: not a value; the file is damaged", origin, number);
      }
      const std::string text = json.get<std::string>();
      vocabulary.add(Key{false, 0, text});
    }
    if (vocabulary.size() == before) {
      throw InputError("{}: line {}: the value occurs twice; the file is damaged", origin, number);
    }
  }
  return vocabulary;
}

Vocabulary Vocabulary::select(const std::vector<std::int32_t>& indices) const {
  Vocabulary selected;
  for (const std::int32_t index : indices) selected.add(key(index));
  return selected;
}

std::uint64_t hash_key(const Key& key) {
  if (key.is_number) return mix64(static_cast<std::uint64_t>(key.number));
  // FNV-1a, then mixed: stable across platforms, unlike std::hash.
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char byte : key.text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
  }
  return mix64(hash ^ 0x7465787400000000ULL);
}

}  // namespace limber
