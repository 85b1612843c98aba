#include "limber/training/compress/convolution_tensors.h"

#include <cstring>
#include <map>
#include <span>

#include "limber/core/artifact/checksum.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr const char* kChecksum = "checksum";

DataType artifact_type(const std::string& name, torch::ScalarType type) {
  switch (type) {
    case torch::kFloat:
      return DataType::kF32;
    case torch::kLong:
      return DataType::kI64;
    case torch::kChar:
      return DataType::kI8;
    case torch::kByte:
      return DataType::kU8;
    default:
      throw Error("tensor {} has a type that is not stored", name);
  }
}

torch::ScalarType torch_type(const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::kF32:
      return torch::kFloat;
    case DataType::kI64:
      return torch::kLong;
    case DataType::kI8:
      return torch::kChar;
    case DataType::kU8:
      return torch::kByte;
    default:
      throw InputError("tensor {} holds {}, which no network of convolutions has", tensor.name,
                       name_of(tensor.type));
  }
}

std::string checksum_of_tensors(const std::vector<Tensor>& tensors) {
  std::map<std::string, const Tensor*> by_name;
  for (const Tensor& tensor : tensors) by_name.emplace(tensor.name, &tensor);
  Checksum checksum;
  for (const auto& [name, tensor] : by_name) {
    checksum.add(std::as_bytes(std::span(name)));
    checksum.add(tensor->bytes);
  }
  return checksum.hex();
}

}  // namespace

std::vector<Tensor> artifact_tensors(const NamedTensors& tensors,
                                     std::vector<torch::Tensor>& kept) {
  std::vector<Tensor> views;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().cpu().contiguous());
    const torch::Tensor& bytes = kept.back();
    views.push_back({name,
                     artifact_type(name, bytes.scalar_type()),
                     bytes.sizes().vec(),
                     {static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes()}});
  }
  return views;
}

torch::Tensor torch_tensor(const Tensor& tensor) {
  torch::Tensor copy = torch::empty(tensor.shape, torch_type(tensor));
  if (!tensor.bytes.empty()) {
    std::memcpy(copy.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  }
  return copy;
}

void copy_tensors(const SafetensorsFile& file, const NamedTensors& into, const fs::path& path) {
  std::map<std::string_view, const Tensor*> stored;
  for (const Tensor& tensor : file.tensors()) stored.emplace(tensor.name, &tensor);
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : into) {
    const auto found = stored.find(name);
    if (found == stored.end() || tensor.sizes() != found->second->shape ||
        artifact_type(name, tensor.scalar_type()) != found->second->type) {
      throw InputError("{}: tensor {} is missing or has another shape; the file is damaged",
                       path.string(), name);
    }
    tensor.detach().copy_(torch_tensor(*found->second));
  }
}

void replace_safetensors(const fs::path& path, const NamedTensors& tensors,
                         const Metadata& metadata) {
  std::vector<torch::Tensor> kept;
  const fs::path temporary = path.string() + ".new";
  std::error_code ignored;
  fs::remove(temporary, ignored);  // of a process that was killed while it wrote
  const std::vector<Tensor> views = artifact_tensors(tensors, kept);
  Metadata with_checksum = metadata;
  with_checksum[kChecksum] = checksum_of_tensors(views);
  write_safetensors(temporary, views, with_checksum);
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) throw Error("{}: cannot be written: {}", path.string(), error.message());
  sync_folder(path.parent_path());
}

bool has_checksum(const SafetensorsFile& file) {
  return file.metadata().contains(kChecksum);
}

void check_safetensors(const SafetensorsFile& file, const fs::path& path) {
  const auto found = file.metadata().find(kChecksum);
  if (found == file.metadata().end() || found->second != checksum_of_tensors(file.tensors())) {
    throw InputError("{}: is damaged; pass --restart to begin anew", path.string());
  }
}

}  // namespace limber
