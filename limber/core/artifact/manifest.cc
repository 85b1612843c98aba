#include "limber/core/artifact/manifest.h"

#include <algorithm>
#include <set>

#include "limber/core/artifact/checksum.h"
#include "limber/core/artifact/strict_json.h"
#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"

namespace limber {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kDigits = 16;
constexpr std::string_view kBeforeDigits = "\"manifest_checksum\": \"";
constexpr std::string_view kAfterDigits = "\"\n}\n";

/// Where the checksum's digits begin; npos where the text does not end as `manifest_to_text` ends.
std::size_t find_digits(std::string_view text) {
  if (!text.ends_with(kAfterDigits)) return std::string_view::npos;
  if (text.size() < kBeforeDigits.size() + kDigits + kAfterDigits.size()) {
    return std::string_view::npos;
  }
  const std::size_t digits = text.size() - kAfterDigits.size() - kDigits;
  const std::size_t before = digits - kBeforeDigits.size();
  return text.substr(before, kBeforeDigits.size()) == kBeforeDigits ? digits
                                                                    : std::string_view::npos;
}

std::string checksum_without_digits(std::string text, std::size_t digits) {
  text.replace(digits, kDigits, kDigits, '0');
  return checksum_of(std::as_bytes(std::span(text)));
}

/// Typed look-ups whose complaints name the file.
class ManifestReader {
 public:
  explicit ManifestReader(const std::string& origin) : origin_(origin) {}

  Manifest read(const std::string& text) {
    const json root = parse(text);
    if (!root.is_object()) damaged("it holds no object");
    // Before the checksum: a newer format may have another one.
    check_format(root);
    const std::size_t digits = find_digits(text);
    if (digits == std::string::npos ||
        text.substr(digits, kDigits) != checksum_without_digits(text, digits)) {
      damaged("it does not match its own checksum");
    }
    Manifest manifest;
    manifest.format = root["format_version"].get<std::uint64_t>();
    manifest.name = text_at(root, "name");
    manifest.version = text_at(root, "version");
    manifest.created = text_at(root, "created");
    manifest.fields.config = at(root, "config");
    manifest.fields.encoders = at(root, "encoders");
    manifest.fields.data_window = at(root, "data_window");
    manifest.fields.metrics = at(root, "metrics");
    read_files(list_at(root, "files"), manifest);
    read_tensors(list_at(root, "tensors"), manifest);
    return manifest;
  }

 private:
  json parse(const std::string& text) const {
    try {
      return parse_strict_json(text, "text");
    } catch (const InputError& error) {
      damaged("{}", error.what());
    }
  }

  template <class... Arguments>
  [[noreturn]] void damaged(fmt::format_string<Arguments...> format,
                            Arguments&&... arguments) const {
    throw InputError("{}: damaged: {}; copy or publish this version again", origin_,
                     one_line(fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  void check_format(const json& root) const {
    const json& format = at(root, "format_version");
    if (!format.is_number_unsigned() || format == 0) {
      damaged("format_version is {}, not a whole number from 1", format.dump());
    }
    if (format > kFormatVersion) {
      throw InputError(
          "{}: written by a newer Limber (format {}), this one reads up to {}; update Limber, or "
          "publish the model with this one",
          origin_, format.dump(), kFormatVersion);
    }
  }

  const json& at(const json& object, const char* key) const {
    if (!object.is_object() || !object.contains(key)) damaged("the key {} is missing", key);
    return object[key];
  }

  std::string text_at(const json& object, const char* key) const {
    const json& value = at(object, key);
    if (!value.is_string()) damaged("{} is {}, not text", key, value.dump());
    return value.get<std::string>();
  }

  const json& list_at(const json& object, const char* key) const {
    const json& value = at(object, key);
    if (!value.is_array()) damaged("{} is not a list", key);
    return value;
  }

  void read_files(const json& list, Manifest& manifest) {
    for (const json& item : list) {
      FileEntry entry{text_at(item, "path"), 0, text_at(item, "checksum")};
      if (!is_inner_path(entry.path) || entry.path == kManifestName) {
        damaged("the path {} does not name a file inside the folder", item["path"].dump());
      }
      if (!paths_.insert(entry.path).second) damaged("{} is listed twice", item["path"].dump());
      const json& size = at(item, "size");
      if (!size.is_number_unsigned()) damaged("{} has the size {}", entry.path, size.dump());
      entry.size = size.get<std::uint64_t>();
      manifest.files.push_back(std::move(entry));
    }
  }

  void read_tensors(const json& list, Manifest& manifest) {
    std::set<std::string> names;
    for (const json& item : list) {
      TensorEntry entry{text_at(item, "name"), text_at(item, "file"), {}, {}};
      const std::string shown = item["name"].dump();
      if (!names.insert(entry.name).second) damaged("tensor {} is listed twice", shown);
      if (!paths_.contains(entry.file)) {
        damaged("tensor {} lies in {}, which is not among the files", shown, item["file"].dump());
      }
      const std::string type = text_at(item, "dtype");
      const auto known = find_data_type(type);
      if (!known) damaged("tensor {} has the unknown dtype {}", shown, item["dtype"].dump());
      entry.type = *known;
      for (const json& size : list_at(item, "shape")) {
        if (!size.is_number_unsigned() || size > INT64_MAX) {
          damaged("tensor {} has a size of {}", shown, size.dump());
        }
        entry.shape.push_back(size.get<std::int64_t>());
      }
      manifest.tensors.push_back(std::move(entry));
    }
  }

  const std::string origin_;
  std::set<std::string, std::less<>> paths_;
};

}  // namespace

std::string manifest_to_text(const Manifest& manifest) {
  ordered_json files = ordered_json::array(), tensors = ordered_json::array();
  for (const FileEntry& file : manifest.files) {
    files.push_back({{"path", file.path}, {"size", file.size}, {"checksum", file.checksum}});
  }
  for (const TensorEntry& tensor : manifest.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"file", tensor.file},
                       {"dtype", name_of(tensor.type)},
                       {"shape", tensor.shape}});
  }
  const ordered_json root = {{"format_version", manifest.format},
                             {"name", manifest.name},
                             {"version", manifest.version},
                             {"created", manifest.created},
                             {"config", manifest.fields.config},
                             {"encoders", manifest.fields.encoders},
                             {"data_window", manifest.fields.data_window},
                             {"metrics", manifest.fields.metrics},
                             {"tensors", tensors},
                             {"files", files},
                             {"manifest_checksum", std::string(kDigits, '0')}};
  std::string text;
  try {
    text = root.dump(2) + "\n";
  } catch (const json::exception& error) {
    throw Error("the manifest cannot be written: {}", error.what());
  }
  const std::size_t digits = find_digits(text);
  return text.replace(digits, kDigits, checksum_without_digits(text, digits));
}

Manifest manifest_from_text(const std::string& text, const std::string& origin) {
  return ManifestReader(origin).read(text);
}

bool is_inner_path(std::string_view path) {
  if (path.empty()) return false;
  if (std::ranges::any_of(path, [](unsigned char c) { return c < ' ' || c == '\\' || c == 127; })) {
    return false;
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace limber
