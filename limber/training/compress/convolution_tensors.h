#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "limber/core/artifact/safetensors.h"

namespace limber {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// Views of LibTorch's tensors as the artifact's; `kept` gets what must live as long: contiguous
/// copies on the CPU where a tensor was no such thing. Float, int64, int8 and uint8 only.
std::vector<Tensor> artifact_tensors(const NamedTensors& tensors, std::vector<torch::Tensor>& kept);

/// A copy of an artifact's tensor of those types.
torch::Tensor torch_tensor(const Tensor& tensor);

/// Copies the file's tensors into those of the same names; what else the file holds is left. Throws
/// InputError that names `path` where one is missing or has another shape or type.
void copy_tensors(const SafetensorsFile& file, const NamedTensors& into,
                  const std::filesystem::path& path);

/// Writes a safetensors file beside `path` and renames it over `path`, with a checksum of its
/// tensors among its metadata. Throws Error.
void replace_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                         const Metadata& metadata);
/// Without one a file was written by something else, or before there were any.
bool has_checksum(const SafetensorsFile& file);
/// Throws InputError that names `path` where the file is not as replace_safetensors wrote it: a
/// flipped bit would be trained on without a word.
void check_safetensors(const SafetensorsFile& file, const std::filesystem::path& path);

}  // namespace limber
