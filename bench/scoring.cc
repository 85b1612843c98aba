// Candidates scored a second by published models on rows of their own data, in turns, for
// bench/compress.py: how much faster a compressed model is than the one that it was made of.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/latencies.h"
#include "limber/core/base/main.h"
#include "limber/core/base/memory.h"
#include "limber/core/base/progress.h"
#include "limber/core/base/random.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/serving/runtime/scorer.h"

namespace limber {
namespace {

/// As many different requests as keep the tables' rows out of the caches.
constexpr std::int64_t kRequests = 32;

/// A model with rows of its data, encoded by its own encoders.
class Contestant {
 public:
  Contestant(const std::string& path, std::int64_t candidates, Precision precision)
      : model_(RuntimeModel::load(Artifact::open(path), {}, precision)),
        dataset_(build_dataset(model_->config, folder_.path(), &model_->encoders,
                               &model_->layout.label_thresholds)),
        rows_(dataset_),
        scorer_(model_),
        member_(nobody()),
        logits_(static_cast<std::size_t>(candidates * model_->labels())) {
    Random random(7);  // the same rows for every model
    for (std::int64_t r = 0; r < kRequests; ++r) {
      auto& request = requests_.emplace_back();
      for (std::int64_t i = 0; i < candidates; ++i) {
        request.push_back(
            static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(dataset_.rows))));
      }
    }
  }

  void measure(double seconds) {
    Latencies latencies;
    latencies.measure(seconds, [&](std::size_t i) {
      scorer_.score(member_, rows_.gather(requests_[i % requests_.size()]), logits_);
    });
    best_ = best_ == 0 ? latencies.mean() : std::min(best_, latencies.mean());
  }
  double seconds_a_request() const { return best_; }

 private:
  /// The vector of a member without interactions.
  MemberVector nobody() {
    DatasetRows nothing(dataset_);
    SupportRows support;
    support.rows = &nothing.gather({});
    const std::vector<std::int64_t> first = {0};
    support.member = &rows_.gather(first);
    return Adapter(model_).adapt(support);
  }

  TemporaryFolder folder_;
  std::shared_ptr<const RuntimeModel> model_;
  Dataset dataset_;
  DatasetRows rows_;
  Scorer scorer_;
  MemberVector member_;
  std::vector<float> logits_;
  std::vector<std::vector<std::int64_t>> requests_;
  double best_ = 0;
};

int run(int argc, char** argv) {
  CLI::App app("Candidates scored a second by published models");
  std::vector<std::string> models;
  std::int64_t candidates = 64, rounds = 5;
  double seconds = 1;
  bool int8 = false;
  app.add_option("models", models, "models/NAME/VERSION ...")->required();
  app.add_option("--candidates", candidates, "Candidates of a request");
  app.add_option("--rounds", rounds, "Turns of each model; its best one counts");
  app.add_option("--seconds", seconds, "Of a turn");
  app.add_flag("--int8", int8, "Fully connected layers in integers");
  CLI11_PARSE(app, argc, argv);
  Progress::set_quiet(true);
  std::vector<std::unique_ptr<Contestant>> contestants;
  for (const std::string& path : models) {
    contestants.push_back(std::make_unique<Contestant>(
        path, candidates, int8 ? Precision::kInt8 : Precision::kFloat32));
  }
  for (std::int64_t r = 0; r < rounds; ++r) {
    for (auto& contestant : contestants) contestant->measure(seconds);
  }
  nlohmann::json result;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const double time = contestants[i]->seconds_a_request();
    result.push_back({{"model", models[i]},
                      {"candidates_per_second", static_cast<double>(candidates) / time},
                      {"speed_up", contestants[0]->seconds_a_request() / time}});
  }
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  limber::keep_freed_memory();
  return limber::run_main(argc, argv, limber::run);
}
