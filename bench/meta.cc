// Meta-training on random members, for bench/meta.py: writes weights, batches and outer gradients
// for the peers to read, or measures tasks a second.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/rate.h"
#include "bench/shapes.h"
#include "bench/tensor_dump.h"
#include "limber/core/base/main.h"
#include "limber/core/base/memory.h"
#include "limber/core/data/samplers.h"
#include "limber/training/meta/outer_gradients.h"
#include "limber/training/train/trainer.h"

namespace limber {
namespace {

std::vector<TaskBatch> make_batches(const Workload& workload, std::int64_t count) {
  TaskSampler::Options options;
  options.tasks_per_batch = workload.config.meta.tasks_per_batch;
  options.support = workload.config.meta.support;
  options.support_sizes = workload.config.meta.support_sizes;
  options.query = workload.config.meta.query;
  const TaskSampler sampler(*workload.dataset, options, 0);
  BatchMaker maker(*workload.dataset);
  std::vector<TaskBatch> batches(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    gather_episode(sampler.plan(i), maker, batches[static_cast<std::size_t>(i)]);
  }
  return batches;
}

void write(const Workload& workload, const std::vector<TaskBatch>& batches,
           const std::filesystem::path& path) {
  RankingModel model = make_model(workload.config, *workload.dataset, torch::kCPU);
  TensorDump dump;
  dump.add_weights(model);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    dump.add_batch("batch" + std::to_string(i), model->layout, batches[i]);
  }
  for (const bool second : {false, true}) {
    for (const std::int64_t steps : {1, 3}) {
      const EpisodeOptions options{.train = true, .second_order = second, .steps = steps};
      const OuterGradients outer = outer_gradients(model, batches[0], options);
      const std::string prefix = fmt::format("{}.{}.", second ? "second" : "first", steps);
      dump.add(prefix + "loss", torch::tensor(outer.loss_sum / outer.loss_count, model->tensor));
      dump.add_gradients(prefix, model, outer.table_rows);
    }
  }
  dump.write(path, model->layout, static_cast<std::int64_t>(batches.size()));
}

void measure(const Workload& workload, const std::vector<TaskBatch>& batches, double seconds,
             bool processor) {
  const TemporaryFolder folder;
  Trainer trainer(workload.config, *workload.dataset,
                  make_model(workload.config, *workload.dataset, torch::kCPU), folder.path(),
                  /*restart=*/true);
  // Outer steps far too small to lead anywhere: the work is the same at every step.
  constexpr double tiny = 1e-3;
  for (const TaskBatch& batch : batches) trainer.step(batch, tiny);
  std::int64_t tasks = 0;
  const RateClock time(processor);
  for (std::size_t i = 0; time.seconds() < seconds; ++i) {
    const TaskBatch& batch = batches[i % batches.size()];
    trainer.step(batch, tiny);
    tasks += batch.size();
  }
  const double rate = static_cast<double>(tasks) / time.seconds();
  fmt::print("{}\n", nlohmann::json{{"tasks_per_second", rate}}.dump());
}

int run(int argc, char** argv) {
  CLI::App app("Meta-training tasks a second");
  std::string path, order = "second", histories = "long";
  std::int64_t steps = 1, count = 8;
  int threads = 2;
  bool processor = false;
  double seconds = 3;
  app.add_option("--write", path, "Write weights, batches and gradients there, and end");
  app.add_option("--order", order, "first or second");
  app.add_option("--histories", histories, "long: up to 100 support and 100 query rows; short: 20")
      ->check(CLI::IsMember({"long", "short"}));
  app.add_option("--steps", steps, "Inner steps");
  app.add_option("--batches", count, "Different batches");
  app.add_option("--threads", threads, "Compute threads");
  app.add_option("--seconds", seconds, "How long to measure");
  app.add_flag("--processor-time", processor, "Count processor time; with one thread");
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(threads);
  Workload workload = films(/*personalised=*/true);
  if (histories == "short") workload.config.meta.support = workload.config.meta.query = 20;
  workload.config.meta.order = order;
  workload.config.meta.inner_steps = steps;
  const std::vector<TaskBatch> batches = make_batches(workload, count);
  if (path.empty()) {
    measure(workload, batches, seconds, processor);
  } else {
    write(workload, batches, path);
  }
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  limber::keep_freed_memory();
  return limber::run_main(argc, argv, limber::run);
}
