#include "limber/training/compress/compressed_publish.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/error.h"
#include "limber/core/config/config.h"
#include "limber/core/data/popularity.h"
#include "limber/core/data/stored_encoders.h"
#include "limber/training/compress/ranking_network.h"
#include "limber/training/train/incremental.h"
#include "limber/training/train/publish.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr const char* kPosteriorFile = "posterior.safetensors";

torch::Tensor plain(const torch::Tensor& tensor) {
  return tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
}

std::span<const float> values_of(const torch::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

bool needs_format(std::span<const limber::Tensor> tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const limber::Tensor& tensor) { return tensor.type != DataType::kF32; });
}

/// Writes the parts of one version.
class Writer {
 public:
  Writer(const fs::path& models_folder, const Artifact& from, const CompressedModel& compressed)
      : from_(from), compressed_(compressed), writer_(models_folder, from.name()) {}

  void add_dense() {
    OwnedTensors dense;
    for (const auto& [name, tensor] : compressed_.model->dense_tensors()) {
      // Averages of numbers go into their encoders.
      if (name.starts_with("numbers.")) continue;
      const torch::Tensor values = plain(tensor);
      const auto packing = compressed_.packing.find(name);
      if (packing == compressed_.packing.end()) {
        dense.add(name, values.sizes().vec(), values_of(values));
      } else {
        dense.append(pack_weight(name, values_of(values), values.sizes().vec(), packing->second));
      }
    }
    bytes_ += dense.bytes();
    add_tensors("dense.safetensors", dense.tensors());
  }

  void add_tables() {
    const RankingModel& model = compressed_.model;
    const auto& tables = compressed_.tables.empty() ? model->tables.weights() : compressed_.tables;
    for (std::size_t t = 0; t < tables.size(); ++t) {
      const torch::Tensor rows = plain(tables[t]);
      const std::string& name = model->tables.shapes()[t].name;
      const OwnedTensors encoded =
          encode_table("tables." + name, values_of(rows), rows.size(0), rows.size(1),
                       row_type_for(compressed_.rows, rows.size(1)));
      bytes_ += encoded.bytes();
      add_tensors("tables/" + name + ".safetensors", encoded.tensors());
    }
  }

  /// The manifest's "features".
  nlohmann::json add_encoders() {
    std::vector<FeatureEncoder> encoders = compressed_.encoders;
    const RankingModel& model = compressed_.model;
    for (std::size_t f = 0; f < encoders.size(); ++f) {
      if (model->numbers) encoders[f] = model->numbers->folded(encoders[f], f);
      if (encoders[f].perfect_hash) {
        bytes_ += encoders[f].perfect_hash->to_bytes().size();
      } else if (encoders[f].vocabulary) {
        bytes_ += encoders[f].vocabulary->to_lines().size();
      }
    }
    return write_encoders(writer_, encoders);
  }

  /// Returns what it left out.
  std::vector<std::string> add_others() {
    std::vector<std::string> left_out;
    const bool moved = !compressed_.rows_before.empty();
    for (const FileEntry& file : from_.contents().files) {
      const std::string& path = file.path;
      if (path == "dense.safetensors" || path.starts_with("tables/") ||
          path.starts_with("vocabulary/")) {
        continue;
      }
      const bool stale = (path == kPosteriorFile && compressed_.dense_changed) ||
                         (path == kFisherFile && (compressed_.dense_changed || moved));
      if (stale) {
        left_out.push_back(path);
      } else if (path == Popularity::kFile && moved) {
        add_popularity();
      } else {
        writer_.add_copy(from_, path);
      }
    }
    return left_out;
  }

  /// Of tensors and vocabularies so far.
  std::uint64_t bytes() const { return bytes_; }
  fs::path publish(const ManifestFields& fields) { return writer_.publish(fields); }

 private:
  void add_tensors(const std::string& path, std::span<const limber::Tensor> tensors) {
    if (needs_format(tensors)) writer_.require_format(kCompressedFormat);
    writer_.add_tensors(path, tensors);
  }

  void add_popularity() {
    const limber::Tensor& before = from_.tensor(Popularity::kTensor);
    const auto values = before.values<float>();
    const std::string feature = from_.contents().fields.encoders.at("popularity").at("feature");
    const auto moved = compressed_.rows_before.find(feature);
    OwnedTensors popularity;
    if (moved == compressed_.rows_before.end()) {
      popularity.add(Popularity::kTensor, before.shape, values);
    } else {
      const auto labels = static_cast<std::size_t>(before.shape.at(1));
      std::vector<float> rows;
      rows.reserve(values.size());
      for (const std::int64_t row : moved->second) {
        const auto one = values.subspan(static_cast<std::size_t>(row) * labels, labels);
        rows.insert(rows.end(), one.begin(), one.end());
      }
      popularity.add(Popularity::kTensor, before.shape, rows);
    }
    writer_.add_tensors(Popularity::kFile, popularity.tensors());
    writer_.require_format(Popularity::kFormat);
  }

  const Artifact& from_;
  const CompressedModel& compressed_;
  ArtifactWriter writer_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

RowType row_type_for(RowType asked, std::int64_t dim) {
  return bytes_per_row(asked, dim) < bytes_per_row(RowType::kFloat32, dim) ? asked
                                                                           : RowType::kFloat32;
}

void round_tables(CompressedModel& compressed) {
  auto& tables = compressed.model->tables.weights();
  compressed.tables = tables;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const RowType type = row_type_for(compressed.rows, tables[t].size(1));
    if (type == RowType::kFloat32) continue;
    const torch::Tensor rows = plain(tables[t]);
    const std::vector<float> numbers =
        rounded_rows(values_of(rows), rows.size(0), rows.size(1), type);
    torch::Tensor rounded = torch::empty_like(rows);
    std::copy(numbers.begin(), numbers.end(), rounded.mutable_data_ptr<float>());
    tables[t] = rounded.to(tables[t].options());
  }
}

std::map<std::string, PackOptions> packing_of(const CompressOptions& options,
                                              const CompressionResult& result,
                                              const ShrunkModel& shrunk) {
  std::map<std::string, PackOptions> packing;
  for (const CompressedWeight& weight : result.weights) {
    if (shrunk.remade.contains(weight.name)) continue;
    PackOptions pack;
    if (weight.codes.defined()) {
      pack.bits = options.bits;
      pack.scale = weight.scale;
    }
    // Removed units are gone; lines and tiles are zeros within the matrix.
    if (weight.mask.defined() && options.structure != "units") {
      pack.tile_rows = std::min(options.block[0], weight.mask.size(0));
      pack.tile_columns = std::min(options.block[1], weight.mask.size(1));
    }
    if (pack.bits > 0 || pack.tile_rows > 0) {
      packing[parameter_of_weight(shrunk.model, weight.name)] = pack;
    }
  }
  return packing;
}

std::map<std::string, PackOptions> packing_of(const Artifact& artifact) {
  std::map<std::string, PackOptions> packing;
  for (const PackedWeight& weight : artifact.packed_weights()) {
    PackOptions pack;
    pack.tile_rows = weight.tile_rows;
    pack.tile_columns = weight.tile_columns;
    if (weight.bits < 32) {
      pack.bits = weight.bits;
      pack.scale = artifact.tensor(weight.name + ".scale").values<float>()[0];
    }
    packing[weight.name] = pack;
  }
  return packing;
}

PartSizes part_sizes(const Artifact& artifact) {
  PartSizes sizes;
  for (const FileEntry& file : artifact.contents().files) {
    sizes.whole += file.size;
    if (file.path == "dense.safetensors") sizes.dense += file.size;
    if (file.path.starts_with("tables/")) sizes.tables += file.size;
    if (file.path.starts_with("vocabulary/")) sizes.vocabularies += file.size;
  }
  sizes.whole += fs::file_size(artifact.folder() / kManifestName);
  return sizes;
}

fs::path publish_compressed(const fs::path& models_folder, const Artifact& from,
                            const CompressedModel& compressed, const nlohmann::json& metrics,
                            double seconds) {
  Writer writer(models_folder, from, compressed);
  writer.add_dense();
  writer.add_tables();
  ManifestFields fields = from.contents().fields;
  // What was asked for is not asked for again when the version is compressed once more.
  Config config = compressed.config;
  const nlohmann::json asked = config_to_json(config).at("compress");
  config.compress = {};
  fields.config = config_to_json(config);
  fields.encoders["features"] = writer.add_encoders();
  for (const std::string& file : writer.add_others()) {
    spdlog::warn("{} of the model before says nothing of the compressed one and is left out", file);
    if (file == kFisherFile) fields.data_window.erase("fisher");
  }
  const PartSizes before = part_sizes(from);
  fields.data_window["compressed"] = {
      {"from", from.name() + "/" + from.version()},
      {"origin", compressed_origin(from).value_or(from.folder().string())},
      {"options", asked},
      {"seconds", seconds},
      {"ratio", static_cast<double>(before.tables + before.vocabularies + before.dense) /
                    static_cast<double>(std::max<std::uint64_t>(writer.bytes(), 1))}};
  fields.metrics = metrics;
  return writer.publish(fields);
}

}  // namespace limber
