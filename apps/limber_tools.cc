#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "apps/arguments.h"
#include "apps/assign_verb.h"
#include "apps/screen_verbs.h"
#include "apps/tool_verbs.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"

namespace {

using namespace limber;

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Starter configs, synthetic data, a look into models."};
  app.name("limber");
  app.require_subcommand(1);

  InitArguments init;
  CLI::App* init_verb = app.add_subcommand(
      "init",
      "Looks at interactions and side tables (files or a folder) and writes a commented\n"
      "starter config for them.");
  init_verb->add_option("data", init.data, "CSV, CSV.gz or Parquet files, or a folder")->required();
  init_verb->add_option("--output,-o", init.output, "File to write; standard output without it");
  init_verb->add_flag("--force", init.force, "Replaces the file where it exists");

  GenerateArguments generate;
  CLI::App* generate_verb = app.add_subcommand(
      "generate",
      "Writes a synthetic log whose true probabilities are known: interactions of members with\n"
      "items (log), or ad impressions in the shape of the Criteo logs (ads).");
  generate_verb->add_option("folder", generate.folder, "Folder to write to")->required();
  generate_verb->add_option("--kind", generate.kind, "log or ads")->capture_default_str();
  generate_verb->add_option("--rows", generate.rows, "Interactions")->capture_default_str();
  generate_verb->add_option("--members", generate.members,
                            "Members; 1000 without it, in ads one for 50 rows");
  generate_verb->add_option("--items", generate.items, "log: items; 500 without it");
  generate_verb->add_option("--rate", generate.rate, "ads: share of clicks; 0.2 without it");
  generate_verb->add_flag("--with-truth", generate.with_truth, "ads: also true_probability");
  generate_verb->add_flag("--with-dwell", generate.with_dwell,
                          "log: also surface, content_type and dwell_seconds");
  generate_verb->add_option("--seed", generate.seed, "Seed")->capture_default_str();
  generate_verb->add_option("--format", generate.format, "parquet or csv")->capture_default_str();

  InspectArguments inspect;
  CLI::App* inspect_verb =
      app.add_subcommand("inspect", "Says what is inside a published model, after checking it.");
  inspect_verb->add_option("model", inspect.model, "models/NAME or models/NAME/VERSION")
      ->required();
  inspect_verb->add_flag("--json", inspect.json, "The manifest itself");

  AssignArguments assign;
  CLI::App* assign_verb = add_assign_verb(app, assign);

  CLI::App* options_verb = app.add_subcommand("options", "Prints docs/options.md: every option.");

  ScreenArguments screen;
  CLI::App* screen_verb = add_screen_verbs(app, screen);

  bool quiet = false;
  add_quiet(app, quiet);
  if (const auto code = parse_arguments(app, argc, argv)) return *code;
  Progress::set_quiet(quiet);
  if (*init_verb) return run_init(init);
  if (*generate_verb) return run_generate(generate);
  if (*inspect_verb) return run_inspect(inspect);
  if (*assign_verb) return run_assign(std::move(assign));
  if (*screen_verb) return run_screen(screen);
  if (*options_verb) fmt::print("{}", options_page());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return limber::run_main(argc, argv, parse_and_run);
}
