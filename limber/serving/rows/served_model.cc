#include "limber/serving/rows/served_model.h"

#include <algorithm>
#include <atomic>
#include <random>

namespace limber {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

/// Another one each time, in each process.
std::uint64_t fresh_seed() {
  std::random_device device;
  return mix64((std::uint64_t{device()} << 32) ^ device());
}

}  // namespace

Workbench::Workbench(const ServedModel& model)
    : scorer(model.runtime_pointer()),
      adapter(model.runtime_pointer()),
      candidates(model.runtime(), model.catalogue(), model.schema()),
      interactions(model.runtime(), model.catalogue(), model.schema()),
      random(fresh_seed()) {}

std::shared_ptr<const ServedModel> ServedModel::load(const std::filesystem::path& path,
                                                     const Options& options) {
  Artifact artifact = Artifact::open(path);
  std::vector<std::string> shared = member_features(artifact);
  for (const std::string& name : options.context) {
    if (std::find(shared.begin(), shared.end(), name) == shared.end()) shared.push_back(name);
  }
  return std::shared_ptr<const ServedModel>(
      new ServedModel(RuntimeModel::load(std::move(artifact), shared, options.precision), options));
}

ServedModel::ServedModel(std::shared_ptr<const RuntimeModel> runtime, const Options& options)
    : id_(next_id()),
      runtime_(std::move(runtime)),
      catalogue_(*runtime_, options.tables, options.base, options.table_option),
      schema_(*runtime_, catalogue_),
      interactions_wanted_(runtime_->config.meta.support) {
  for (const FeatureEncoder& encoder : runtime_->encoders) {
    if (encoder.kind != FeatureKind::sequence) continue;
    has_sequences_ = true;
    // The oldest support row has a past of its own.
    interactions_wanted_ =
        std::max(interactions_wanted_, runtime_->config.meta.support + encoder.length);
  }
}

ServedModel::Borrowed ServedModel::borrow() const {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto bench = std::move(free_.back());
      free_.pop_back();
      return {*this, std::move(bench)};
    }
  }
  return {*this, std::make_unique<Workbench>(*this)};
}

void ServedModel::give_back(std::unique_ptr<Workbench> bench) const {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(bench));
}

}  // namespace limber
