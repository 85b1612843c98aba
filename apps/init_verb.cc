#include <fmt/format.h>

#include <filesystem>

#include "apps/tool_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/data/starter_config.h"

namespace limber {

int run_init(const InitArguments& arguments) {
  check_output_file("--output", arguments.output);
  std::error_code unreadable;  // then writing says so
  if (!arguments.output.empty() && !arguments.force &&
      std::filesystem::exists(arguments.output, unreadable)) {
    throw InputError("{}: exists already; name another file, or replace it with --force",
                     arguments.output);
  }
  const std::string yaml = starter_config(
      arguments.data, arguments.output.empty()
                          ? std::filesystem::path(".")
                          : std::filesystem::absolute(arguments.output).parent_path());
  if (arguments.output.empty()) {
    fmt::print("{}", yaml);
  } else {
    write_file_atomic(arguments.output, yaml);
    fmt::print("wrote {}; next: limber train {}\n", arguments.output, arguments.output);
  }
  return 0;
}

}  // namespace limber
