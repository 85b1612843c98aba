#include <fmt/format.h>

#include "apps/tool_verbs.h"
#include "limber/core/base/check_output.h"

namespace limber {

int run_generate(const GenerateArguments& arguments) {
  check_output_folder("folder", arguments.folder);
  Generator(arguments.options).write(arguments.folder);
  fmt::print("wrote interactions, items and members to {}\n", arguments.folder);
  return 0;
}

}  // namespace limber
