// Scoring requests of one member's candidates, for bench/score.py: writes the model, requests and
// our logits for the peers, or measures one engine.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/latencies.h"
#include "bench/peak.h"
#include "bench/shapes.h"
#include "bench/tensor_dump.h"
#include "limber/core/base/main.h"
#include "limber/core/base/memory.h"
#include "limber/serving/runtime/scorer.h"
#include "limber/training/train/trainer.h"

namespace limber {
namespace {

/// Half of the ids and of the numbers describe the member and the context.
std::vector<std::string> shared_features() {
  std::vector<std::string> names;
  for (int i = 0; i < 13; ++i) names.push_back("id" + std::to_string(i));
  for (int i = 0; i < 6; ++i) names.push_back("number" + std::to_string(i));
  return names;
}

/// Encoded features, as every engine gets them: columns of contiguous values. What the candidates
/// share is repeated in each row.
struct Request {
  std::vector<std::vector<std::int32_t>> indices;  ///< by id feature
  std::vector<std::vector<float>> values;          ///< by number feature
  std::vector<std::int64_t> positions;             ///< 0, 1, ...
  SourceRows source;
  RowSet rows;
  std::vector<torch::Tensor> ids;  ///< by id feature: int64 [candidates]
  torch::Tensor numbers;           ///< [candidates, 13]
};

/// As many different ones as keep the tables' rows out of the caches, as traffic does.
constexpr std::int64_t kRequests = 32;

std::vector<std::unique_ptr<Request>> make_requests(const Dataset& dataset,
                                                    std::int64_t candidates) {
  Random random(7);
  const auto shared = shared_features();
  std::vector<std::unique_ptr<Request>> requests;
  for (std::int64_t r = 0; r < kRequests; ++r) {
    Request& request = *requests.emplace_back(std::make_unique<Request>());
    std::vector<std::size_t> rows;
    for (std::int64_t i = 0; i < candidates; ++i) {
      rows.push_back(random.below(static_cast<std::uint64_t>(dataset.rows)));
      request.positions.push_back(i);
    }
    request.source.rows = candidates;
    request.source.features.resize(dataset.layout.features.size());
    for (std::size_t f = 0; f < dataset.layout.features.size(); ++f) {
      const InputFeature& feature = dataset.layout.features[f];
      const bool common = std::find(shared.begin(), shared.end(), feature.name) != shared.end();
      const FeatureColumn& column = dataset.sources[0].columns[f];
      const auto copy = [&](auto all, auto& to) {
        to.emplace_back();
        for (const std::size_t row : rows) to.back().push_back(all[common ? rows[0] : row]);
      };
      if (feature.table >= 0) {
        copy(column.indices.as<std::int32_t>(), request.indices);
        request.source.features[f].indices = request.indices.back().data();
        request.ids.push_back(torch::tensor(request.indices.back()).to(torch::kLong));
      } else {
        copy(column.numbers.as<float>(), request.values);
        request.source.features[f].numbers = request.values.back().data();
      }
    }
    std::vector<torch::Tensor> numbers;
    for (const auto& values : request.values) numbers.push_back(torch::tensor(values));
    request.numbers = torch::stack(numbers, 1).contiguous();
    request.rows.rows = candidates;
    request.rows.sources = {{&request.source, nullptr, request.positions}};
    request.rows.sequences.resize(dataset.layout.features.size());
  }
  return requests;
}

/// The model as its users write it in LibTorch: look up, concatenate, multiply.
torch::Tensor torch_logits(RankingModel& model, const Request& request) {
  std::vector<torch::Tensor> parts = {request.numbers};
  for (std::size_t i = 0; i < request.ids.size(); ++i) {
    parts.push_back(torch::embedding(model->tables.weights()[i], request.ids[i]));
  }
  const torch::Tensor x = torch::cat(parts, 1);
  return model->global_block(torch::empty({x.size(0), 0}), x);
}

/// Multiplications and additions of the plain forward pass of one candidate.
double plain_operations() {
  const double width = 429, rank = 32, hidden = 400;
  return 2 * (2 * 2 * width * rank + width * hidden + 2 * hidden * hidden + hidden);
}

int run(int argc, char** argv) {
  CLI::App app("Candidates scored a second");
  std::string folder, engine = "limber";
  std::int64_t candidates = 64;
  double seconds = 3;
  int threads = 1;
  bool alone = false, int8 = false, processor = false;
  app.add_option("folder", folder, "Folder of the model; made with --write")->required();
  bool writing = false;
  app.add_flag("--write", writing, "Write model, requests and logits there, and end");
  app.add_option("--engine", engine, "limber, libtorch or peak")
      ->check(CLI::IsMember({"limber", "libtorch", "peak"}));
  app.add_option("--candidates", candidates, "Candidates of a request");
  app.add_flag("--int8", int8, "Fully connected layers in integers");
  app.add_flag("--nothing-shared", alone, "Treat all features as the candidates' own");
  app.add_option("--threads", threads, "Compute threads; one core is what is measured")
      ->check(CLI::Range(1, 1));
  app.add_option("--seconds", seconds, "How long to measure");
  app.add_flag("--processor-time", processor, "Accepted for side_by_side.py; wall time counts");
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(threads);
  const torch::NoGradGuard no_grad;
  if (engine == "peak") {
    fmt::print("{}\n", nlohmann::json{{"gflops", matrix_multiply_peak(seconds) / 1e9}}.dump());
    return 0;
  }

  const Workload workload = ranked_advertisements();
  RankingModel model = make_model(workload.config, *workload.dataset, torch::kCPU);
  model->eval();
  if (writing) publish_workload(workload, model, std::filesystem::path(folder) / "models");
  const auto runtime =
      RuntimeModel::load(Artifact::open(std::filesystem::path(folder) / "models" / "bench"),
                         alone ? std::vector<std::string>{} : shared_features(),
                         int8 ? Precision::kInt8 : Precision::kFloat32);
  Scorer scorer(runtime);
  const MemberVector nobody;
  std::vector<float> logits;
  const auto score = [&](const Request& request) {
    logits.resize(request.positions.size());
    scorer.score(nobody, request.rows, logits);
  };

  if (writing) {
    TensorDump dump;
    dump.add_weights(model);
    for (const std::int64_t size : {1, 64, 512}) {
      const auto requests = make_requests(*workload.dataset, size);
      for (std::size_t r = 0; r < requests.size(); ++r) {
        const std::string name = fmt::format("request{}.{}", size, r);
        dump.add(name + ".ids", torch::stack(requests[r]->ids));
        dump.add(name + ".numbers", requests[r]->numbers);
      }
      const Request& request = *requests[0];
      score(request);
      dump.add(fmt::format("request{}.logits", size), logits);
      const torch::Tensor theirs = torch_logits(model, request).flatten();
      const double error = (theirs - torch::tensor(logits)).abs().max().item<double>();
      if (error > 1e-4) throw Error("logits differ from LibTorch's by {}", error);
    }
    dump.write(std::filesystem::path(folder) / "requests.safetensors", model->layout, 0);
    return 0;
  }

  const auto requests = make_requests(*workload.dataset, candidates);
  Latencies latencies;
  if (engine == "limber") {
    latencies.measure(seconds, [&](std::size_t i) { score(*requests[i % requests.size()]); });
  } else {
    latencies.measure(seconds,
                      [&](std::size_t i) { torch_logits(model, *requests[i % requests.size()]); });
  }
  nlohmann::json result = latencies.summary();
  result["candidates_per_second"] = static_cast<double>(candidates) / latencies.mean();
  result["gflops"] = plain_operations() * static_cast<double>(candidates) / latencies.mean() / 1e9;
  result["instruction_set"] = instruction_set();
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  limber::keep_freed_memory();
  return limber::run_main(argc, argv, limber::run);
}
