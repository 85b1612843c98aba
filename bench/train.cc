// Training of a ranker without support, for bench/train.py: writes weights, batches and gradients
// for the peer to read, or measures examples a second.
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

std::vector<EpisodePlan> make_plans(const Workload& workload, std::int64_t count) {
  const RowSampler sampler(*workload.dataset, workload.config.train.batch, 1, 0);
  std::vector<EpisodePlan> plans;
  for (std::int64_t i = 0; i < count; ++i) plans.push_back(sampler.plan(i));
  return plans;
}

void write(const Workload& workload, const std::vector<EpisodePlan>& plans,
           const std::filesystem::path& path) {
  RankingModel model = make_model(workload.config, *workload.dataset, torch::kCPU);
  TensorDump dump;
  dump.add_weights(model);
  BatchMaker maker(*workload.dataset);
  TaskBatch batch;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    gather_episode(plans[i], maker, batch);
    dump.add_batch("batch" + std::to_string(i), model->layout, batch);
    if (i > 0) continue;
    const OuterGradients outer = outer_gradients(model, batch, {.train = true});
    dump.add("loss", torch::tensor(outer.loss_sum / outer.loss_count, model->tensor));
    dump.add_gradients("", model, outer.table_rows);
  }
  dump.write(path, model->layout, static_cast<std::int64_t>(plans.size()));
}

/// Floating-point operations a second of large square products, the best of several short looks.
double matrix_peak(bool processor) {
  const torch::NoGradGuard no_grad;
  constexpr std::int64_t side = 2048;
  const torch::Tensor a = torch::rand({side, side}), b = torch::rand({side, side});
  torch::Tensor c = torch::mm(a, b);
  double best = 0;
  for (int look = 0; look < 8; ++look) {
    const RateClock time(processor);
    torch::mm_out(c, a, b);
    best = std::max(best, 2.0 * side * side * side / time.seconds());
  }
  return best;
}

/// Floating-point operations that the matrix products of one example take: forward, and twice as
/// many backward, for the inputs and for the weights. Every matrix meets every example once.
double matrix_operations(const RankingModel& model) {
  std::int64_t weights = 0;
  for (const torch::Tensor& parameter : model->parameters()) {
    if (parameter.dim() == 2) weights += parameter.numel();
  }
  return 3 * 2 * static_cast<double>(weights);
}

/// The gathering of a batch, which finds the rows that it uses, is part of the step.
void measure(const Workload& workload, const std::vector<EpisodePlan>& plans, double seconds,
             bool processor) {
  const TemporaryFolder folder;
  const RankingModel model = make_model(workload.config, *workload.dataset, torch::kCPU);
  Trainer trainer(workload.config, *workload.dataset, model, folder.path(), /*restart=*/true);
  BatchMaker maker(*workload.dataset);
  TaskBatch batch;
  const auto step = [&](std::size_t i) {
    gather_episode(plans[i % plans.size()], maker, batch);
    trainer.step(batch, 1.0);
    return batch.rows.rows;
  };
  for (std::size_t i = 0; i < 3; ++i) step(i);
  std::int64_t examples = 0;
  const RateClock time(processor);
  for (std::size_t i = 0; time.seconds() < seconds; ++i) examples += step(i);
  const double rate = static_cast<double>(examples) / time.seconds();
  const double bound = matrix_peak(processor) / matrix_operations(model);
  const nlohmann::json found = {{"examples_per_second", rate},
                                {"examples_per_second_products", bound}};
  fmt::print("{}\n", found.dump());
}

int run(int argc, char** argv) {
  CLI::App app("Training examples a second");
  std::string path, shape = "advertisements";
  std::int64_t count = 16;
  int threads = 2;
  bool processor = false;
  double seconds = 5;
  app.add_option("--write", path, "Write weights, batches and gradients there, and end");
  app.add_option("--shape", shape, "advertisements or films")
      ->check(CLI::IsMember({"advertisements", "films"}));
  app.add_option("--batches", count, "Different batches");
  app.add_option("--threads", threads, "Compute threads");
  app.add_option("--seconds", seconds, "How long to measure");
  app.add_flag("--processor-time", processor, "Count processor time; with one thread");
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(threads);
  const Workload workload = shape == "films" ? films(/*personalised=*/false) : advertisements();
  const std::vector<EpisodePlan> plans = make_plans(workload, count);
  if (path.empty()) {
    measure(workload, plans, seconds, processor);
  } else {
    write(workload, plans, path);
  }
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  limber::keep_freed_memory();
  return limber::run_main(argc, argv, limber::run);
}
