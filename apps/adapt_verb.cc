#include <arrow/api.h>
#include <spdlog/spdlog.h>

#include "apps/train_verbs.h"
#include "limber/core/artifact/artifact.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/loader.h"
#include "limber/core/data/table_writer.h"
#include "limber/training/meta/episode.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/trainer.h"

namespace limber {
namespace {

/// member, meta_embedding (list of float), support_rows, model, version.
class EmbeddingFile {
 public:
  EmbeddingFile(const std::string& path, std::string model, std::string version)
      : model_(std::move(model)),
        version_(std::move(version)),
        schema_(arrow::schema({arrow::field("member", arrow::utf8(), false),
                               arrow::field("meta_embedding", arrow::list(arrow::float32()), false),
                               arrow::field("support_rows", arrow::int64(), false),
                               arrow::field("model", arrow::utf8(), false),
                               arrow::field("version", arrow::utf8(), false)})),
        writer_(path, schema_) {}

  void write(const Dataset& dataset, const TaskBatch& batch, const torch::Tensor& embeddings) {
    const torch::Tensor rows = embeddings.to(torch::kCPU, torch::kFloat).contiguous();
    const std::int64_t dim = rows.size(1);
    arrow::StringBuilder members, models, versions;
    arrow::Int64Builder support;
    auto values = std::make_shared<arrow::FloatBuilder>();
    arrow::ListBuilder vectors(arrow::default_memory_pool(), values);
    for (std::int64_t t = 0; t < batch.size(); ++t) {
      const auto at = static_cast<std::size_t>(t);
      check(members.Append(dataset.task_keys.text(static_cast<std::int32_t>(batch.tasks[at] + 1))));
      check(vectors.Append());
      check(values->AppendValues(rows.const_data_ptr<float>() + t * dim, dim));
      check(support.Append(batch.support_offsets[at + 1] - batch.support_offsets[at]));
      check(models.Append(model_));
      check(versions.Append(version_));
    }
    std::vector<std::shared_ptr<arrow::Array>> columns(5);
    check(members.Finish(&columns[0]));
    check(vectors.Finish(&columns[1]));
    check(support.Finish(&columns[2]));
    check(models.Finish(&columns[3]));
    check(versions.Finish(&columns[4]));
    writer_.write(*arrow::RecordBatch::Make(schema_, batch.size(), columns));
  }
  void finish() { writer_.finish(); }

 private:
  static void check(const arrow::Status& status) {
    if (!status.ok()) throw Error("embeddings: {}", status.ToString());
  }
  std::string model_, version_;
  std::shared_ptr<arrow::Schema> schema_;
  TableWriter writer_;
};

}  // namespace

int run_adapt(const AdaptArguments& arguments) {
  check_output_file("--output", arguments.output);
  const Artifact artifact = Artifact::open(arguments.model);
  const torch::Device device = choose_device("auto");
  LoadedModel loaded = load_model(artifact, device);
  if (!loaded.model->meta_block) {
    throw InputError(
        "{}: the model has no meta block (model.meta_block.enabled), so there is "
        "nothing to adapt",
        arguments.model);
  }
  const Config config =
      parse_config(config_to_yaml(loaded.config), arguments.model, arguments.settings);
  if (config.train.threads > 0) torch::set_num_threads(static_cast<int>(config.train.threads));
  const TemporaryFolder folder;
  const Dataset dataset = build_dataset_for(loaded, config, folder.path());
  const AdaptationSampler sampler(dataset, config.meta.support, 16384);
  Loader loader(dataset, sampler);
  EmbeddingFile file(arguments.output, loaded.name, loaded.version);
  Progress progress("adapting", dataset.tasks.size(), "members");
  const Stopwatch time;
  EpisodeOptions options;
  options.steps = config.meta.adaptation_steps;
  while (auto batch = loader.next()) {
    const Episode episode = run_episode(loaded.model, *batch, options);
    file.write(dataset, *batch, episode.embeddings);
    progress.add(static_cast<std::uint64_t>(batch->size()));
    loader.recycle(std::move(batch));
  }
  file.finish();
  progress.finish();
  fmt::print("adapted {} in {:.2f} s ({:.0f} members/s) under {} version {}: {}\n",
             counted(dataset.tasks.size(), "member"), time.seconds(),
             static_cast<double>(dataset.tasks.size()) / time.seconds(), loaded.name,
             loaded.version, arguments.output);
  if (dataset.bad_rows > 0) fmt::print("{}\n", left_out(dataset));
  return 0;
}

}  // namespace limber
