#include "limber/serving/runtime/embedding_table.h"

#include "limber/serving/runtime/row_kernels.h"

namespace limber {

EmbeddingTable::EmbeddingTable(const Artifact& artifact, const EmbeddingTableShape& shape)
    : rows_(shape.rows),
      dim_(shape.dim),
      stored_(stored_table(artifact, "tables." + shape.name, rows_, dim_)) {
  const Tensor& tensor = artifact.tensor("tables." + shape.name);
  bytes_ = tensor.bytes.data();
  row_bytes_ = dim_ * static_cast<std::int64_t>(size_of(tensor.type));
}

const float* EmbeddingTable::row(std::int32_t index, float* room) const {
  const std::int64_t first = index * dim_;
  switch (stored_.type) {
    case RowType::kFloat32:
      return stored_.floats + first;
    case RowType::kFloat16:
      expand_halves(stored_.halves + first, room, dim_);
      break;
    case RowType::kInt8:
      expand_int8(stored_.codes + first, stored_.scales[index], stored_.middles[index], room, dim_);
      break;
  }
  return room;
}

}  // namespace limber
