#include "limber/core/base/check_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "limber/core/base/error.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

std::string described(const fs::path& folder) {
  std::error_code code;
  return folder == "." ? fmt::format("the current folder {}", fs::current_path(code).string())
                       : fmt::format("the folder {}", folder.string());
}

/// Makes a file and removes it again: permissions alone do not tell of read-only file systems,
/// quotas and names that are too long. Returns why it could not be made, or 0.
int probe(const fs::path& file) {
  const std::string name = fmt::format("{}.probe.{}", file.string(), ::getpid());
  const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) return errno;
  ::close(descriptor);
  ::unlink(name.c_str());
  return 0;
}

}  // namespace

void check_output_file(std::string_view option, const fs::path& path) {
  if (path.empty()) return;
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!path.has_filename() || fs::is_directory(status)) {
    throw InputError("{} {}: is a folder; name a file in it", option, path.string());
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::file_status above = fs::status(folder, code);
  if (above.type() == fs::file_type::not_found) {
    throw InputError("{} {}: the folder {} is not there; make it first (mkdir -p) or name another",
                     option, path.string(), folder.string());
  }
  if (fs::exists(above) && !fs::is_directory(above)) {
    throw InputError("{} {}: {} is a file; name a folder that is there", option, path.string(),
                     folder.string());
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw InputError("{} {}: is a device or a pipe; name an ordinary file", option, path.string());
  }
  const int reason = probe(path);
  if (reason == ENAMETOOLONG) {
    throw InputError("{} {}: the name is too long; name a shorter one", option, path.string());
  }
  if (reason != 0) {
    throw InputError(
        "{} {}: nothing can be written to {}: {}; name another, or change its permissions", option,
        path.string(), described(folder), std::strerror(reason));
  }
}

void check_output_apart(std::string_view option, const fs::path& path,
                        const std::vector<fs::path>& inputs) {
  for (const fs::path& input : inputs) {
    std::error_code code;
    if (fs::equivalent(path, input, code)) {
      throw InputError("{} {}: is an input, too, and would replace it; name another file", option,
                       path.string());
    }
  }
}

void check_output_folder(std::string_view option, const fs::path& path) {
  if (path.empty()) throw InputError("{}: is empty; name a folder", option);
  // What is there already, of the folder and those above it.
  std::error_code code;
  fs::path there = path.has_filename() ? path : path.parent_path();
  while (!there.empty() && fs::symlink_status(there, code).type() == fs::file_type::not_found) {
    there = there.parent_path();
  }
  if (there.empty()) there = ".";
  const fs::file_status status = fs::status(there, code);
  if (!fs::is_directory(status) && status.type() != fs::file_type::none) {
    throw InputError("{} {}: {} is no folder; name another", option, path.string(), there.string());
  }
  if (const int reason = probe(there / "limber"); reason != 0) {
    throw InputError(
        "{} {}: nothing can be written to {}: {}; name another, or change its permissions", option,
        path.string(), described(there), std::strerror(reason));
  }
}

}  // namespace limber
