#include <fmt/format.h>

#include "apps/tool_verbs.h"
#include "limber/core/artifact/inspect.h"

namespace limber {

int run_inspect(const InspectArguments& arguments) {
  const Artifact artifact = Artifact::open(arguments.model);
  if (arguments.json) {
    fmt::print("{}", describe_artifact_as_json(artifact));
  } else {
    fmt::print("{}", describe_artifact(artifact));
  }
  return 0;
}

}  // namespace limber
