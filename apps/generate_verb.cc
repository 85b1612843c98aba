#include <fmt/format.h>

#include <algorithm>

#include "apps/tool_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/error.h"
#include "limber/core/data/ads_generator.h"
#include "limber/core/data/generator.h"

namespace limber {
namespace {

constexpr std::int64_t kAdsRowsOfMember = 50;

/// An option that only the other kind knows would be ignored without a word.
void refuse_unused(const GenerateArguments& arguments) {
  const auto refuse = [&](const char* option, bool given) {
    if (given) throw InputError("{}: not an option of --kind {}", option, arguments.kind);
  };
  if (arguments.kind == "ads") {
    refuse("--items", arguments.items.has_value());
    refuse("--with-dwell", arguments.with_dwell);
  } else {
    refuse("--rate", arguments.rate.has_value());
    refuse("--with-truth", arguments.with_truth);
  }
}

void generate_log(const GenerateArguments& arguments) {
  GeneratorOptions options{.rows = arguments.rows,
                           .seed = arguments.seed,
                           .format = arguments.format,
                           .with_dwell = arguments.with_dwell};
  options.members = arguments.members.value_or(options.members);
  options.items = arguments.items.value_or(options.items);
  Generator(options).write(arguments.folder);
  fmt::print("wrote interactions, items and members to {}\n", arguments.folder);
}

void generate_ads(const GenerateArguments& arguments) {
  AdsGeneratorOptions options{.rows = arguments.rows,
                              .seed = arguments.seed,
                              .format = arguments.format,
                              .with_truth = arguments.with_truth};
  options.members =
      arguments.members.value_or(std::max<std::int64_t>(1, arguments.rows / kAdsRowsOfMember));
  options.rate = arguments.rate.value_or(options.rate);
  AdsGenerator(options).write(arguments.folder);
  fmt::print("wrote interactions to {}\n", arguments.folder);
}

}  // namespace

int run_generate(const GenerateArguments& arguments) {
  if (arguments.kind != "log" && arguments.kind != "ads") {
    throw InputError("--kind: '{}' is unknown, expected log or ads", arguments.kind);
  }
  refuse_unused(arguments);
  check_output_folder("folder", arguments.folder);
  arguments.kind == "ads" ? generate_ads(arguments) : generate_log(arguments);
  return 0;
}

}  // namespace limber
