#include "limber/companions/screen/ranked_features.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>

#include "limber/companions/screen/feature_order.h"
#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/data/table_writer.h"

namespace limber::screen {
namespace {

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("ranked features: {}", status.message());
}

/// The columns of the table and a batch of rows in the making.
class Rows {
 public:
  explicit Rows(const std::vector<std::string>& classes) {
    arrow::FieldVector fields{arrow::field("rank", arrow::int64()),
                              arrow::field("feature", arrow::utf8())};
    const auto number = [&](const std::string& name) {
      fields.push_back(arrow::field(name, arrow::float64()));
      numbers_.emplace_back();
    };
    if (classes.size() == 2) {
      for (const char* name : {"effect", "probability", "z", "difference"}) number(name);
    } else {
      for (const std::string& name : classes) {
        for (const char* what : {"effect_", "probability_", "z_", "difference_"}) {
          number(what + name);
        }
      }
    }
    number("scale");
    fields.push_back(arrow::field("selected", arrow::boolean()));
    schema_ = arrow::schema(fields);
  }

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  void add(std::int64_t rank, std::string_view name, const FeatureScore& score, bool selected) {
    check(ranks_.Append(rank));
    check(names_.Append(name));
    std::size_t at = 0;
    const auto put = [&](double value) {
      check(score.usable ? numbers_[at].Append(value) : numbers_[at].AppendNull());
      ++at;
    };
    for (const auto& direction : score.directions) {
      put(direction.posterior.effect);
      put(direction.posterior.nonzero);
      put(direction.z);
      put(score.usable ? direction.shrunken() * score.scale : 0);
    }
    put(score.scale);
    check(selected_.Append(selected));
  }

  std::shared_ptr<arrow::RecordBatch> batch() {
    arrow::ArrayVector arrays(static_cast<std::size_t>(schema_->num_fields()));
    check(ranks_.Finish(&arrays[0]));
    check(names_.Finish(&arrays[1]));
    for (std::size_t i = 0; i < numbers_.size(); ++i) check(numbers_[i].Finish(&arrays[i + 2]));
    check(selected_.Finish(&arrays.back()));
    const std::int64_t rows = arrays[0]->length();
    return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  arrow::Int64Builder ranks_;
  arrow::StringBuilder names_;
  std::vector<arrow::DoubleBuilder> numbers_;
  arrow::BooleanBuilder selected_;
};

}  // namespace

void write_ranked_features(const Statistics& statistics, const Estimate& estimate, double threshold,
                           const std::filesystem::path& path) {
  const TemporaryFolder folder;
  MappedFile file = MappedFile::create(
      folder.path() / "ranks", static_cast<std::size_t>(statistics.features()) * sizeof(RankKey));
  const std::span<RankKey> keys = file.as<RankKey>();
  FeatureScorer scorer(estimate);
  FeatureScore score;
  for (const auto& block : statistics.blocks()) {
    for (std::int64_t i = 0; i < block.features; ++i) {
      scorer.score(block.record(i), score);
      keys[static_cast<std::size_t>(block.first + i)] = RankKey::of(score, block.first + i);
    }
  }
  const auto name_of = [&](std::int64_t number) {
    const auto [block, at] = statistics.find(number);
    return block->name(at);
  };
  std::sort(keys.begin(), keys.end(),
            [&](const RankKey& a, const RankKey& b) { return ranks_before(a, b, name_of); });

  constexpr std::int64_t kBatch = 16384;
  Rows rows(statistics.classes());
  TableWriter writer(path, rows.schema());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto [block, at] = statistics.find(keys[i].number);
    scorer.score(block->record(at), score);
    rows.add(static_cast<std::int64_t>(i) + 1, block->name(at), score,
             score.usable && score.zero() <= threshold);
    if ((i + 1) % kBatch == 0 || i + 1 == keys.size()) {
      if (stop_requested()) throw Error("stopped by a signal; nothing was written");
      writer.write(*rows.batch());
    }
  }
  writer.finish();
}

}  // namespace limber::screen
