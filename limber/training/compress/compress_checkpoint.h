#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limber {

using NamedTensorList = std::vector<std::pair<std::string, torch::Tensor>>;
using TensorMap = std::map<std::string, torch::Tensor>;

/// Copies on the CPU under `prefix`NAME, and back. Throws Error where one is missing or of another
/// shape.
void add_copies(TensorMap& to, const std::string& prefix, const NamedTensorList& tensors);
void restore_copies(const TensorMap& from, const std::string& prefix,
                    const NamedTensorList& tensors);

/// What a compression that was cut off goes on from.
struct CompressCheckpoint {
  nlohmann::json state;
  TensorMap tensors;
};

/// One file, written whole or not at all. `fingerprint` says what is compressed, and how. The state
/// of the random generator is stored with it.
void save_compress_checkpoint(const std::filesystem::path& path, const std::string& fingerprint,
                              const CompressCheckpoint& checkpoint);

/// Nothing where there is none, or one of another fingerprint, which is left aside with a warning.
/// Sets the random generator. Throws InputError when the file is damaged.
std::optional<CompressCheckpoint> load_compress_checkpoint(const std::filesystem::path& path,
                                                           const std::string& fingerprint);

}  // namespace limber
