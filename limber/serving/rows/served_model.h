#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/serving/rows/catalogue.h"
#include "limber/serving/rows/request_schema.h"
#include "limber/serving/rows/row_encoder.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/scorer.h"

namespace limber {

class ServedModel;

/// What one request works with, one request at a time: scratch memory that is kept.
struct Workbench {
  explicit Workbench(const ServedModel& model);

  Scorer scorer;
  Adapter adapter;
  RowEncoder candidates, interactions;
  std::vector<FieldRow> rows;
  std::vector<float> labels, weights, logits;
  Random random;  ///< of exploring; no two workbenches draw the same
  DrawnLastLayers drawn;
};

/// One version of a model with all that requests need of it. Immutable but for its workbenches; any
/// number of threads may use it.
class ServedModel {
 public:
  struct Options {
    std::map<std::string, std::string> tables;  ///< paths of side tables by name
    std::filesystem::path base;                 ///< what the config's relative paths count from
    /// Interaction features that a request's candidates share beside those of the member.
    std::vector<std::string> context;
    Precision precision = Precision::kFloat32;
    /// What messages call the option that says where a table is.
    std::string table_option = "--table";
  };
  /// Opens `path` (models/NAME or models/NAME/VERSION) and reads its side tables. Throws
  /// InputError.
  static std::shared_ptr<const ServedModel> load(const std::filesystem::path& path,
                                                 const Options& options);

  /// Its number in this process, of which no other model, before or after it, has the same; what
  /// outlives a model knows it by this, for an address is given away again.
  std::uint64_t id() const { return id_; }
  const RuntimeModel& runtime() const { return *runtime_; }
  std::shared_ptr<const RuntimeModel> runtime_pointer() const { return runtime_; }
  const Catalogue& catalogue() const { return catalogue_; }
  const RequestSchema& schema() const { return schema_; }
  /// Interactions of a member that adaptation and sequences look back on.
  std::int64_t interactions_wanted() const { return interactions_wanted_; }
  bool has_sequences() const { return has_sequences_; }

  /// Borrows a workbench; it goes back when the handle is gone.
  class Borrowed {
   public:
    Borrowed(const ServedModel& model, std::unique_ptr<Workbench> bench)
        : model_(&model), bench_(std::move(bench)) {}
    ~Borrowed() {
      if (bench_) model_->give_back(std::move(bench_));
    }
    Borrowed(Borrowed&&) = default;
    Borrowed& operator=(Borrowed&&) = delete;
    Workbench& operator*() const { return *bench_; }
    Workbench* operator->() const { return bench_.get(); }

   private:
    const ServedModel* model_;
    std::unique_ptr<Workbench> bench_;
  };
  Borrowed borrow() const;

 private:
  ServedModel(std::shared_ptr<const RuntimeModel> runtime, const Options& options);
  void give_back(std::unique_ptr<Workbench> bench) const;

  const std::uint64_t id_;
  std::shared_ptr<const RuntimeModel> runtime_;
  Catalogue catalogue_;
  RequestSchema schema_;
  std::int64_t interactions_wanted_;
  bool has_sequences_ = false;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workbench>> free_;
};

}  // namespace limber
