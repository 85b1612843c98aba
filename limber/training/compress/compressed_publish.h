#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limber/core/artifact/artifact.h"
#include "limber/core/artifact/packed_weight.h"
#include "limber/core/artifact/row_codec.h"
#include "limber/core/config/options.h"
#include "limber/core/data/encoder.h"
#include "limber/training/compress/compress_network.h"
#include "limber/training/compress/hashed_vocabularies.h"
#include "limber/training/compress/shrink.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// A model as it is to be published: what it says is what a server will say.
struct CompressedModel {
  Config config;
  RankingModel model{nullptr};
  std::vector<FeatureEncoder> encoders;
  RowType rows = RowType::kFloat32;
  /// By embedding table, before they were rounded: what is stored. Empty: those of the model.
  std::vector<torch::Tensor> tables;
  std::map<std::string, PackOptions> packing;  ///< by dense tensor; others are stored as floats
  std::map<std::string, std::vector<std::int64_t>> rows_before;  ///< as HashedVocabularies has it
  bool dense_changed = false;
};

/// What rows of `dim` numbers are stored as where `asked` is: floats where that saves nothing, as
/// int8 does not for fewer than three numbers.
RowType row_type_for(RowType asked, std::int64_t dim);

/// Rounds the rows of the model's embedding tables to what they will be read as, and keeps the
/// tables as they were in `tables`: rounding twice would not give the same codes. Throws Error that
/// names table and row for a number that is not finite.
void round_tables(CompressedModel& compressed);

/// How the weights of a compressed model are packed, by dense tensor. `shrunk` is the model after
/// its units were removed.
std::map<std::string, PackOptions> packing_of(const CompressOptions& options,
                                              const CompressionResult& result,
                                              const ShrunkModel& shrunk);

/// How the weights of a published version are packed: what stays so where they do not change.
std::map<std::string, PackOptions> packing_of(const Artifact& artifact);

/// Bytes of one part of an artifact, as its files are: tensors with their headers, vocabularies as
/// they are stored.
struct PartSizes {
  std::uint64_t tables = 0, vocabularies = 0, dense = 0, whole = 0;
};
PartSizes part_sizes(const Artifact& artifact);

/// Publishes the compressed model as the next version beside `from`, which stays as it is:
///
///     dense.safetensors         packed weights, other tensors as floats
///     tables/NAME.safetensors   rows as halves, or as whole numbers with scale and middle
///     vocabulary/NAME.txt       dictionaries, and vocabulary/NAME.hash for perfect hashes
///     popularity.safetensors    where `from` has it, its rows where the tables' rows are
///     posterior.safetensors, fisher.safetensors   where they are still true: the last layer's
///                               while no dense weight has changed, the Fisher information while
///                               rows have not moved either
///
/// The manifest says under data_window.compressed what it was made from, which version was trained
/// (`origin`: where that is itself compressed, what it was made from), how many times fewer bytes
/// its dense tensors, tables and vocabularies take, and `seconds`. Returns the version's folder.
/// Warns of what is left out. Throws as ArtifactWriter; nothing half-written is visible.
std::filesystem::path publish_compressed(const std::filesystem::path& models_folder,
                                         const Artifact& from, const CompressedModel& compressed,
                                         const nlohmann::json& metrics, double seconds);

}  // namespace limber
