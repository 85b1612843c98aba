#include "limber/core/artifact/artifact_writer.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <system_error>

#include "limber/core/artifact/version.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

const std::string& checked_name(const std::string& name) {
  check_model_name(name);
  return name;
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace

ArtifactWriter::ArtifactWriter(const fs::path& models_folder, const std::string& name)
    : model_folder_(models_folder / checked_name(name)), work_(model_folder_) {
  manifest_.name = name;
}

/// One failed step spoils the whole: a caller who goes on all the same must not publish half of it.
void ArtifactWriter::begin_step() {
  if (!usable_) throw Error("{}: an earlier step failed, or this was published", manifest_.name);
  usable_ = false;
}

template <class Write>
void ArtifactWriter::add(const std::string& relative_path, Write write) {
  if (!is_inner_path(relative_path) || relative_path == kManifestName) {
    throw InputError("{}: cannot be the path of a file in a model's folder; rename it",
                     relative_path);
  }
  for (fs::path folder = fs::path(relative_path).parent_path(); !folder.empty();
       folder = folder.parent_path()) {
    folders_.insert(work_.path() / folder);
  }
  const fs::path path = work_.path() / relative_path;
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  if (code) throw Error("{}: cannot be created: {}", path.parent_path().string(), code.message());
  OutputFile file(path);
  write(file);
  file.finish();
  manifest_.files.push_back({relative_path, file.size(), file.checksum()});
}

void ArtifactWriter::add_tensors(const std::string& relative_path, std::span<const Tensor> tensors,
                                 const Metadata& metadata) {
  begin_step();
  if (!relative_path.ends_with(".safetensors")) {
    throw InputError("{}: a file of tensors must end in .safetensors; rename it", relative_path);
  }
  add(relative_path, [&](OutputFile& file) { write_safetensors(file, tensors, metadata); });
  for (const Tensor& tensor : tensors) {
    add_tensor({tensor.name, relative_path, tensor.type, tensor.shape});
  }
  usable_ = true;
}

void ArtifactWriter::add_tensor(const TensorEntry& tensor) {
  if (!tensor_names_.insert(tensor.name).second) {
    throw Error("{}: two tensors are named {}", tensor.file, tensor.name);
  }
  manifest_.tensors.push_back(tensor);
}

void ArtifactWriter::add_copy(const Artifact& from, const std::string& relative_path) {
  begin_step();
  const MappedFile bytes = MappedFile::open(from.file(relative_path));
  add(relative_path, [&](OutputFile& file) { file.write({bytes.data(), bytes.size()}); });
  for (const TensorEntry& tensor : from.contents().tensors) {
    if (tensor.file == relative_path) add_tensor(tensor);
  }
  manifest_.format = std::max(manifest_.format, from.contents().format);
  usable_ = true;
}

void ArtifactWriter::require_format(std::uint64_t format) {
  manifest_.format = std::max(manifest_.format, format);
}

void ArtifactWriter::add_file(const std::string& relative_path, std::span<const std::byte> bytes) {
  begin_step();
  if (relative_path.ends_with(".safetensors")) {
    throw InputError("{}: only a file of tensors may end in .safetensors; rename it",
                     relative_path);
  }
  add(relative_path, [&](OutputFile& file) { file.write(bytes); });
  usable_ = true;
}

void ArtifactWriter::add_file(const std::string& relative_path, std::string_view text) {
  add_file(relative_path, std::as_bytes(std::span(text)));
}

fs::path ArtifactWriter::publish(const ManifestFields& fields) {
  begin_step();
  manifest_.fields = fields;
  manifest_.created = utc_now();
  for (const fs::path& folder : folders_) sync_folder(folder);

  const std::vector<std::uint64_t> versions = list_versions(model_folder_);
  for (std::uint64_t number = versions.empty() ? 1 : versions.back() + 1;; ++number) {
    manifest_.version = version_name(number);
    const fs::path path = work_.path() / kManifestName;
    std::error_code none_yet;
    fs::remove(path, none_yet);
    OutputFile file(path);
    file.write(manifest_to_text(manifest_));
    file.finish();
    sync_folder(work_.path());
    // Another writer may have taken the number meanwhile; ours is then the one after.
    if (work_.rename_to(manifest_.version)) return model_folder_ / manifest_.version;
  }
}

}  // namespace limber
