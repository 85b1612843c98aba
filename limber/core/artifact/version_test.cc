#include "limber/core/artifact/version.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {

TEST(Version, NamesAndNumbersAreInverse) {
  EXPECT_EQ(version_name(1), "000001");
  for (const std::uint64_t number : {1ull, 42ull, 999999ull, 1000000ull, ~0ull}) {
    EXPECT_EQ(parse_version(version_name(number)), number);
  }
  for (const char* name : {"", "1", "0000001", "000000", "00001a", "+00001", "-00001", " 00001",
                           "000001 ", "0x0001", "18446744073709551616", ".000001"}) {
    EXPECT_EQ(parse_version(name), std::nullopt) << name;
  }
}

TEST(Version, ListsInNumericalOrderAndOverlooksTheRest) {
  const TemporaryFolder folder;
  for (const char* name : {"1000000", "000010", "999999", ".writing-1-2", "notes", "7"}) {
    std::filesystem::create_directory(folder.path() / name);
  }
  EXPECT_EQ(list_versions(folder.path()), (std::vector<std::uint64_t>{10, 999999, 1000000}));
  EXPECT_TRUE(list_versions(folder.path() / "absent").empty());
}

TEST(Version, AModelsNameStaysOneFolder) {
  for (const char* name : {"m", "MovieLens-1M_v2.0"}) EXPECT_NO_THROW(check_model_name(name));
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "a\\b", "a b", "a\n", "\xc3\xa9"}) {
    EXPECT_THROW(check_model_name(name), InputError) << name;
  }
}

}  // namespace
}  // namespace limber
