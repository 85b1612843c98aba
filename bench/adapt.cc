// Adapting members, for bench/adapt.py: writes weights, support rows and our embeddings for the
// peer, or measures one engine.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/latencies.h"
#include "bench/peak.h"
#include "bench/shapes.h"
#include "bench/tensor_dump.h"
#include "limber/core/base/main.h"
#include "limber/core/base/memory.h"
#include "limber/core/data/samplers.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/training/meta/episode.h"
#include "limber/training/train/trainer.h"

namespace limber {
namespace {

struct Sizes {
  std::int64_t support = 32, steps = 3, meta = 64, batch = 64;
};

Workload make_workload(const Sizes& sizes) {
  Workload workload = adapted_members();
  workload.config.model.meta_block.hidden = {sizes.meta, sizes.meta};
  workload.config.meta.support = sizes.support;
  workload.config.meta.adaptation_steps = sizes.steps;
  return workload;
}

/// The latest rows of `count` members, and no query.
TaskBatch make_batch(const Dataset& dataset, std::int64_t first, std::int64_t count,
                     std::int64_t support) {
  EpisodePlan plan;
  for (std::int64_t t = first; t < first + count; ++t) {
    const std::int64_t member = t % static_cast<std::int64_t>(dataset.tasks.size());
    const TaskRows& task = dataset.tasks[static_cast<std::size_t>(member)];
    for (std::int64_t row = task.end - support; row < task.end; ++row) plan.support.push_back(row);
    plan.close_task(member);
  }
  BatchMaker maker(dataset);
  TaskBatch batch;
  gather_episode(plan, maker, batch);
  return batch;
}

/// Multiplications and additions that one member's adaptation needs: the fixed share of the first
/// layer once; each step forward and, for activations alone, back through the frozen layers; the
/// meta block forward, back and down, its last layer on pooled rows. `made` counts what the runtime
/// does: where rows are few, steps of the meta block's first layer by X X'.
struct Operations {
  double needed = 0, made = 0;
};

Operations operations(const Sizes& sizes) {
  const auto n = static_cast<double>(sizes.support), k = static_cast<double>(sizes.steps),
             h = static_cast<double>(sizes.meta);
  const double in = 118, dim = 16, one = 256, two = 128;
  const double fixed = n * in * one;
  const double frozen = k * (2 * dim * one + n * (2 * one * two + 2 * two));
  const double middle = (k + 1) * n * h * h + 2 * k * n * h * h;
  const double last = (2 * k + 1) * (n * h + 2 * h * dim);
  const double first_plain = (k + 1) * n * in * h + k * n * in * h;
  const double first_by_rows = n * in * h + n * n * in + k * n * n * h;
  const double rest = fixed + frozen + middle + last;
  return {2 * (rest + first_plain), 2 * (rest + std::min(first_plain, first_by_rows))};
}

void write(const Workload& workload, RankingModel& model, const Sizes& sizes,
           const std::filesystem::path& folder) {
  publish_workload(workload, model, folder / "models");
  TensorDump dump;
  dump.add_weights(model);
  constexpr std::int64_t batches = 4;
  for (std::int64_t i = 0; i < batches; ++i) {
    TaskBatch batch = make_batch(*workload.dataset, i * sizes.batch, sizes.batch, sizes.support);
    if (i == 0) {
      EpisodeOptions options;
      options.steps = sizes.steps;
      dump.add("embeddings", run_episode(model, batch, options).embeddings);
    }
    dump.add_batch("batch" + std::to_string(i), model->layout, batch);
  }
  dump.write(folder / "members.safetensors", model->layout, batches);
}

/// Largest difference between the runtime's and LibTorch's embeddings.
double largest_difference(const Workload& workload, RankingModel& model,
                          std::shared_ptr<const RuntimeModel> runtime, const Sizes& sizes) {
  const TaskBatch batch = make_batch(*workload.dataset, 0, 16, sizes.support);
  EpisodeOptions options;
  options.steps = sizes.steps;
  const torch::Tensor theirs = run_episode(model, batch, options).embeddings.contiguous();
  Adapter adapter(std::move(runtime));
  DatasetRows rows(*workload.dataset);
  double most = 0;
  for (std::int64_t t = 0; t < 16; ++t) {
    SupportRows support;
    support.rows = &rows.gather(std::span(batch.rows.dataset_rows)
                                    .subspan(static_cast<std::size_t>(t * sizes.support),
                                             static_cast<std::size_t>(sizes.support)));
    support.labels = rows.labels();
    const MemberVector ours = adapter.adapt(support, sizes.steps);
    for (std::int64_t c = 0; c < theirs.size(1); ++c) {
      most = std::max(most, std::abs(static_cast<double>(ours.known[static_cast<std::size_t>(c)]) -
                                     theirs[t][c].item<double>()));
    }
  }
  return most;
}

int run(int argc, char** argv) {
  CLI::App app("Members adapted a second");
  std::string folder, engine = "limber";
  Sizes sizes;
  double seconds = 3;
  int threads = 1;
  bool processor = false;
  app.add_option("folder", folder, "Folder of the model; made with --write")->required();
  bool writing = false;
  app.add_flag("--write", writing, "Write model, members and embeddings there");
  app.add_option("--engine", engine, "limber, libtorch or peak")
      ->check(CLI::IsMember({"limber", "libtorch", "peak"}));
  app.add_option("--support", sizes.support, "Support rows of a member")->check(CLI::Range(1, 256));
  app.add_option("--steps", sizes.steps, "Gradient steps");
  app.add_option("--meta", sizes.meta, "Width of the meta block's two hidden layers");
  app.add_option("--members", sizes.batch, "Members at once");
  app.add_option("--threads", threads, "Compute threads; one core is what is measured")
      ->check(CLI::Range(1, 1));
  app.add_option("--seconds", seconds, "How long to measure");
  app.add_flag("--processor-time", processor, "Accepted for side_by_side.py; wall time counts");
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(threads);
  if (engine == "peak") {
    fmt::print("{}\n", nlohmann::json{{"gflops", matrix_multiply_peak(seconds) / 1e9}}.dump());
    return 0;
  }
  const Workload workload = make_workload(sizes);
  RankingModel model = make_model(workload.config, *workload.dataset, torch::kCPU);
  model->eval();
  if (writing) {
    write(workload, model, sizes, folder);
    const auto runtime =
        RuntimeModel::load(Artifact::open(std::filesystem::path(folder) / "models" / "bench"), {});
    fmt::print(
        "{}\n",
        nlohmann::json{{"difference", largest_difference(workload, model, runtime, sizes)}}.dump());
    return 0;
  }

  Latencies latencies;
  if (engine == "libtorch") {
    std::vector<TaskBatch> batches;
    for (std::int64_t i = 0; i < 8; ++i) {
      batches.push_back(make_batch(*workload.dataset, i * sizes.batch, sizes.batch, sizes.support));
    }
    EpisodeOptions options;
    options.steps = sizes.steps;
    latencies.measure(
        seconds, [&](std::size_t i) { run_episode(model, batches[i % batches.size()], options); });
  } else {
    const TemporaryFolder models;
    publish_workload(workload, model, models.path());
    Adapter adapter(RuntimeModel::load(Artifact::open(models.path() / "bench"), {}));
    DatasetRows rows(*workload.dataset);
    std::vector<std::int64_t> chosen;
    MemberVector result;
    latencies.measure(seconds, [&](std::size_t i) {
      for (std::int64_t m = 0; m < sizes.batch; ++m) {
        const auto member =
            (i * static_cast<std::size_t>(sizes.batch) + static_cast<std::size_t>(m)) %
            workload.dataset->tasks.size();
        const TaskRows& task = workload.dataset->tasks[member];
        chosen.clear();
        for (std::int64_t row = task.end - sizes.support; row < task.end; ++row) {
          chosen.push_back(row);
        }
        SupportRows support;
        support.rows = &rows.gather(chosen);
        support.labels = rows.labels();
        adapter.adapt(support, sizes.steps, result);
      }
    });
  }
  nlohmann::json result = latencies.summary();
  const double rate = static_cast<double>(sizes.batch) / latencies.mean();
  const Operations counted = operations(sizes);
  result["members_per_second"] = rate;
  result["gflops_needed"] = rate * counted.needed / 1e9;
  result["gflops_made"] = rate * counted.made / 1e9;
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  limber::keep_freed_memory();
  return limber::run_main(argc, argv, limber::run);
}
