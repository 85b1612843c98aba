#include <algorithm>
#include <initializer_list>

#include "apps/screen_verbs.h"
#include "limber/core/base/error.h"

namespace limber {
namespace {

bool given(const ScreenArguments& arguments, const char* option) {
  const auto& all = arguments.given;
  return std::find(all.begin(), all.end(), option) != all.end();
}

}  // namespace

void check_screen_options(const ScreenArguments& arguments) {
  const bool validates = arguments.verb == "cross-validate";
  if ((arguments.verb == "fit" || validates) && arguments.fit.tune > 0) {
    // A fit reports what is selected at the --fdr whatever the tuning chooses.
    for (const char* option : {"--select", "--correlation", "--fdr"}) {
      if (!given(arguments, option) || (!validates && std::string_view(option) == "--fdr"))
        continue;
      throw InputError(
          "{} has no effect with --tune {}, which chooses by itself; give --tune 0 or "
          "leave {} out",
          option, arguments.fit.tune, option);
    }
  }
  if ((arguments.verb == "fit" || validates) && arguments.fit.tune == 0 &&
      given(arguments, "--combine")) {
    throw InputError("--combine has no effect with --tune 0, which tries no rules; leave it out");
  }
  const auto exclude = [&](const char* option, std::initializer_list<const char*> others) {
    if (!given(arguments, option)) return;
    for (const char* other : others) {
      if (given(arguments, other)) {
        throw InputError("{} has no effect with {}; leave one out", other, option);
      }
    }
  };
  exclude("--leave-one-out", {"--folds", "--repeats"});
  exclude("--fold-table", {"--folds", "--repeats", "--leave-one-out"});
}

}  // namespace limber
