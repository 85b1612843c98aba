/// A whole published model: a manifest and the files that it lists, opened and described as
/// `limber inspect` does. The input holds the files' bytes between lines of kSeparator, the
/// manifest first; sizes and checksums are made to fit.
#include "limber/core/artifact/artifact.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <vector>

#include "fuzz/seal.h"
#include "fuzz/target.h"
#include "limber/core/artifact/inspect.h"
#include "limber/core/base/files.h"

namespace limber::fuzz {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view kSeparator = "\n=====\n";
constexpr std::array kFiles = {"dense.safetensors", "tables/genre.safetensors",
                               "vocabulary/genre.txt"};

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  while (parts.size() < kFiles.size()) {
    const std::size_t end = std::min(text.find(kSeparator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + kSeparator.size(), text.size()));
  }
  parts.emplace_back(text);
  return parts;
}

/// A folder for the one artifact of this process, in memory where there is such a file system.
const fs::path& folder() {
  static const TemporaryFolder temporary = [] {
    if (fs::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
    return TemporaryFolder();
  }();
  static const fs::path path = [] {
    const fs::path version = temporary.path() / "sample" / "000001";
    for (const char* file : kFiles) fs::create_directories((version / file).parent_path());
    return version;
  }();
  return path;
}

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// The manifest with a list of files that is true, or as it is where it is no object.
std::string with_true_files(const std::string& manifest, const ordered_json& files) {
  ordered_json root = ordered_json::parse(manifest, nullptr, false);
  if (!root.is_object()) return manifest;
  root["files"] = files;
  root.erase("manifest_checksum");
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

void check(const std::string& manifest) {
  write(folder() / kManifestName, sealed(manifest));
  std::optional<Artifact> artifact;
  if (!accepts([&] { artifact = Artifact::open(folder()); })) return;
  for (const TensorEntry& entry : artifact->contents().tensors) {
    const Tensor& tensor = artifact->tensor(entry.name);
    expect(tensor.type == entry.type && tensor.shape == entry.shape,
           "a tensor is as the manifest says", entry.name);
  }
  for (const PackedWeight& weight : artifact->packed_weights()) {
    const Tensor& tensor = artifact->tensor(weight.name);
    expect(tensor.shape == weight.shape &&
               tensor.bytes.size() <= static_cast<std::size_t>(kMostExpansion * weight.bytes),
           "a packed weight is as its parts say, and no trap", weight.name);
  }
  accepts([&] {
    const std::string text = describe_artifact(*artifact);
    expect(text.ends_with('\n'), "a description ends in a line break");
  });
  expect(describe_artifact_as_json(*artifact) == sealed(manifest), "the manifest as it is stored");
}

}  // namespace
}  // namespace limber::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace limber::fuzz;
  const std::vector<std::string> parts = parts_of(text_of(data, size));
  auto files = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < kFiles.size(); ++i) {
    const std::string& bytes = parts[i + 1];
    write(folder() / kFiles[i], bytes);
    files.push_back({{"path", kFiles[i]},
                     {"size", bytes.size()},
                     {"checksum", limber::checksum_of(std::as_bytes(std::span(bytes)))}});
  }
  check(with_true_files(parts[0], files));
  return 0;
}
