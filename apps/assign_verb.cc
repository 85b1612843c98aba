#include "apps/assign_verb.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "limber/companions/assign/feasibility.h"
#include "limber/companions/assign/report.h"
#include "limber/companions/assign/results.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription =
    "Assigns candidates to the open positions of a network so that total fitness and structural\n"
    "diversity are both high, and shows what each costs in terms of the other.\n\n"
    "  limber assign --edges ties.csv --nodes people.csv --positions open.csv\n"
    "    --candidates candidates.csv --fitness fitness.csv --attributes gender,office -o out\n\n"
    "Tables are CSV, CSV.gz or Parquet: a file, a folder or a glob. Their columns:\n"
    "  edges       from, to                      who is tied to whom; direction is ignored\n"
    "  nodes       node, the attributes          everyone who is there\n"
    "  positions   position                      the nodes of the network that are open\n"
    "  candidates  candidate, the attributes     those who may come\n"
    "  fitness     candidate, position, fitness  the eligible pairs; larger is fitter\n"
    "Written into the output folder: assignment.csv (for --trade-off), front.csv and\n"
    "front_assignments.csv (the Pareto front), summary.json, report.html.\n"
    "SIGINT (Ctrl-C), SIGTERM and --seconds end the search; the best so far is then written.\n"
    "docs/assign.md works through an example.";

std::string measures_help() {
  std::string text = "What diversity is, averaged over the attributes:";
  for (const assign::MeasureDescription& measure : assign::measures()) {
    text += fmt::format("\n  {}: {}", measure.name, measure.meaning);
  }
  return text;
}

void parse_columns(AssignArguments& arguments) {
  for (const std::string& text : arguments.columns) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      throw InputError("--column {}: write TABLE.COLUMN=NAME, e.g. fitness.candidate=member_id",
                       text);
    }
    arguments.files.columns[text.substr(0, equals)] = text.substr(equals + 1);
  }
}

/// What a reader of the results must know of this run.
std::vector<std::string> notes_of(const AssignArguments& arguments,
                                  const assign::ReadInstance& read,
                                  const assign::Solution& solution) {
  std::vector<std::string> notes;
  if (solution.cut_short) {
    notes.push_back(stop_requested()
                        ? "A signal ended the search: these are the best found until then."
                        : fmt::format("The search ended after --seconds {}: these are the best "
                                      "found until then.",
                                      arguments.options.seconds));
  }
  if (arguments.options.exact) {
    std::size_t proven = 0;
    for (const assign::SweepPoint& point : solution.sweep) proven += point.proven ? 1 : 0;
    notes.push_back(fmt::format("Branch and bound proved the best for {} of {} trade-offs.", proven,
                                solution.sweep.size()));
  }
  if (read.repeated_ties > 0) {
    notes.push_back(
        fmt::format("{} rows of edges repeat a tie, in this direction or the other; "
                    "each tie counts once.",
                    read.repeated_ties));
  }
  if (read.given.broken_fixed > 0) {
    notes.push_back(fmt::format("The given assignment does not keep {} of the fixed ones.",
                                read.given.broken_fixed));
  }
  for (const std::string& quota : read.given.broken_quotas) {
    notes.push_back(fmt::format("The given assignment breaks the quota {}.", quota));
  }
  return notes;
}

void write_results(const fs::path& folder, const assign::Results& results) {
  write_file_atomic(folder / "assignment.csv", assign::assignment_csv(results));
  write_file_atomic(folder / "front.csv", assign::front_csv(results));
  write_file_atomic(folder / "front_assignments.csv", assign::front_assignments_csv(results));
  write_file_atomic(folder / "summary.json", assign::summary_json(results));
  write_file_atomic(folder / "report.html", assign::render_report(results));
}

}  // namespace

CLI::App* add_assign_verb(CLI::App& app, AssignArguments& arguments) {
  CLI::App* verb = app.add_subcommand("assign", kDescription);
  assign::InstanceFiles& files = arguments.files;
  verb->add_option("--edges", files.edges, "Table of ties")->required();
  verb->add_option("--nodes", files.nodes, "Table of people with attributes")->required();
  verb->add_option("--positions", files.positions, "Table of open positions")->required();
  verb->add_option("--candidates", files.candidates, "Table of candidates with attributes")
      ->required();
  verb->add_option("--fitness", files.fitness, "Table of eligible pairs and their fitness")
      ->required();
  verb->add_option("--attributes", files.attributes,
                   "Protected attributes: columns of both people and candidates")
      ->required()
      ->delimiter(',');
  verb->add_option("--output,-o", arguments.output, "Folder to write to; made if missing")
      ->required();

  verb->add_option("--eligible", files.eligible,
                   "Table (candidate, position) that leaves only those pairs of the fitness table");
  verb->add_option("--fixed", files.fixed,
                   "Table (candidate, position) of what is decided already");
  verb->add_option(
      "--quotas", files.quotas,
      "Table (column, value, at_least, at_most) of how many assigned candidates have a "
      "value; of one column; an empty bound is none");
  verb->add_option("--given", files.given,
                   "Table (candidate, position) of your own assignment, to be compared");
  verb->add_option("--column", arguments.columns,
                   "TABLE.COLUMN=NAME for a column with another name, e.g. "
                   "fitness.candidate=member_id; may be repeated");

  verb->add_option("--measure", arguments.measure, measures_help())->capture_default_str();
  verb->add_option("--trade-off", arguments.trade_off,
                   "Weight of diversity in the assignment that is written: 0 is fitness alone, 1 "
                   "diversity alone")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--steps", arguments.steps, "Trade-offs swept for the front, evenly from 0 to 1")
      ->check(CLI::Range(2, 1001))
      ->capture_default_str();
  verb->add_option("--diversity-unit", arguments.options.diversity_unit,
                   "How much diversity weighs as much as the whole range of fitness; 0 takes the "
                   "range between fitness alone and diversity alone")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  verb->add_option("--starts", arguments.options.starts,
                   "Random starts of the search for each trade-off, beside two that are not")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  verb->add_option("--kicks", arguments.options.kicks,
                   "Random disturbances after each start, to leave local optima")
      ->check(CLI::Range(0, 10000000))
      ->capture_default_str();
  verb->add_option("--seconds", arguments.options.seconds, "Time for the search")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  verb->add_option("--seed", arguments.options.seed,
                   "Seed; the same gives the same result unless time runs out")
      ->capture_default_str();
  verb->add_flag("--exact", arguments.options.exact,
                 "Then prove the best by branch and bound, within --seconds; for about a dozen "
                 "positions");
  verb->add_flag("--quiet,-q", arguments.quiet, "No progress");
  return verb;
}

int run_assign(AssignArguments arguments) {
  Progress::set_quiet(arguments.quiet);
  parse_columns(arguments);
  const assign::MeasureDescription& measure = assign::measure_named(arguments.measure);
  const assign::ReadInstance read = assign::read_instance(arguments.files);
  assign::check_feasible(read.instance, arguments.files.fitness);
  // Before the work, not after it, a folder that cannot be made should be known.
  std::error_code failed;
  fs::create_directories(arguments.output, failed);
  if (failed) {
    throw InputError("--output {}: cannot be made: {}", arguments.output, failed.message());
  }

  for (int i = 0; i < arguments.steps; ++i) {
    arguments.options.trade_offs.push_back(static_cast<double>(i) / (arguments.steps - 1));
  }
  arguments.options.trade_offs.push_back(arguments.trade_off);
  const Stopwatch watch;
  const assign::Solution solution = assign::solve(read.instance, measure, arguments.options);
  assign::Results results = assign::make_results(read.unfixed, measure, solution,
                                                 arguments.trade_off, read.given.assignment);
  results.notes = notes_of(arguments, read, solution);
  write_results(arguments.output, results);
  if (!arguments.quiet) spdlog::info("searched for {:.1f} s", watch.seconds());

  const assign::Instance& instance = read.unfixed;
  fmt::print("{} candidates for {} open positions, {} eligible pairs; {} nodes, {} ties\n\n",
             instance.candidate_count(), instance.position_count(), instance.pairs.size(),
             instance.network.size(), instance.network.ties());
  fmt::print("{}\n", assign::table_text(results));
  const auto& points = solution.front.points();
  fmt::print(
      "front of {}: {} assignments, from fitness {:.4f} and diversity {:.4f} to {:.4f} and "
      "{:.4f}\n",
      measure.name, points.size(), points.front().score.fitness, points.front().score.diversity,
      points.back().score.fitness, points.back().score.diversity);
  if (results.comparison) fmt::print("{}\n", assign::describe(*results.comparison));
  for (const std::string& note : results.notes) fmt::print("{}\n", note);
  fmt::print("wrote {}\n", (fs::path(arguments.output) / "report.html").string());
  return 0;
}

}  // namespace limber
