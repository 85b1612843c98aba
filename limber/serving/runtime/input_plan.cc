#include "limber/serving/runtime/input_plan.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

/// How many rows ahead embeddings are fetched.
constexpr std::int64_t kAhead = 8;

void write_number(float value, std::int64_t width, float* to) {
  const bool missing = std::isnan(value);
  to[0] = missing ? 0.0F : value;
  if (width == 2) to[1] = missing ? 1.0F : 0.0F;
}

/// Mean of the rows of a table.
void write_mean(const EmbeddingTable& table, std::span<const std::int32_t> indices, float* to) {
  constexpr std::int64_t most = 4096;  // dim is at most that
  float room[most];
  const std::int64_t dim = table.dim();
  std::fill_n(to, dim, 0.0F);
  for (const std::int32_t index : indices) add_scaled(table.row(index, room), 1.0F, to, dim);
  if (indices.size() > 1) {
    const float share = 1.0F / static_cast<float>(indices.size());
    for (std::int64_t c = 0; c < dim; ++c) to[c] *= share;
  }
}

void write_row(const EmbeddingTable& table, std::int32_t index, float* to) {
  const float* row = table.row(index, to);
  if (row != to) std::copy_n(row, table.dim(), to);
}

}  // namespace

InputPlan::InputPlan(const InputLayout& layout, const std::vector<EmbeddingTable>& tables,
                     std::vector<std::size_t> features)
    : features_(std::move(features)) {
  for (const std::size_t f : features_) {
    const InputFeature& feature = layout.features[f];
    parts_.push_back(
        {f, static_cast<std::size_t>(feature.source), width_, feature.width,
         feature.table < 0 ? nullptr : &tables[static_cast<std::size_t>(feature.table)],
         feature.kind});
    width_ += feature.width;
  }
}

void InputPlan::fill(const RowSet& rows, std::int64_t first, std::int64_t last, float* out,
                     std::int64_t stride) const {
  for (const Part& part : parts_) {
    float* column = out + part.column;
    if (part.kind == FeatureKind::sequence) {
      const SequenceValues& lists = rows.sequences[part.feature];
      for (std::int64_t i = first; i < last; ++i, column += stride) {
        const auto at = static_cast<std::size_t>(i);
        const auto begin = static_cast<std::size_t>(lists.offsets[at]);
        const auto end = static_cast<std::size_t>(lists.offsets[at + 1]);
        write_mean(*part.table, lists.indices.subspan(begin, end - begin), column);
      }
      continue;
    }
    const SourceChoice& choice = rows.sources[part.source];
    const bool prefetches = part.table != nullptr && part.kind != FeatureKind::ids;
    for (std::int64_t i = first; i < last; ++i, column += stride) {
      const std::int64_t chosen = choice.rows[static_cast<std::size_t>(i)];
      const SourceRows& source = chosen >= 0 ? *choice.resident : *choice.extra;
      const std::int64_t row = chosen >= 0 ? chosen : -1 - chosen;
      const FeatureValues& values = source.features[part.feature];
      // Tables are larger than caches; the next rows are on their way while this one is copied.
      if (prefetches && i + kAhead < last) {
        const std::int64_t next = choice.rows[static_cast<std::size_t>(i + kAhead)];
        if (next >= 0) part.table->prefetch(choice.resident->features[part.feature].indices[next]);
      }
      if (part.table == nullptr) {
        write_number(values.numbers[row], part.width, column);
      } else if (part.kind == FeatureKind::ids) {
        write_mean(
            *part.table,
            {values.values + values.starts[row], static_cast<std::size_t>(values.lengths[row])},
            column);
      } else {
        write_row(*part.table, values.indices[row], column);
      }
    }
  }
}

}  // namespace limber
