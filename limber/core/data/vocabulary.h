#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "limber/core/data/column.h"

namespace limber {

/// The values of an id column, numbered from 1 in the order in which they were added. Index 0 is
/// kept for what is missing or unknown (out of vocabulary).
class Vocabulary {
 public:
  static constexpr std::int32_t unknown = 0;

  /// Index of `key`, or `unknown`.
  std::int32_t find(const Key& key) const;
  /// Index of `key`, adding it when it is new.
  std::int32_t add(const Key& key);
  /// Number of indices, the unknown one included.
  std::int64_t size() const { return next_; }

  /// The value behind an index as text; "" for `unknown`.
  std::string text(std::int32_t index) const;
  Key key(std::int32_t index) const;

  /// One value a line in index order. A leading `#` marks a number, `"` starts JSON text.
  std::string to_lines() const;
  static Vocabulary from_lines(const std::string& lines, const std::string& origin);

  /// The vocabulary of those indices, in that order, renumbered from 1.
  Vocabulary select(const std::vector<std::int32_t>& indices) const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::unordered_map<std::int64_t, std::int32_t> numbers_;
  std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>> texts_;
  /// By index - 1: where the value is found again. `text` points into the node of `texts_`, which
  /// never moves.
  std::vector<Key> keys_;
  std::int32_t next_ = 1;
};

/// A 64-bit hash of a key that is the same on every platform; used for hashed features and for
/// splits by member.
std::uint64_t hash_key(const Key& key);

}  // namespace limber
