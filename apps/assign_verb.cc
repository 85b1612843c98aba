#include "apps/assign_verb.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <utility>

#include "limber/companions/assign/check_instance.h"
#include "limber/companions/assign/group_notes.h"
#include "limber/companions/assign/result_files.h"
#include "limber/companions/assign/results.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
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
                        : fmt::format("Time (--seconds {}) ended searches before they were done: "
                                      "these are the best found until then.",
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
    notes.push_back(
        assign::on_one_line(fmt::format("The given assignment breaks the quota {}.", quota)));
  }
  for (std::string& note : assign::notes_on_groups(read.unfixed)) notes.push_back(std::move(note));
  return notes;
}

/// Ranges alone let what is not a number pass.
void check_numbers(const AssignArguments& arguments) {
  const assign::SolveOptions& options = arguments.options;
  for (const auto& [name, value] : {std::pair{"--trade-off", arguments.trade_off},
                                    std::pair{"--diversity-unit", options.diversity_unit},
                                    std::pair{"--seconds", options.seconds}}) {
    if (!std::isfinite(value)) throw InputError("{} {}: give a number", name, value);
  }
}

void assign_and_write(AssignArguments arguments) {
  check_numbers(arguments);
  parse_columns(arguments);
  const assign::MeasureDescription& measure = assign::measure_named(arguments.measure);
  const assign::ReadInstance read = assign::read_instance(arguments.files);
  assign::check_instance(read, arguments.files);
  // Before the work, not after it, a folder that cannot be written to should be known.
  assign::prepare_folder(arguments.output);

  for (int i = 0; i < arguments.steps; ++i) {
    arguments.options.trade_offs.push_back(static_cast<double>(i) / (arguments.steps - 1));
  }
  arguments.options.trade_offs.push_back(arguments.trade_off);
  const Stopwatch watch;
  const assign::Solution solution = assign::solve(read.instance, measure, arguments.options);
  assign::Results results = assign::make_results(read.unfixed, measure, solution,
                                                 arguments.trade_off, read.given.assignment);
  results.notes = notes_of(arguments, read, solution);
  assign::write_results(arguments.output, results);
  if (!arguments.quiet) spdlog::info("searched for {:.1f} s", watch.seconds());

  const assign::Instance& instance = read.unfixed;
  fmt::print("{} for {}, {}; {}, {}\n\n", counted(instance.candidate_count(), "candidate"),
             counted(instance.position_count(), "open position"),
             counted(instance.pairs.size(), "eligible pair"),
             counted(instance.network.size(), "node"), counted(instance.network.ties(), "tie"));
  fmt::print("{}\n", assign::table_text(results));
  const auto& points = solution.front.points();
  fmt::print(
      "front of {}: {}, from fitness {:.4f} and diversity {:.4f} to {:.4f} and "
      "{:.4f}\n",
      measure.name, counted(points.size(), "assignment"), points.front().score.fitness,
      points.front().score.diversity, points.back().score.fitness, points.back().score.diversity);
  if (results.comparison) fmt::print("{}\n", assign::describe(*results.comparison));
  for (const std::string& note : results.notes) fmt::print("{}\n", note);
  fmt::print("wrote {}\n", (fs::path(arguments.output) / "report.html").string());
}

}  // namespace

CLI::App* add_assign_verb(CLI::App& app, AssignArguments& arguments) {
  // Conversion to an unsigned number would wrap it around.
  const auto not_negative = [](const std::string& text) {
    return text.find('-') == std::string::npos ? ""
                                               : "give a whole number of at least 0, not " + text;
  };
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
                   "Seed, a whole number of at least 0; the same gives the same result unless time "
                   "runs out")
      ->check(not_negative)
      ->capture_default_str();
  verb->add_flag("--exact", arguments.options.exact,
                 "Then prove the best by branch and bound, within --seconds; for about a dozen "
                 "positions");
  verb->add_flag("--quiet,-q", arguments.quiet, "No progress");
  return verb;
}

int run_assign(AssignArguments arguments) {
  Progress::set_quiet(arguments.quiet);
  // Names of people come from tables and may hold line breaks; a complaint is one line.
  try {
    assign_and_write(std::move(arguments));
  } catch (const InputError& error) {
    throw InputError(assign::on_one_line(error.what()));
  } catch (const Error& error) {
    throw Error(assign::on_one_line(error.what()));
  }
  return 0;
}

}  // namespace limber
