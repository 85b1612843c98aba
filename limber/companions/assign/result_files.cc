#include "limber/companions/assign/result_files.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "limber/companions/assign/report.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber::assign {
namespace {

namespace fs = std::filesystem;

/// In this order they are renamed: summary.json, which programs wait for, comes last.
constexpr std::array kNames = {"assignment.csv", "front.csv", "front_assignments.csv",
                               "report.html", "summary.json"};

fs::path temporary_of(const fs::path& path) {
  return path.string() + ".tmp." + std::to_string(::getpid());
}

}  // namespace

void prepare_folder(const fs::path& folder) {
  check_output_folder("--output", folder);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) {
    throw InputError("--output {}: cannot be made: {}", folder.string(), failed.message());
  }
  for (const char* name : kNames) check_output_file("--output", folder / name);
}

void write_results(const fs::path& folder, const Results& results) {
  const std::array contents = {assignment_csv(results), front_csv(results),
                               front_assignments_csv(results), render_report(results),
                               summary_json(results)};
  static_assert(contents.size() == kNames.size());
  std::vector<std::pair<fs::path, fs::path>> renames;
  try {
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const fs::path path = folder / kNames[i];
      write_file_durable(temporary_of(path), contents[i]);
      renames.emplace_back(temporary_of(path), path);
    }
    for (const auto& [from, to] : renames) {
      if (::rename(from.c_str(), to.c_str()) != 0) {
        throw Error("{}: cannot be replaced: {}", to.string(), std::strerror(errno));
      }
    }
  } catch (...) {
    std::error_code ignored;
    for (const auto& [from, to] : renames) fs::remove(from, ignored);
    throw;
  }
  sync_folder(folder);
}

}  // namespace limber::assign
