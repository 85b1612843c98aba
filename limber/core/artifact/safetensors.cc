#include "limber/core/artifact/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "limber/core/artifact/strict_json.h"
#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"

namespace limber {
namespace fs = std::filesystem;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little,
              "safetensors are little-endian and are mapped as they are");

namespace {

constexpr std::size_t kLengthSize = sizeof(std::uint64_t);
constexpr std::size_t kAlignment = 8;  // of the widest element
/// The limit of the reference implementation; also bounds what a forged length makes us parse.
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr const char* kMetadataKey = "__metadata__";

/// Wide elements first: with the data's start aligned, each tensor is then aligned to its own
/// elements without a gap. By name within a width, so that equal tensors make equal files.
std::vector<const Tensor*> storage_order(std::span<const Tensor> tensors) {
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, [](const Tensor* left, const Tensor* right) {
    const std::size_t left_size = size_of(left->type), right_size = size_of(right->type);
    return left_size != right_size ? left_size > right_size : left->name < right->name;
  });
  return order;
}

/// A name out of a file may hold anything, line breaks included; messages stay one line.
std::string in_quotes(const std::string& name) {
  return json(name).dump();
}

void check_tensor(const Tensor& tensor) {
  if (tensor.name.empty() || tensor.name == kMetadataKey) {
    throw Error("a tensor cannot be named \"{}\"", tensor.name);
  }
  const auto count = count_elements(tensor.shape);
  if (!count || tensor.bytes.size() % size_of(tensor.type) != 0 ||
      tensor.bytes.size() / size_of(tensor.type) != static_cast<std::uint64_t>(*count)) {
    throw Error("tensor {}: {} bytes do not fit {} elements of {}", tensor.name,
                tensor.bytes.size(), count ? std::to_string(*count) : "too many",
                name_of(tensor.type));
  }
}

/// Reads the header of one file; every complaint names the file.
class HeaderReader {
 public:
  HeaderReader(const fs::path& path, std::span<const std::byte> file)
      : path_(path.string()), file_(file) {}

  void read(std::vector<Tensor>& tensors, Metadata& metadata) {
    const json header = parse();
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadataKey) {
        read_metadata(value, metadata);
      } else {
        spans_.push_back(read_tensor(name, value));
      }
    }
    std::ranges::sort(spans_, {}, [](const Span& span) { return std::pair(span.begin, span.end); });
    // Every byte of the data belongs to one tensor: no overlap, no gap, none left over.
    std::uint64_t end = 0;
    for (Span& span : spans_) {
      if (span.begin != end) {
        damaged("tensor {} begins at byte {} of the data, expected {}", in_quotes(span.tensor.name),
                span.begin, end);
      }
      end = span.end;
      tensors.push_back(std::move(span.tensor));
    }
    if (end != data_.size()) {
      damaged("the tensors end at byte {} of the data, the file at {}", end, data_.size());
    }
  }

 private:
  struct Span {
    Tensor tensor;
    std::uint64_t begin, end;
  };

  template <class... Arguments>
  [[noreturn]] void damaged(fmt::format_string<Arguments...> format,
                            Arguments&&... arguments) const {
    throw InputError("{}: damaged, or not a safetensors file: {}; copy or publish it again", path_,
                     one_line(fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  json parse() {
    if (file_.size() < kLengthSize) damaged("{} bytes hold no header length", file_.size());
    std::uint64_t length = 0;
    std::memcpy(&length, file_.data(), kLengthSize);
    if (length > file_.size() - kLengthSize || length > kLongestHeader) {
      damaged("a header of {} bytes in a file of {}", length, file_.size());
    }
    const std::string_view text(reinterpret_cast<const char*>(file_.data()) + kLengthSize, length);
    if (!text.starts_with('{')) damaged("the header does not begin with {{");
    data_ = file_.subspan(kLengthSize + length);
    // Tensors are used where they lie, so their addresses must suit their elements. Current writers
    // pad the header; some before 2023 did not.
    if (!data_.empty() && (kLengthSize + length) % kAlignment != 0) {
      damaged("the header's {} bytes leave the data unaligned", length);
    }
    try {
      return parse_strict_json(text, "header");
    } catch (const InputError& error) {
      damaged("{}", error.what());
    }
  }

  void read_metadata(const json& value, Metadata& metadata) const {
    if (!value.is_object()) damaged("{} is not an object", kMetadataKey);
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string())
        damaged("{} holds {}, which is not text", kMetadataKey, in_quotes(key));
      metadata[key] = text.get<std::string>();
    }
  }

  Span read_tensor(const std::string& name, const json& value) const {
    if (name.empty()) damaged("a tensor without a name");
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
        !value.contains("shape") || !value.contains("data_offsets")) {
      damaged("tensor {} must have dtype, shape and data_offsets, and no more", in_quotes(name));
    }
    Span span;
    span.tensor.name = name;
    const json& type = value["dtype"];
    const auto known = type.is_string() ? find_data_type(type.get_ref<const std::string&>())
                                        : std::optional<DataType>();
    if (!known) damaged("tensor {} has the unsupported dtype {}", in_quotes(name), type.dump());
    span.tensor.type = *known;

    const json& shape = value["shape"];
    if (!shape.is_array()) damaged("tensor {} has a shape that is no list", in_quotes(name));
    for (const json& size : shape) {
      const std::uint64_t number = read_number(size, name);
      if (number > INT64_MAX) damaged("tensor {} has a size of {}", in_quotes(name), number);
      span.tensor.shape.push_back(static_cast<std::int64_t>(number));
    }

    const json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2) {
      damaged("tensor {} needs two data_offsets", in_quotes(name));
    }
    span.begin = read_number(offsets[0], name);
    span.end = read_number(offsets[1], name);
    if (span.begin > span.end || span.end > data_.size()) {
      damaged("tensor {} lies at bytes {} to {} of {}", in_quotes(name), span.begin, span.end,
              data_.size());
    }
    const std::size_t width = size_of(span.tensor.type);
    if (span.begin % width != 0) {
      damaged("tensor {} begins at byte {}, not a multiple of {}", in_quotes(name), span.begin,
              width);
    }
    const auto count = count_elements(span.tensor.shape);
    std::uint64_t expected = 0;
    if (!count || __builtin_mul_overflow(static_cast<std::uint64_t>(*count), width, &expected) ||
        expected != span.end - span.begin) {
      damaged("tensor {} of {} and shape {} cannot have {} bytes", in_quotes(name),
              name_of(span.tensor.type), shape.dump(), span.end - span.begin);
    }
    span.tensor.bytes = data_.subspan(span.begin, span.end - span.begin);
    return span;
  }

  std::uint64_t read_number(const json& value, const std::string& name) const {
    if (!value.is_number_unsigned()) {
      damaged("tensor {} has {} where a whole number belongs", in_quotes(name), value.dump());
    }
    return value.get<std::uint64_t>();
  }

  const std::string path_;
  const std::span<const std::byte> file_;
  std::span<const std::byte> data_;
  std::vector<Span> spans_;
};

}  // namespace

std::string safetensors_header(std::span<const Tensor> tensors, const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  std::set<std::string_view> names;
  std::uint64_t offset = 0;
  for (const Tensor* tensor : storage_order(tensors)) {
    check_tensor(*tensor);
    if (!names.insert(tensor->name).second) throw Error("two tensors are named {}", tensor->name);
    const std::uint64_t end = offset + tensor->bytes.size();
    // push_back, not operator[]: the ordered map would search its whole list for every name.
    header.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(
        tensor->name, nlohmann::ordered_json{{"dtype", name_of(tensor->type)},
                                             {"shape", tensor->shape},
                                             {"data_offsets", {offset, end}}});
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    throw Error("a tensor's name or the metadata is not UTF-8");
  }
  while ((kLengthSize + text.size()) % kAlignment != 0) text.push_back(' ');
  if (text.size() > kLongestHeader) throw Error("{} bytes are too many for a header", text.size());
  const std::uint64_t length = text.size();
  std::string head(kLengthSize, '\0');
  std::memcpy(head.data(), &length, kLengthSize);
  return head + text;
}

void write_safetensors(OutputFile& file, std::span<const Tensor> tensors,
                       const Metadata& metadata) {
  file.write(safetensors_header(tensors, metadata));
  for (const Tensor* tensor : storage_order(tensors)) file.write(tensor->bytes);
}

void write_safetensors(const fs::path& path, std::span<const Tensor> tensors,
                       const Metadata& metadata) {
  OutputFile file(path);
  write_safetensors(file, tensors, metadata);
  file.finish();
}

SafetensorsFile SafetensorsFile::open(const fs::path& path) {
  std::error_code code;
  if (!fs::is_regular_file(path, code)) throw InputError("{}: no such file", path.string());
  SafetensorsFile result;
  result.path_ = path;
  result.file_ = MappedFile::open(path);
  const std::span<const std::byte> bytes(std::as_const(result.file_).data(), result.file_.size());
  HeaderReader(path, bytes).read(result.tensors_, result.metadata_);
  return result;
}

const Tensor& SafetensorsFile::tensor(std::string_view name) const {
  const auto found = std::ranges::find(tensors_, name, &Tensor::name);
  if (found == tensors_.end()) {
    throw InputError("{}: holds no tensor named {}", path_.string(), name);
  }
  return *found;
}

}  // namespace limber
