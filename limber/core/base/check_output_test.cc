#include "limber/core/base/check_output.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class CheckOutput : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }

  static std::string file_refusal(const fs::path& path) {
    return refusal([&] { check_output_file("--report", path); });
  }
  static std::string folder_refusal(const fs::path& path) {
    return refusal([&] { check_output_folder("--output", path); });
  }
  void expect_untouched() const {
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()),
              entries_);
  }
  void touch(const std::string& name) {
    std::ofstream(at(name)) << "precious";
    ++entries_;
  }

  TemporaryFolder folder_;
  std::ptrdiff_t entries_ = 0;

 private:
  template <class Check>
  static std::string refusal(Check check) {
    try {
      check();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
};

/// A folder that refuses new files, even those of root.
const fs::path kRefusing = "/proc";

TEST_F(CheckOutput, WhatCanBeWrittenPassesAndLeavesNoTrace) {
  EXPECT_EQ(file_refusal(at("new.html")), "");
  EXPECT_EQ(folder_refusal(folder_.path()), "");
  EXPECT_EQ(folder_refusal(at("new")), "");
  EXPECT_EQ(folder_refusal(at("new/and/deeper/")), "");
  EXPECT_EQ(file_refusal(""), "") << "no file";
  expect_untouched();
  touch("old.html");
  fs::permissions(at("old.html"), fs::perms::owner_read);
  EXPECT_EQ(file_refusal(at("old.html")), "");
  EXPECT_EQ(read_file(at("old.html")), "precious");
  expect_untouched();
  write_file_atomic(at("old.html"), "as it will be written");
}

TEST_F(CheckOutput, MissingFolderIsNamed) {
  const std::string path = at("plots/deep/report.html").string();
  EXPECT_EQ(file_refusal(path), "--report " + path + ": the folder " + at("plots/deep").string() +
                                    " is not there; make it first (mkdir -p) or name another");
  expect_untouched();
}

TEST_F(CheckOutput, FolderInPlaceOfAFileAndFileInPlaceOfAFolder) {
  touch("file");
  const std::string file = at("file").string(), folder = folder_.path().string();
  EXPECT_EQ(file_refusal(folder), "--report " + folder + ": is a folder; name a file in it");
  EXPECT_EQ(file_refusal(at("new/")),
            "--report " + at("new/").string() + ": is a folder; name a file in it");
  EXPECT_EQ(file_refusal(file + "/x"),
            "--report " + file + "/x: " + file + " is a file; name a folder that is there");
  for (const std::string& path : {file, file + "/x", file + "/x/y"}) {
    EXPECT_EQ(folder_refusal(path).find(fmt::format("--output {}: {}", path, file)), 0U)
        << folder_refusal(path);
  }
  EXPECT_EQ(read_file(file), "precious");
  expect_untouched();
}

TEST_F(CheckOutput, LinksCountAsWhatTheyPointAt) {
  touch("file");
  fs::create_directory_symlink(folder_.path(), at("link"));
  fs::create_symlink(at("nowhere"), at("dangling"));
  entries_ += 2;
  EXPECT_EQ(file_refusal(at("link/new.html")), "");
  EXPECT_EQ(folder_refusal(at("link/new")), "");
  EXPECT_NE(file_refusal(at("link")), "");
  EXPECT_NE(file_refusal(at("dangling/new.html")), "");
  // A folder cannot be made where a link already has the name.
  EXPECT_NE(folder_refusal(at("dangling")), "");
  EXPECT_NE(folder_refusal(at("dangling/new")), "");
  expect_untouched();
}

TEST_F(CheckOutput, FolderThatRefusesFilesIsNamed) {
  EXPECT_EQ(file_refusal(kRefusing / "x.html")
                .find("--report /proc/x.html: nothing can be "
                      "written to the folder /proc: "),
            0U);
  EXPECT_EQ(folder_refusal(kRefusing / "out/deeper")
                .find("--output /proc/out/deeper: nothing can be written to the folder /proc: "),
            0U);
  if (::geteuid() == 0) return;  // to root, permissions are no obstacle
  fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_NE(file_refusal(at("x.html")).find("Permission denied"), std::string::npos);
  EXPECT_NE(folder_refusal(at("out")).find("Permission denied"), std::string::npos);
  fs::permissions(folder_.path(), fs::perms::owner_all);
}

TEST_F(CheckOutput, DevicesPipesAndEndlessNames) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  ++entries_;
  for (const fs::path& path : {fs::path("/dev/null"), at("pipe")}) {
    EXPECT_NE(file_refusal(path).find("is a device or a pipe"), std::string::npos) << path;
  }
  EXPECT_NE(file_refusal(at(std::string(300, 'x'))).find("too long"), std::string::npos);
  expect_untouched();
}

TEST_F(CheckOutput, RelativePathsCountFromTheCurrentFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  EXPECT_EQ(file_refusal("x.html"), "");
  EXPECT_EQ(folder_refusal("out/deeper"), "");
  EXPECT_NE(file_refusal("out/x.html").find("the folder out is not there"), std::string::npos);
  EXPECT_EQ(folder_refusal(""), "--output: is empty; name a folder");
  fs::current_path(kRefusing);
  EXPECT_NE(file_refusal("x.html").find("the current folder /proc: "), std::string::npos);
  EXPECT_NE(folder_refusal("out").find("the current folder /proc: "), std::string::npos);
  fs::current_path(before);
  expect_untouched();
}

TEST_F(CheckOutput, AnInputIsNotReplaced) {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log.csv";
  write_file_atomic(log, "a\n");
  fs::create_symlink(log, folder.path() / "link.csv");
  EXPECT_THROW(check_output_apart("--output", folder.path() / "link.csv", {log}), InputError);
  EXPECT_NO_THROW(check_output_apart("--output", folder.path() / "new.csv", {log}));
}

}  // namespace
}  // namespace limber
