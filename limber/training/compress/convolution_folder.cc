#include "limber/training/compress/convolution_folder.h"

#include <algorithm>
#include <span>
#include <utility>

#include "limber/core/artifact/checksum.h"
#include "limber/core/artifact/output_file.h"
#include "limber/core/artifact/packed_weight.h"
#include "limber/core/artifact/safetensors.h"
#include "limber/core/artifact/strict_json.h"
#include "limber/core/artifact/version.h"
#include "limber/core/artifact/work_folder.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr const char* weights_name = "weights.safetensors";
constexpr const char* json_name = "network.json";
/// What network.json's "format" says; readers refuse a higher one.
constexpr std::int64_t format = 1;

std::span<const float> floats(const torch::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// Codes and tiles as compression left them. A tile of the matrix [inputs, outputs] lies crosswise
/// in the weight, whose rows are the outputs.
PackOptions pack_options(const CompressOptions& options, const CompressedWeight* weight) {
  PackOptions pack;
  if (weight == nullptr) return pack;
  // A scale of 0 is that of a weight which is 0 everywhere.
  if (weight->codes.defined() && weight->scale > 0) {
    pack.bits = options.bits;
    pack.scale = weight->scale;
  }
  if (weight->mask.defined() && options.structure != "units") {
    pack.tile_rows = options.block[1];
    pack.tile_columns = options.block[0];
  }
  return pack;
}

StoredLayer store(const ConvolutionLayer& layer, const CompressedWeight* weight,
                  const CompressOptions& options, OwnedTensors& tensors) {
  const std::string& name = layer.options.name;
  StoredLayer stored;
  stored.name = name;
  stored.weights_after = layer.weight.numel();
  if (weight != nullptr && weight->mask.defined() && options.structure != "units") {
    stored.weights_after = weight->mask.sum().item<std::int64_t>();
  }
  const PackOptions pack = pack_options(options, weight);
  if (pack.bits > 0) stored.bits = pack.bits;
  const torch::Tensor values = layer.weight.detach().contiguous();
  const torch::Tensor bias = layer.bias.detach().contiguous();
  OwnedTensors packed = pack_weight(name + ".weight", floats(values), values.sizes().vec(), pack);
  packed.add(name + ".bias", bias.sizes().vec(), floats(bias));
  stored.bytes = static_cast<std::int64_t>(packed.bytes());
  tensors.append(std::move(packed));
  return stored;
}

void write_new(const fs::path& path, const std::string& text) {
  OutputFile file(path);
  file.write(text);
  file.finish();
}

fs::path publish(WorkFolder& work, const fs::path& folder) {
  sync_folder(work.path());
  const std::vector<std::uint64_t> versions = list_versions(folder);
  for (std::uint64_t number = versions.empty() ? 1 : versions.back() + 1;; ++number) {
    // Another writer may have taken the number meanwhile; ours is then the one after.
    const std::string version = version_name(number);
    if (work.rename_to(version)) return folder / version;
  }
}

/// Puts the file's weight into the layer.
void fill(ConvolutionLayer& layer, const std::map<std::string, Tensor, std::less<>>& tensors,
          const std::string& origin) {
  const torch::NoGradGuard no_grad;
  const auto copy = [&](const std::string& name, const torch::Tensor& into,
                        std::span<const std::int64_t> shape, std::span<const float> values) {
    if (!std::equal(shape.begin(), shape.end(), into.sizes().begin(), into.sizes().end())) {
      throw InputError("{}: tensor {} does not have the shape of its layer; the folder is damaged",
                       origin, name);
    }
    std::copy(values.begin(), values.end(), into.detach().mutable_data_ptr<float>());
  };
  const auto plain = [&](const std::string& name, const torch::Tensor& into) {
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.type != DataType::kF32) {
      throw InputError("{}: there is no tensor {}; the folder is damaged", origin, name);
    }
    copy(name, into, found->second.shape, found->second.values<float>());
  };
  const std::string weight = layer.options.name + ".weight";
  const auto head = tensors.find(weight + std::string(kPackedEnding));
  if (head == tensors.end()) {
    plain(weight, layer.weight);
  } else {
    const UnpackedWeight unpacked = unpack_weight(head->second, tensors, origin);
    copy(weight, layer.weight, unpacked.what.shape, unpacked.values);
  }
  plain(layer.options.name + ".bias", layer.bias);
}

}  // namespace

std::int64_t StoredNetwork::weights_before() const {
  std::int64_t sum = 0;
  for (const StoredLayer& layer : layers) sum += layer.weights_before;
  return sum;
}

std::int64_t StoredNetwork::weights_after() const {
  std::int64_t sum = 0;
  for (const StoredLayer& layer : layers) sum += layer.weights_after;
  return sum;
}

double StoredNetwork::bit_ratio() const {
  std::int64_t bits = 0;
  for (const StoredLayer& layer : layers) bits += layer.weights_after * layer.bits;
  return bits > 0 ? 32 * static_cast<double>(weights_before()) / static_cast<double>(bits) : 0;
}

CompressedConvolutions shrink(const NetworkConfig& config, const ConvolutionLayers& layers,
                              const CompressionResult& result) {
  std::map<std::string, std::vector<std::int64_t>> kept;
  for (const CompressedWeight& weight : result.weights) {
    if (!weight.kept_units.empty()) kept[weight.name] = weight.kept_units;
  }
  CompressedConvolutions smaller{config, layers.without_units(kept), std::move(kept)};
  for (std::size_t i = 0; i < smaller.config.layers.size(); ++i) {
    smaller.config.layers[i].units = smaller.layers.layers()[i].options.units;
  }
  return smaller;
}

StoredNetwork write_convolution_folder(const fs::path& models,
                                       const CompressedConvolutions& compressed,
                                       const ConvolutionLayers& before,
                                       const CompressionResult& result,
                                       const nlohmann::json& metrics) {
  check_model_name(compressed.config.name);
  StoredNetwork stored;
  OwnedTensors tensors;
  const auto& layers = compressed.layers.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].has_weight()) continue;
    const ConvolutionLayer& earlier = before.layers()[i];
    stored.layers.push_back(
        store(layers[i], result.find(layers[i].options.name), compressed.config.compress, tensors));
    stored.layers.back().weights_before = earlier.weight.numel();
    stored.biases_after += layers[i].bias.numel();
    stored.bytes_before += static_cast<std::int64_t>(earlier.weight.nbytes()) +
                           static_cast<std::int64_t>(earlier.bias.nbytes());
  }
  stored.bytes_after = static_cast<std::int64_t>(tensors.bytes());

  const fs::path folder = models / compressed.config.name;
  WorkFolder work(folder);
  OutputFile file(work.path() / weights_name);
  write_safetensors(file, tensors.tensors());
  file.finish();
  const nlohmann::json json{{"format", format},
                            {"kind", "convolutions"},
                            {"config", network_config_to_json(compressed.config)},
                            {"kept_units", compressed.kept_units},
                            {"weights_checksum", file.checksum()},
                            {"metrics", metrics}};
  write_new(work.path() / json_name, json.dump(2) + "\n");
  stored.folder = publish(work, folder);
  return stored;
}

CompressedConvolutions read_convolution_folder(const fs::path& folder) {
  const fs::path json_path = folder / json_name, path = folder / weights_name;
  const std::string origin = json_path.string();
  const nlohmann::json json = parse_strict_json(read_file(json_path), origin);
  std::string config_text, checksum;
  std::map<std::string, std::vector<std::int64_t>> kept;
  try {
    if (json.at("format").get<std::int64_t>() > format) {
      throw InputError("{}: is of a newer format than this program reads", origin);
    }
    config_text = json.at("config").dump();
    checksum = json.at("weights_checksum").get<std::string>();
    kept = json.at("kept_units").get<decltype(kept)>();
  } catch (const nlohmann::json::exception&) {
    throw InputError("{}: is damaged: format, config, checksum or units are missing", origin);
  }
  NetworkConfig config = parse_network_config(config_text, origin);
  const std::string bytes = read_file(path);
  if (checksum_of(std::as_bytes(std::span(bytes))) != checksum) {
    throw InputError("{}: is damaged: its checksum is not the one in {}", path.string(), json_name);
  }
  const SafetensorsFile file = SafetensorsFile::open(path);
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const Tensor& tensor : file.tensors()) tensors.emplace(tensor.name, tensor);
  ConvolutionLayers layers(config);
  for (ConvolutionLayer& layer : layers.layers()) {
    if (layer.has_weight()) fill(layer, tensors, path.string());
  }
  return {std::move(config), std::move(layers), std::move(kept)};
}

}  // namespace limber
