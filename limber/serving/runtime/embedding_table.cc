#include "limber/serving/runtime/embedding_table.h"

#include "limber/core/base/error.h"
#include "limber/serving/runtime/row_kernels.h"

namespace limber {

EmbeddingTable::EmbeddingTable(const Artifact& artifact, const EmbeddingTableShape& shape)
    : rows_(shape.rows), dim_(shape.dim) {
  const auto take = [&](const std::string& name,
                        std::vector<std::int64_t> expected) -> const Tensor& {
    const Tensor& tensor = artifact.tensor(name);
    if (tensor.shape != expected) {
      throw InputError("{}: tensor {} does not have the shape that the config asks for",
                       (artifact.folder() / kManifestName).string(), name);
    }
    return tensor;
  };
  const std::string name = "tables." + shape.name;
  const Tensor& stored = take(name, {rows_, dim_});
  if (stored.type == DataType::kI8) {
    bytes_ = stored.values<std::int8_t>().data();
    scales_ = take(name + ".scale", {rows_}).values<float>().data();
    middles_ = take(name + ".middle", {rows_}).values<float>().data();
  } else {
    floats_ = stored.values<float>().data();
  }
}

const float* EmbeddingTable::row(std::int32_t index, float* room) const {
  const std::int64_t first = index * dim_;
  if (bytes_ == nullptr) return floats_ + first;
  expand_int8(bytes_ + first, scales_[index], middles_[index], room, dim_);
  return room;
}

}  // namespace limber
