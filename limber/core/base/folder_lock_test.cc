#include "limber/core/base/folder_lock.h"

#include <gtest/gtest.h>

#include <optional>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {

TEST(FolderLock, IsHeldByOneAtATime) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a" / "b";
  std::optional<FolderLock> first(path);
  EXPECT_TRUE(std::filesystem::is_directory(path));
  try {
    const FolderLock second(path);
    ADD_FAILURE() << "both hold it";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos);
  }
  const FolderLock other(folder.path() / "a");  // another folder
  first.reset();
  const FolderLock third(path);
}

TEST(FolderLock, NeedsAFolder) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path() / "file", "");
  EXPECT_THROW(FolderLock(folder.path() / "file" / "below"), Error);
}

}  // namespace
}  // namespace limber
