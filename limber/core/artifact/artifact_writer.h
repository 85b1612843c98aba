#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "limber/core/artifact/artifact.h"
#include "limber/core/artifact/manifest.h"
#include "limber/core/artifact/output_file.h"
#include "limber/core/artifact/safetensors.h"
#include "limber/core/artifact/work_folder.h"

namespace limber {

/// Publishes one version of a model: models/NAME/VERSION/ appears whole, or not at all. Until
/// `publish` returns nothing is visible; if it never does, everything is removed.
class ArtifactWriter {
 public:
  /// Throws InputError for a name that cannot name a folder, Error when nothing can be written.
  ArtifactWriter(const std::filesystem::path& models_folder, const std::string& name);

  /// A file of tensors such as "dense.safetensors" or "tables/item_id.safetensors". Tensor names
  /// are unique over all files. Throws InputError for a path that leaves the folder or lacks the
  /// ending .safetensors, Error when writing fails; after that, nothing can be published.
  void add_tensors(const std::string& relative_path, std::span<const Tensor> tensors,
                   const Metadata& metadata = {});
  /// Any other file, such as "vocabulary/item_id".
  void add_file(const std::string& relative_path, std::span<const std::byte> bytes);
  void add_file(const std::string& relative_path, std::string_view text);

  /// A file of a published version as it is, with its tensors. The version needs the format that
  /// the other one needed. Throws as the others.
  void add_copy(const Artifact& from, const std::string& relative_path);

  /// The model says something that readers of formats before this one would misread.
  void require_format(std::uint64_t format);

  /// Writes the manifest, flushes everything to disk and renames the folder to the next version.
  /// Returns the version's folder. Throws Error, with nothing published. The writer is then spent.
  std::filesystem::path publish(const ManifestFields& fields);

 private:
  template <class Write>
  void add(const std::string& relative_path, Write write);
  void begin_step();
  void add_tensor(const TensorEntry& tensor);

  std::filesystem::path model_folder_;
  WorkFolder work_;
  Manifest manifest_;
  std::set<std::string> tensor_names_;
  std::set<std::filesystem::path> folders_;  ///< inside the work folder; to be flushed
  bool usable_ = true;
};

}  // namespace limber
