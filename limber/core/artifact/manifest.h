#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/artifact/tensor.h"

namespace limber {

/// The newest artifact format that this build reads. A reader of format N ignores keys that it does
/// not know; whatever would mislead it needs N + 1. A model is written in the oldest format that
/// says all of it:
///
///   1  everything but
///   2  wide popularity (popularity.safetensors), which a reader of format 1 would not add
///   3  compressed models: packed weights (packed_weight.h), tables of fp16 or int8 (row_codec.h),
///      vocabularies as perfect hashes or as quotients and remainders
inline constexpr std::uint64_t kFormatVersion = 3;
inline constexpr std::uint64_t kCompressedFormat = 3;
inline constexpr std::uint64_t kOldestFormat = 1;
inline constexpr const char* kManifestName = "manifest.json";

/// What training says about a model; kept as given.
struct ManifestFields {
  nlohmann::json config = nlohmann::json::object();
  nlohmann::json encoders = nlohmann::json::object();
  nlohmann::json data_window = nlohmann::json::object();
  nlohmann::json metrics = nlohmann::json::object();
};

struct TensorEntry {
  std::string name;
  std::string file;  ///< relative path of its safetensors file
  DataType type = DataType::kF32;
  std::vector<std::int64_t> shape;
};

struct FileEntry {
  std::string path;  ///< relative, parts joined by '/'
  std::uint64_t size = 0;
  std::string checksum;  ///< XXH3-64, 16 hexadecimal digits
};

/// manifest.json: what a version of a model is, and what every file of it must be.
struct Manifest {
  std::uint64_t format = kOldestFormat;
  std::string name;
  std::string version;  ///< name of the version's folder
  std::string created;  ///< UTC, such as 2026-02-03T04:05:06Z
  ManifestFields fields;
  std::vector<TensorEntry> tensors;
  std::vector<FileEntry> files;  ///< all but the manifest itself
};

/// The file's text. Its last key is a checksum of the text itself with sixteen zeros in the
/// checksum's place, so that damage to the manifest is found as surely as damage to a table.
/// Throws Error for text that is not UTF-8.
std::string manifest_to_text(const Manifest& manifest);

/// The inverse, checked in full. Throws InputError that begins with `origin`: newer format, damage,
/// a missing key, a path that leaves the folder, a file or tensor listed twice.
Manifest manifest_from_text(const std::string& text, const std::string& origin);

/// Whether a path in a manifest names a file inside its folder, and is spelt in the one way that
/// manifests use: relative, no empty part, no "." or "..", no backslash or control character.
bool is_inner_path(std::string_view path);

}  // namespace limber
