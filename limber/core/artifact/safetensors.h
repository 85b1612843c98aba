#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/artifact/output_file.h"
#include "limber/core/artifact/tensor.h"
#include "limber/core/base/files.h"

/// The safetensors format: 8 bytes little-endian header length; a JSON object {name: {"dtype",
/// "shape", "data_offsets": [begin, end)}} with offsets counted from the header's end; the tensors'
/// bytes, row-major, little-endian, without gaps. The optional "__metadata__" maps text to text.
/// https://github.com/huggingface/safetensors
namespace limber {

using Metadata = std::map<std::string, std::string>;

/// The file's head, length included, padded so that every tensor is aligned to its elements.
/// Throws Error for a tensor whose bytes are not shape x type, and for a name that is empty,
/// reserved, not UTF-8 or given twice.
std::string safetensors_header(std::span<const Tensor> tensors, const Metadata& metadata = {});

/// Streams head and tensors into `file` without copying the tensors. Throws Error.
void write_safetensors(OutputFile& file, std::span<const Tensor> tensors,
                       const Metadata& metadata = {});
/// The same into a new file, flushed to disk; on failure no file is left.
void write_safetensors(const std::filesystem::path& path, std::span<const Tensor> tensors,
                       const Metadata& metadata = {});

/// A mapped file whose head was checked in full: every tensor lies inside the file, aligned,
/// gapless, and is as large as its shape says.
class SafetensorsFile {
 public:
  /// Throws InputError that names the file when it cannot be read or is damaged.
  static SafetensorsFile open(const std::filesystem::path& path);

  /// In the order of their bytes. The views live as long as this object.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  /// Throws InputError when there is none of that name.
  const Tensor& tensor(std::string_view name) const;
  const Metadata& metadata() const { return metadata_; }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  std::vector<Tensor> tensors_;
  Metadata metadata_;
};

}  // namespace limber
