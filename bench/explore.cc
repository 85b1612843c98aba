// Exploring policies on the same posterior: simulated regret, replay of a log, the time of a draw.
// Each verb prints JSON; bench/explore.py runs them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/explore_policies.h"
#include "bench/explore_replay.h"
#include "limber/core/base/main.h"
#include "limber/core/explore/simulated_regret_for_test.h"
#include "limber/serving/runtime/last_layer_sampler.h"

namespace {

using namespace limber;
using nlohmann::json;

json regret(const SimulatedBanditOptions& world, std::uint64_t seeds, std::uint64_t tuning) {
  const auto run = [&](const BanditPolicy& policy, std::uint64_t seed) {
    SimulatedBanditOptions seeded = world;
    seeded.seed = seed;
    return simulated_regret(seeded, policy);
  };
  return bench::compare_policies("regret", seeds, tuning, false, run, run);
}

json replay(const std::string& file, std::uint64_t seeds, std::uint64_t tuning,
            std::size_t candidates, std::size_t batch) {
  const bench::ReplayLog log = bench::read_replay_log(file);
  std::size_t counted = 0;
  const auto run = [&](const BanditPolicy& policy, std::uint64_t seed) {
    const bench::Replayed replayed = bench::replay(log, policy, false, candidates, batch, seed);
    counted = replayed.counted;
    return replayed.reward_rate;
  };
  const auto tune = [&](const BanditPolicy& policy, std::uint64_t seed) {
    return bench::replay(log, policy, true, candidates, batch, seed).reward_rate;
  };
  json policies = bench::compare_policies("replay", seeds, tuning, true, run, tune);
  return {{"policies", policies}, {"counted_in_last", counted}};
}

/// Microseconds of a draw, by dim.
json draw() {
  json times = json::object();
  for (const std::size_t dim : {64, 256, 1024}) {
    std::vector<float> factor;
    Random random(dim);
    for (std::size_t row = 0; row < dim; ++row) {
      for (std::size_t column = 0; column < row; ++column) {
        factor.push_back(static_cast<float>(random.normal() / static_cast<double>(dim)));
      }
      factor.push_back(1);
    }
    const LastLayerSampler sampler(std::vector<float>(dim), std::move(factor));
    std::vector<float> weights(dim);
    double best = 1e300;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const Stopwatch watch;
      int draws = 0;
      for (; watch.seconds() < 0.2; ++draws) sampler.draw(random, 1, weights);
      best = std::min(best, watch.seconds() / draws);
    }
    times[std::to_string(dim)] = 1e6 * best;
  }
  return times;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Measures exploring policies; bench/explore.py runs it."};
  app.require_subcommand(1);
  std::uint64_t seeds = 20, tuning = 10;
  std::size_t candidates = 10, batch = 100;
  SimulatedBanditOptions world;
  bool numbers = false;
  std::string file;
  const auto add_seeds = [&](CLI::App* verb) {
    verb->add_option("--seeds", seeds, "Seeds")->check(CLI::Range(2, 1000));
    verb->add_option("--tuning", tuning, "Other seeds, for tuning")->check(CLI::Range(1, 1000));
  };
  CLI::App* regret_verb = app.add_subcommand("regret", "Simulated regret");
  regret_verb->add_flag("--numbers", numbers, "Rewards are numbers, not clicks");
  regret_verb->add_option("--topics", world.topics, "Topics")->check(CLI::Range(1, 1000));
  regret_verb->add_option("--known", world.known_topics, "Topics open from the start")
      ->check(CLI::Range(1, 1000));
  regret_verb->add_option("--traits", world.trait_effect, "Deviation of the weights of traits");
  add_seeds(regret_verb);
  CLI::App* replay_verb = app.add_subcommand("replay", "Replay of a log");
  replay_verb->add_option("file", file, "The log")->required();
  replay_verb->add_option("--candidates", candidates, "Films to choose from")
      ->check(CLI::Range(2, 100));
  replay_verb->add_option("--batch", batch, "Events learned from at once")
      ->check(CLI::Range(1, 100000));
  add_seeds(replay_verb);
  CLI::App* draw_verb = app.add_subcommand("draw", "The time of a draw");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (*regret_verb) {
    world.label = numbers ? LastLayerLabel::kNumber : LastLayerLabel::kBinary;
    fmt::print("{}\n", regret(world, seeds, tuning).dump());
  }
  if (*replay_verb) fmt::print("{}\n", replay(file, seeds, tuning, candidates, batch).dump());
  if (*draw_verb) fmt::print("{}\n", draw().dump());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return limber::run_main(argc, argv, parse_and_run);
}
