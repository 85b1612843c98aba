#include "limber/core/artifact/checksum.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace limber {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Checksum, MatchesPublishedXxh3) {
  // From the algorithm's specification (empty input) and from `xxhsum -H3`.
  EXPECT_EQ(checksum_of({}), "2d06800538d394c2");
  EXPECT_EQ(checksum_of(bytes_of("abc")), "78af5f94892f3950");
}

TEST(Checksum, PiecesGiveWhatTheWholeGives) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text.push_back(static_cast<char>(i * 37));
  Checksum pieces;
  for (std::size_t begin = 0, step = 1; begin < text.size(); begin += step, step = step * 2 + 1) {
    pieces.add(bytes_of(std::string_view(text).substr(begin, step)));
  }
  EXPECT_EQ(pieces.hex(), checksum_of(bytes_of(text)));
  text[4321] = static_cast<char>(text[4321] ^ 1);
  EXPECT_NE(pieces.hex(), checksum_of(bytes_of(text)));
}

}  // namespace
}  // namespace limber
