#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/base/error.h"

namespace limber {

static_assert(std::endian::native == std::endian::little, "records are written as they lie");

/// Appends a number's bytes, the lowest first.
template <class Number>
void put_number(std::string& bytes, Number number) {
  char raw[sizeof(Number)];
  std::memcpy(raw, &number, sizeof(Number));
  bytes.append(raw, sizeof(Number));
}

/// Appends 8 bytes that sort as the numbers do.
inline void put_sortable(std::string& bytes, std::uint64_t number) {
  put_number(bytes, __builtin_bswap64(number));
}

/// Appends a text after its length in two bytes, the highest first: no such text is the beginning
/// of another.
inline void put_text(std::string& bytes, std::string_view text) {
  put_number(bytes, __builtin_bswap16(static_cast<std::uint16_t>(text.size())));
  bytes += text;
}

/// Reads what the functions above wrote. A record that ends too early is damaged: Error.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    Number result;
    std::memcpy(&result, take(sizeof(Number)).data(), sizeof(Number));
    return result;
  }
  std::uint64_t sortable() { return __builtin_bswap64(number<std::uint64_t>()); }
  std::string_view text() { return take(__builtin_bswap16(number<std::uint16_t>())); }
  std::string_view rest() { return take(rest_.size()); }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      throw Error("store: a record of {} bytes is cut short: the store is damaged", rest_.size());
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace limber
