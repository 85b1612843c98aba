#include "limber/core/artifact/artifact.h"

#include <algorithm>
#include <system_error>

#include "limber/core/artifact/checksum.h"
#include "limber/core/artifact/version.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/base/one_line.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

template <class... Arguments>
[[noreturn]] void damaged(const fs::path& path, fmt::format_string<Arguments...> format,
                          Arguments&&... arguments) {
  throw InputError("{}: damaged: {}; copy or publish this version again", path.string(),
                   one_line(fmt::format(format, std::forward<Arguments>(arguments)...)));
}

fs::path without_trailing_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

/// "; did you mean models/films?", of the folders beside one that is not there.
std::string nearest_model(const fs::path& missing) {
  std::error_code code;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(
           missing.has_parent_path() ? missing.parent_path() : fs::path("."), code)) {
    if (entry.is_directory(code)) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  const std::string nearest = nearest_word(missing.filename().string(), names);
  if (nearest.empty()) return "";
  return fmt::format("; did you mean {}?", (missing.parent_path() / nearest).string());
}

}  // namespace

fs::path Artifact::find_folder(const fs::path& given) {
  const fs::path path = without_trailing_slash(given.lexically_normal());
  std::error_code code;
  if (!fs::is_directory(path, code)) {
    throw InputError("{}: no such folder; give models/NAME or models/NAME/VERSION{}",
                     given.string(), nearest_model(path));
  }
  // A version that lost its manifest is a damaged version, not a model without versions.
  if (fs::exists(path / kManifestName, code) || parse_version(path.filename().string())) {
    return path;
  }
  const std::vector<std::uint64_t> versions = list_versions(path);
  if (versions.empty()) {
    throw InputError("{}: holds no published version; train a model, or give another folder",
                     given.string());
  }
  return path / version_name(versions.back());
}

Artifact Artifact::open(const fs::path& path) {
  Artifact artifact;
  artifact.folder_ = find_folder(path);
  const fs::path manifest = artifact.folder_ / kManifestName;
  std::error_code code;
  if (!fs::is_regular_file(manifest, code)) damaged(manifest, "it is missing");
  const std::string text = read_file(manifest);
  artifact.manifest_ = manifest_from_text(text, manifest.string());
  artifact.json_ = nlohmann::json::parse(text);
  artifact.verify_files();
  artifact.open_tensors();
  artifact.unpack_weights();
  return artifact;
}

void Artifact::verify_files() const {
  const fs::path inside = fs::canonical(folder_);
  for (const FileEntry& entry : manifest_.files) {
    const fs::path path = folder_ / entry.path;
    std::error_code code;
    if (!fs::is_regular_file(path, code)) damaged(path, "it is missing");
    // The manifest's path stays inside the folder; a link on the way might not.
    if (fs::canonical(path) != inside / entry.path) damaged(path, "it is a link");
    const MappedFile file = MappedFile::open(path);
    if (file.size() != entry.size) {
      damaged(path, "it has {} bytes, the manifest says {}", file.size(), entry.size);
    }
    const std::string checksum = checksum_of({file.data(), file.size()});
    if (checksum != entry.checksum) {
      damaged(path, "its checksum is {}, the manifest says {}", checksum, entry.checksum);
    }
    file.release_pages();
  }
}

void Artifact::open_tensors() {
  std::map<std::string_view, std::string_view> file_of;
  for (const FileEntry& entry : manifest_.files) {
    if (!entry.path.ends_with(".safetensors")) continue;
    const SafetensorsFile& file = files_.emplace_back(SafetensorsFile::open(folder_ / entry.path));
    for (const Tensor& tensor : file.tensors()) {
      if (!tensors_.emplace(tensor.name, tensor).second) {
        damaged(folder_ / entry.path, "another file has a tensor {}, too", tensor.name);
      }
      file_of[tensor.name] = entry.path;
    }
  }
  for (const TensorEntry& entry : manifest_.tensors) {
    const auto found = tensors_.find(entry.name);
    if (found == tensors_.end() || file_of[entry.name] != entry.file ||
        found->second.type != entry.type || found->second.shape != entry.shape) {
      damaged(folder_ / entry.file, "tensor {} is not as the manifest says", entry.name);
    }
  }
  if (tensors_.size() != manifest_.tensors.size()) {
    damaged(folder_ / kManifestName, "it lists {} of {} tensors", manifest_.tensors.size(),
            tensors_.size());
  }
}

void Artifact::unpack_weights() {
  if (manifest_.format < kCompressedFormat) return;
  // Each weight is bounded by what it is made of, but many small ones could still ask for all
  // memory there is.
  constexpr std::int64_t kMostUnpacked = std::int64_t{1} << 30;
  std::int64_t stored = 0, unpacked = 0;
  for (const TensorEntry& entry : manifest_.tensors) {
    const Tensor& head = tensors_.at(entry.name);
    if (!is_packed_weight(head)) continue;
    const fs::path file = folder_ / entry.file;
    UnpackedWeight weight = unpack_weight(head, tensors_, file.string());
    stored += weight.what.bytes;
    unpacked += static_cast<std::int64_t>(weight.values.size() * sizeof(float));
    if (unpacked > kMostUnpacked + 64 * stored) {
      damaged(file, "{} bytes of packed weights ask for {}", stored, unpacked);
    }
    const auto& values = unpacked_.emplace_back(std::move(weight.values));
    const PackedWeight& what = packed_.emplace_back(std::move(weight.what));
    const Tensor view = make_tensor<float>(what.name, what.shape, values);
    if (!tensors_.emplace(what.name, view).second) {
      damaged(file, "tensor {} is packed, and plain, too", what.name);
    }
  }
}

const Tensor& Artifact::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw InputError("{}: holds no tensor named {}; publish the model again", folder_.string(),
                     name);
  }
  return found->second;
}

bool Artifact::has_file(std::string_view relative_path) const {
  return std::ranges::find(manifest_.files, relative_path, &FileEntry::path) !=
         manifest_.files.end();
}

fs::path Artifact::file(std::string_view relative_path) const {
  if (!has_file(relative_path)) {
    throw InputError("{}: holds no file {}; publish the model again", folder_.string(),
                     relative_path);
  }
  return folder_ / relative_path;
}

std::string Artifact::read(std::string_view relative_path) const {
  return read_file(file(relative_path));
}

}  // namespace limber
