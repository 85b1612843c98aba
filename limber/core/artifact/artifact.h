#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/artifact/manifest.h"
#include "limber/core/artifact/packed_weight.h"
#include "limber/core/artifact/safetensors.h"

namespace limber {

/// A published version of a model, opened for reading: models/NAME/VERSION/ with manifest.json,
/// dense.safetensors, tables/*.safetensors, vocabulary/*. Tensors are mapped, not copied, but for
/// packed weights (packed_weight.h): beside the tensors that such a weight is made of, a tensor of
/// its own name holds its numbers as floats.
class Artifact {
 public:
  /// `path` is models/NAME (its highest version) or models/NAME/VERSION. Every file's size and
  /// checksum is verified, which reads all of it once. Throws InputError that names the file and
  /// the remedy: nothing published, newer format, missing file, damage.
  static Artifact open(const std::filesystem::path& path);

  /// The folder that open() would open. Throws InputError when there is none.
  static std::filesystem::path find_folder(const std::filesystem::path& path);

  const std::string& name() const { return manifest_.name; }
  /// The version it was published as, such as "000003"; a copy of the folder under another name
  /// keeps it.
  const std::string& version() const { return manifest_.version; }
  const std::filesystem::path& folder() const { return folder_; }

  /// The whole manifest.json.
  const nlohmann::json& manifest() const { return json_; }
  /// The same, typed: config, encoders, metrics, data window, index of tensors and files.
  const Manifest& contents() const { return manifest_; }

  bool has_tensor(std::string_view name) const { return tensors_.contains(name); }
  /// Lives as long as this object. Throws InputError when there is none of that name.
  const Tensor& tensor(std::string_view name) const;

  /// The weights that are packed, in the order of the manifest.
  const std::vector<PackedWeight>& packed_weights() const { return packed_; }

  bool has_file(std::string_view relative_path) const;
  /// Path of a file that the manifest lists. Throws InputError for any other.
  std::filesystem::path file(std::string_view relative_path) const;
  /// Its bytes.
  std::string read(std::string_view relative_path) const;

 private:
  void verify_files() const;
  void open_tensors();
  void unpack_weights();

  std::filesystem::path folder_;
  nlohmann::json json_;
  Manifest manifest_;
  std::vector<SafetensorsFile> files_;  ///< keep what `tensors_` views mapped
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::vector<PackedWeight> packed_;
  std::vector<std::vector<float>> unpacked_;  ///< what tensors of packed weights view
};

}  // namespace limber
