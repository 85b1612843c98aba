#include "limber/core/artifact/inspect.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "limber/core/base/files.h"

namespace limber {
namespace {

using nlohmann::json;
using Row = std::vector<std::string>;

/// Columns two spaces apart under a heading; those in `right` are aligned to the right.
void print_table(std::string& out, const std::string& heading, const std::vector<Row>& rows,
                 const std::vector<std::size_t>& right = {}) {
  if (rows.empty()) return;
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  out += fmt::format("\n{}\n", heading);
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool to_right = std::ranges::find(right, i) != right.end();
      line += fmt::format(fmt::runtime(to_right ? "  {:>{}}" : "  {:<{}}"), row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
}

/// 1234567 as 1,234,567.
std::string with_commas(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3;) digits.insert(i -= 3, 1, ',');
  return digits;
}

std::string counted(std::uint64_t number, const char* one, const char* many) {
  return fmt::format("{} {}", with_commas(number), number == 1 ? one : many);
}

std::string readable_size(std::uint64_t bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; size >= 999.95 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string shown(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    // Six digits do for a metric, not for a time in seconds.
    return std::abs(number) < 1e5 ? fmt::format("{:.6g}", number) : fmt::format("{}", number);
  }
  return value.dump();
}

/// {"test": {"auc": 0.5}} as the row "test.auc", "0.5". A list of objects is a table of its own,
/// too long for one line.
void flatten(const json& value, const std::string& name, std::vector<Row>& rows) {
  if (value.is_array() && !value.empty() && value.front().is_object()) {
    rows.push_back(
        {name, fmt::format("{} (--json shows them)", counted(value.size(), "entry", "entries"))});
    return;
  }
  if (!value.is_object()) {
    rows.push_back({name, shown(value)});
    return;
  }
  for (const auto& [key, inner] : value.items()) {
    flatten(inner, name.empty() ? key : fmt::format("{}.{}", name, key), rows);
  }
}

std::vector<Row> flatten(const json& value) {
  std::vector<Row> rows;
  flatten(value, "", rows);
  return rows;
}

/// What stands under `key`, as text; empty where there is none.
std::string text_at(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? shown(object[key]) : "";
}

/// A whole number of at least 0 under `key`, or 0.
std::uint64_t number_at(const json& object, const char* key) {
  const bool known = object.is_object() && object.contains(key) && object[key].is_number_unsigned();
  return known ? object[key].get<std::uint64_t>() : 0;
}

std::uint64_t bytes_of(const Artifact& artifact, const std::string& path) {
  const auto& files = artifact.contents().files;
  const auto file = std::ranges::find(files, path, &FileEntry::path);
  return file == files.end() ? 0 : file->size;
}

/// ": 10,312 values, 1,203 share a row".
std::string describe_collisions(const json& encoder, const char* what) {
  if (!encoder.is_object() || !encoder.contains("collisions")) return "";
  const json& collisions = encoder["collisions"];
  const std::uint64_t sharing = number_at(collisions, "sharing");
  return fmt::format(": {}, {} {}", counted(number_at(collisions, "values"), "value", "values"),
                     sharing == 0 ? "none" : with_commas(sharing),
                     fmt::format(fmt::runtime(what), sharing > 1 ? "share" : "shares"));
}

/// How values become rows, how many values there are, and what knowing them takes.
std::string describe_vocabulary(const Artifact& artifact, const json& encoder) {
  const std::string kind = text_at(encoder, "vocabulary");
  const std::string cap =
      number_at(encoder, "max_values") == 0
          ? ""
          : fmt::format(" of at most {}", with_commas(number_at(encoder, "max_values")));
  if (const auto file = text_at(encoder, "vocabulary_file"); artifact.has_file(file)) {
    const std::string size = readable_size(bytes_of(artifact, file));
    if (kind == "perfect_hash") {
      // Row 0 is no value's.
      const std::uint64_t rows = number_at(encoder, "vocabulary_size");
      return fmt::format("perfect hash: {}{}, {}, fingerprints of {} bits",
                         counted(rows - std::min<std::uint64_t>(rows, 1), "value", "values"), cap,
                         size, text_at(encoder, "fingerprint_bits"));
    }
    // One value a line.
    const std::string lines = artifact.read(file);
    const auto values = static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
    return fmt::format("dictionary: {}{}, {}", counted(values, "value", "values"), cap, size);
  }
  if (kind == "hash") {
    return fmt::format("hash into {} rows{}", with_commas(number_at(encoder, "hash_size")),
                       describe_collisions(encoder, "{} a row"));
  }
  if (kind == "qr") {
    return fmt::format("{} quotients and {} remainders of each half of a hash{}",
                       with_commas(number_at(encoder, "quotients")),
                       with_commas(number_at(encoder, "remainders")),
                       describe_collisions(encoder, "{} all rows"));
  }
  return "";
}

std::vector<Row> describe_features(const Artifact& artifact) {
  std::vector<Row> rows;
  const json& encoders = artifact.contents().fields.encoders;
  if (!encoders.is_object() || !encoders.contains("features")) return rows;
  for (const json& encoder : encoders["features"]) {
    std::string what = describe_vocabulary(artifact, encoder);
    const auto append = [&](const std::string& text) { what += (what.empty() ? "" : ", ") + text; };
    if (const auto transform = text_at(encoder, "transform"); !transform.empty()) append(transform);
    if (const auto of = text_at(encoder, "of"); !of.empty()) {
      append(fmt::format("last {} of {}", text_at(encoder, "length"), of));
    }
    // A number is its own input, whatever dimension embeddings have by default.
    const bool embedded =
        text_at(encoder, "kind") != "number" || text_at(encoder, "transform") == "bucketize";
    if (const auto dim = text_at(encoder, "dim"); embedded && !dim.empty() && dim != "0")
      append(fmt::format("dim {}", dim));
    rows.push_back({text_at(encoder, "name"), text_at(encoder, "kind"), what});
  }
  return rows;
}

/// Of labels that are compared with a percentile, the largest clusters first.
std::vector<Row> describe_thresholds(const Artifact& artifact) {
  constexpr std::size_t kMost = 20;
  std::vector<Row> rows;
  const json none = json::object();
  const auto inside = [&](const json& object, const char* key) -> const json& {
    return object.is_object() && object.contains(key) ? object[key] : none;
  };
  const json& layout = inside(artifact.contents().fields.encoders, "layout");
  for (const auto& [label, measured] : inside(layout, "label_thresholds").items()) {
    const auto row_of = [&](const json& threshold, const std::string& cluster) -> Row {
      return {label, cluster, text_at(threshold, "threshold"),
              counted(inside(threshold, "rows").is_number_unsigned()
                          ? threshold["rows"].get<std::uint64_t>()
                          : 0,
                      "row", "rows")};
    };
    rows.push_back(row_of(inside(measured, "all"),
                          fmt::format("p{} of all rows", text_at(measured, "percentile"))));
    std::vector<json> clusters;
    for (const json& cluster : inside(measured, "clusters")) clusters.push_back(cluster);
    std::ranges::stable_sort(clusters, [&](const json& a, const json& b) {
      return inside(a, "rows") > inside(b, "rows");
    });
    for (std::size_t c = 0; c < std::min(clusters.size(), kMost); ++c) {
      std::string name;
      for (const json& value : inside(clusters[c], "values")) {
        name += (name.empty() ? "" : ", ") + (value.is_null() ? "(missing)" : shown(value));
      }
      rows.push_back(row_of(clusters[c], name));
    }
    if (clusters.size() > kMost) {
      rows.push_back({label, fmt::format("{} more (--json shows them)",
                                         counted(clusters.size() - kMost, "cluster", "clusters"))});
    }
  }
  return rows;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

std::uint64_t count_parameters(const TensorEntry& tensor) {
  if (tensor.type == DataType::kI32 || tensor.type == DataType::kI64) return 0;
  return static_cast<std::uint64_t>(count_elements(tensor.shape).value_or(0));
}

std::string describe_artifact(const Artifact& artifact) {
  const Manifest& manifest = artifact.contents();
  std::vector<Row> files, tensors;
  std::uint64_t bytes = 0, parameters = 0;
  for (const FileEntry& file : manifest.files) {
    std::uint64_t inside = 0;
    for (const TensorEntry& tensor : manifest.tensors) {
      if (tensor.file == file.path) inside += count_parameters(tensor);
    }
    bytes += file.size;
    parameters += inside;
    Row row = {file.path, readable_size(file.size)};
    if (inside > 0) row.push_back(counted(inside, "parameter", "parameters"));
    files.push_back(std::move(row));
  }
  for (const TensorEntry& tensor : manifest.tensors) {
    tensors.push_back({tensor.name, std::string(name_of(tensor.type)), shape_text(tensor.shape)});
  }
  const json& config = manifest.fields.config;
  const json labels = config.is_object() && config.contains("data") && config["data"].is_object()
                          ? config["data"].value("labels", json::object())
                          : json::object();

  std::string out = fmt::format("{}, version {}\n", manifest.name, manifest.version);
  out += fmt::format("written {}, format {}\n", manifest.created, manifest.format);
  out += fmt::format("{} in {}, {}\n", readable_size(bytes),
                     counted(manifest.files.size(), "file", "files"),
                     counted(parameters, "parameter", "parameters"));
  print_table(out, "Files", files, {1, 2});
  print_table(out, "Tensors", tensors);
  print_table(out, "Labels", flatten(labels));
  print_table(out, "Label thresholds", describe_thresholds(artifact), {2, 3});
  print_table(out, "Features", describe_features(artifact));
  const json& encoders = manifest.fields.encoders;
  if (encoders.is_object() && encoders.contains("popularity")) {
    print_table(out, "Popularity", flatten(encoders["popularity"]));
  }
  print_table(out, "Data window", flatten(manifest.fields.data_window));
  print_table(out, "Metrics", flatten(manifest.fields.metrics));
  return out;
}

std::string describe_artifact_as_json(const Artifact& artifact) {
  return read_file(artifact.folder() / kManifestName);
}

}  // namespace limber
