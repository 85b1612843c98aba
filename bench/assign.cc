// What bench/assign.py asks of `limber assign`'s library: does the search meet brute force, and
// does its front cover what simpler matchings give? Each subcommand prints one line of JSON.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench/assign_naive_scores.h"
#include "bench/assign_networks.h"
#include "limber/companions/assign/brute_force_for_test.h"
#include "limber/companions/assign/linearised_search.h"
#include "limber/companions/assign/solve.h"
#include "limber/companions/assign/synthetic_instance.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"

namespace {

using namespace limber;
using namespace limber::assign;
using nlohmann::json;

constexpr double kEqual = 1e-9;  ///< rewards this near are the same: sums in another order

double mean_reward(const std::vector<Score>& scores, const Objective& objective) {
  double sum = 0;
  for (const Score& score : scores) sum += objective.reward(score);
  return sum / static_cast<double>(scores.size());
}

/// The search, with its default settings, against all assignments of random instances: half of 7
/// positions and 9 candidates, half smaller; a third with sparse eligibility, a third with negative
/// fitness.
json optimum(const MeasureDescription& measure, std::uint64_t instances) {
  std::int64_t seeds_equal = 0, trade_offs = 0, trade_offs_equal = 0;
  double worst_ratio = 1, worst_over_random = 1, worst_raw = 1;
  Progress progress(fmt::format("optimum of {}", measure.name), instances, "instances");
  for (std::uint64_t seed = 1; seed <= instances; ++seed) {
    Random random(mix64(seed));
    SyntheticOptions size;
    if (seed % 2 == 0) {
      size.positions = static_cast<Position>(2 + random.below(6));
      size.candidates = static_cast<Candidate>(
          size.positions + random.below(static_cast<std::uint64_t>(10 - size.positions)));
    }
    if (seed % 3 == 0) size.eligible_share = 0.6;
    if (seed % 3 == 1) size.fitness_low = -1;
    const Instance instance = small_instance(size, random);
    SolveOptions options;
    options.trade_offs = {0.1, 0.3, 0.5, 0.7, 0.9};
    options.seed = seed;
    options.show_progress = false;
    const Solution solution = solve(instance, measure, options);
    const std::vector<Score> scores = bench::NaiveScores(instance, measure).all();
    bool all_equal = true;
    for (const SweepPoint& point : solution.sweep) {
      const Objective objective{point.trade_off, solution.fitness_unit, solution.diversity_unit};
      const BruteForce truth = brute_force(scores, objective);
      const double reward = objective.reward(exact_score(instance, measure, point.assignment));
      if (reward > truth.best + kEqual) throw Error("the search beats brute force: a wrong score");
      const bool equal = reward >= truth.best - kEqual;
      all_equal &= equal;
      ++trade_offs;
      trade_offs_equal += equal ? 1 : 0;
      const auto ratio = [&](double zero) {
        return truth.best - zero > kEqual ? (reward - zero) / (truth.best - zero) : 1.0;
      };
      worst_ratio = std::min(worst_ratio, ratio(truth.worst));
      worst_over_random = std::min(worst_over_random, ratio(mean_reward(scores, objective)));
      if (truth.best > kEqual) worst_raw = std::min(worst_raw, ratio(0));
    }
    seeds_equal += all_equal ? 1 : 0;
    progress.add(1);
  }
  const auto share = [](std::int64_t part, auto whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  return {{"measure", measure.name},
          {"instances", instances},
          {"optimum_share", share(seeds_equal, instances)},
          {"trade_off_share", share(trade_offs_equal, trade_offs)},
          {"worst_ratio", worst_ratio},
          {"worst_ratio_over_random", worst_over_random},
          {"worst_raw_ratio", worst_raw}};
}

/// What the front is held against: assignments without iteration.
struct Rivals {
  std::vector<Score> random, fitness_only, diversity_only, weighted_sum, off_grid;
};

Rivals rivals_of(const Instance& instance, const MeasureDescription& measure,
                 const Solution& solution, std::uint64_t seed) {
  Rivals rivals;
  Matching matching(instance);
  Assignment assignment;
  const auto match = [&](const std::vector<double>& weights) {
    if (!matching.solve(weights, assignment)) throw Error("an instance is infeasible");
    return exact_score(instance, measure, assignment);
  };
  Random random(mix64(seed));
  std::vector<double> weights(instance.pairs.size());
  for (int i = 0; i < 20; ++i) {
    for (double& weight : weights) weight = random.uniform();
    rivals.random.push_back(match(weights));
  }
  rivals.fitness_only.push_back(match(fitness_weights(instance)));
  AssignmentState open(instance, measure);
  const auto linearised = [&](double trade_off) {
    return match(
        linearised_weights(open, {trade_off, solution.fitness_unit, solution.diversity_unit}));
  };
  rivals.diversity_only.push_back(linearised(1));
  for (int i = 1; i < 20; ++i) rivals.weighted_sum.push_back(linearised(i / 20.0));
  for (int i = 0; i < 40; ++i) rivals.off_grid.push_back(linearised(random.uniform()));
  return rivals;
}

struct Tally {
  std::int64_t covered = 0, strictly = 0, all = 0;

  void add(const Front& front, const std::vector<Score>& scores) {
    for (const Score& score : scores) {
      ++all;
      covered += front.covers_score(score, kEqual) ? 1 : 0;
      strictly += front.covers_score({score.fitness + kEqual, score.diversity}, 0) ||
                          front.covers_score({score.fitness, score.diversity + kEqual}, 0)
                      ? 1
                      : 0;
    }
  }
  json shares() const {
    const auto share = [&](std::int64_t part) {
      return static_cast<double>(part) / static_cast<double>(all);
    };
    return {{"covered", share(covered)}, {"dominated", share(strictly)}};
  }
};

json fronts(const MeasureDescription& measure, const std::string& kind,
            const std::filesystem::path& lazega_folder, std::uint64_t seeds) {
  Tally random, fitness_only, diversity_only, weighted_sum, off_grid;
  double hypervolume_gain = 0;
  std::int64_t fronts_covering = 0;
  Progress progress(fmt::format("fronts of {} on {}", measure.name, kind), seeds, "seeds");
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    bench::GroupedNetwork drawn = kind == "lazega" ? bench::lazega(lazega_folder)
                                  : kind == "block-model"
                                      ? bench::block_model(200, seed)
                                      : bench::preferential_attachment(200, 3, seed);
    Random draws(mix64(seed));
    SyntheticOptions size;
    size.positions = 15;
    size.candidates = 30;
    const Instance instance =
        open_positions(std::move(drawn.network), std::move(drawn.attributes), size, draws);
    SolveOptions options;
    for (int i = 0; i <= 10; ++i) options.trade_offs.push_back(i / 10.0);
    options.seed = seed;
    options.show_progress = false;
    options.starts = 1;
    options.kicks = 5;
    const Solution solution = solve(instance, measure, options);
    const Rivals rivals = rivals_of(instance, measure, solution, seed);
    Tally here;
    Front simple;
    for (const auto* scores :
         {&rivals.random, &rivals.fitness_only, &rivals.diversity_only, &rivals.weighted_sum}) {
      here.add(solution.front, *scores);
      for (const Score& score : *scores) simple.add({score, {}});
    }
    random.add(solution.front, rivals.random);
    fitness_only.add(solution.front, rivals.fitness_only);
    diversity_only.add(solution.front, rivals.diversity_only);
    weighted_sum.add(solution.front, rivals.weighted_sum);
    off_grid.add(solution.front, rivals.off_grid);
    fronts_covering += here.covered == here.all ? 1 : 0;
    Score worst{1e300, 1e300};
    for (const Score& score : rivals.random) {
      worst = {std::min(worst.fitness, score.fitness), std::min(worst.diversity, score.diversity)};
    }
    const auto volume = [&](const Front& front) {
      return front.hypervolume(worst, solution.fitness_unit, solution.diversity_unit);
    };
    hypervolume_gain += volume(solution.front) / volume(simple) / static_cast<double>(seeds);
    progress.add(1);
  }
  return {{"measure", measure.name},
          {"network", kind},
          {"seeds", seeds},
          {"front_share", static_cast<double>(fronts_covering) / static_cast<double>(seeds)},
          {"random", random.shares()},
          {"fitness_only", fitness_only.shares()},
          {"diversity_only", diversity_only.shares()},
          {"weighted_sum", weighted_sum.shares()},
          {"off_grid_weighted_sum", off_grid.shares()},
          {"hypervolume_gain", hypervolume_gain}};
}

/// The tables of a large instance on a preferential-attachment network, as a user would have them.
void write_large(const std::filesystem::path& folder, Node nodes, const SyntheticOptions& size) {
  bench::GroupedNetwork drawn = bench::preferential_attachment(nodes, 5, 1);
  const std::vector<Attribute> before = drawn.attributes;
  Random random(1);
  const Instance instance =
      open_positions(std::move(drawn.network), std::move(drawn.attributes), size, random);
  std::string edges = "from,to\n", people = "node,group\n", open = "position\n";
  for (Node node = 0; node < instance.network.size(); ++node) {
    const auto at = static_cast<std::size_t>(node);
    const Attribute& attribute = before[0];
    people += fmt::format("{},{}\n", instance.node_names[at],
                          attribute.groups[static_cast<std::size_t>(attribute.of_node[at])]);
    for (const Node other : instance.network.neighbours(node)) {
      if (node < other) {
        edges += fmt::format("{},{}\n", instance.node_names[at],
                             instance.node_names[static_cast<std::size_t>(other)]);
      }
    }
  }
  std::string candidates = "candidate,group\n", fitness = "candidate,position,fitness\n";
  for (std::size_t c = 0; c < instance.profile_of.size(); ++c) {
    const Group group = instance.profiles[static_cast<std::size_t>(instance.profile_of[c])][0];
    candidates += fmt::format("{},{}\n", instance.candidate_names[c],
                              before[0].groups[static_cast<std::size_t>(group)]);
  }
  for (Position p = 0; p < instance.position_count(); ++p) {
    open += instance.position_name(p) + "\n";
    for (const Pair& pair : instance.pairs_of(p)) {
      fitness += fmt::format("{},{},{}\n",
                             instance.candidate_names[static_cast<std::size_t>(pair.candidate)],
                             instance.position_name(p), pair.fitness);
    }
  }
  write_file_atomic(folder / "edges.csv", edges);
  write_file_atomic(folder / "nodes.csv", people);
  write_file_atomic(folder / "positions.csv", open);
  write_file_atomic(folder / "candidates.csv", candidates);
  write_file_atomic(folder / "fitness.csv", fitness);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Measures limber assign; bench/assign.py runs it."};
  app.require_subcommand(1);
  std::string measure = "assortativity", network = "lazega", folder;
  std::uint64_t count = 20;
  CLI::App* optimum_verb = app.add_subcommand("optimum", "The search against brute force");
  optimum_verb->add_option("--measure", measure, "Measure")->required();
  optimum_verb->add_option("--instances", count, "Random instances")->required();
  CLI::App* fronts_verb = app.add_subcommand("fronts", "The front against simpler matchings");
  fronts_verb->add_option("--measure", measure, "Measure")->required();
  fronts_verb->add_option("--network", network, "Network")
      ->required()
      ->check(CLI::IsMember({"lazega", "block-model", "preferential-attachment"}));
  fronts_verb->add_option("--lazega", folder, "Folder of Lazega's firm");
  fronts_verb->add_option("--seeds", count, "Seeds")->required();
  Node nodes = 100000;
  SyntheticOptions size;
  size.positions = 1000;
  size.candidates = 5000;
  size.eligible_share = 0.008;
  CLI::App* large_verb = app.add_subcommand("large", "Writes the tables of a large instance");
  large_verb->add_option("folder", folder, "Folder to write to")->required();
  large_verb->add_option("--nodes", nodes, "Nodes")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (*optimum_verb) fmt::print("{}\n", optimum(measure_named(measure), count).dump());
  if (*fronts_verb) {
    fmt::print("{}\n", fronts(measure_named(measure), network, folder, count).dump());
  }
  if (*large_verb) write_large(folder, nodes, size);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return limber::run_main(argc, argv, parse_and_run);
}
