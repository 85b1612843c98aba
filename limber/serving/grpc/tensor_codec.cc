#include "limber/serving/grpc/tensor_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"

namespace limber {
namespace {

// Raw contents are little-endian.
static_assert(std::endian::native == std::endian::little);

using Input = inference::ModelInferRequest::InferInputTensor;

/// One input on its way into a column.
class ColumnReader {
 public:
  ColumnReader(const Input& input, std::size_t rows, std::deque<std::string>& spelled)
      : input_(input), rows_(rows), spelled_(spelled) {
    values_.reserve(rows);
  }

  /// From `contents`, or from `raw` where that is given.
  std::vector<FieldValue> read(const std::string* raw) {
    const std::string& type = input_.datatype();
    const inference::InferTensorContents& contents = input_.contents();
    if (type == "BOOL") {
      read_as<bool>(raw, contents.bool_contents(), "bool_contents");
    } else if (type == "INT8") {
      read_as<std::int8_t>(raw, contents.int_contents(), "int_contents");
    } else if (type == "INT16") {
      read_as<std::int16_t>(raw, contents.int_contents(), "int_contents");
    } else if (type == "INT32") {
      read_as<std::int32_t>(raw, contents.int_contents(), "int_contents");
    } else if (type == "INT64") {
      read_as<std::int64_t>(raw, contents.int64_contents(), "int64_contents");
    } else if (type == "UINT8") {
      read_as<std::uint8_t>(raw, contents.uint_contents(), "uint_contents");
    } else if (type == "UINT16") {
      read_as<std::uint16_t>(raw, contents.uint_contents(), "uint_contents");
    } else if (type == "UINT32") {
      read_as<std::uint32_t>(raw, contents.uint_contents(), "uint_contents");
    } else if (type == "UINT64") {
      read_as<std::uint64_t>(raw, contents.uint64_contents(), "uint64_contents");
    } else if (type == "FP32") {
      read_as<float>(raw, contents.fp32_contents(), "fp32_contents");
    } else if (type == "FP64") {
      read_as<double>(raw, contents.fp64_contents(), "fp64_contents");
    } else if (type == "BYTES") {
      raw != nullptr ? read_texts(*raw) : read_typed(contents.bytes_contents(), "bytes_contents");
    } else {
      fail("its datatype is '{}'; give BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64 or BYTES",
           type);
    }
    return std::move(values_);
  }

 private:
  template <class... Arguments>
  [[noreturn]] void fail(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    throw InputError("inputs: '{}': {}", input_.name(),
                     fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  template <class Value>
  void add(const Value& value) {
    if constexpr (std::is_same_v<Value, bool>) {
      values_.push_back(FieldValue::of(value));
    } else if constexpr (std::is_floating_point_v<Value>) {
      values_.push_back(FieldValue::of(static_cast<double>(value)));
    } else if constexpr (std::is_integral_v<Value>) {
      if (std::in_range<std::int64_t>(value)) {
        values_.push_back(FieldValue::of(static_cast<std::int64_t>(value)));
      } else {
        // As logs: such an id is known by its digits.
        values_.push_back(
            FieldValue::of(std::string_view(spelled_.emplace_back(std::to_string(value)))));
      }
    } else {
      values_.push_back(FieldValue::of(std::string_view(value)));
    }
  }

  template <class Element, class Elements>
  void read_as(const std::string* raw, const Elements& elements, const char* field) {
    if (raw != nullptr) {
      read_raw<Element>(*raw);
      return;
    }
    if constexpr (std::is_integral_v<Element> && !std::is_same_v<Element, bool>) {
      for (int i = 0; i < elements.size(); ++i) {
        if (!std::in_range<Element>(elements[i])) {
          fail("element {} is {}, which is no {}", i, elements[i], input_.datatype());
        }
      }
    }
    read_typed(elements, field);
  }

  template <class Elements>
  void read_typed(const Elements& elements, const char* field) {
    if (static_cast<std::size_t>(elements.size()) != rows_) {
      fail("its shape has {} rows, but {}, where {} goes, has {} values", rows_, field,
           input_.datatype(), elements.size());
    }
    for (const auto& element : elements) add(element);
  }

  template <class Element>
  void read_raw(const std::string& raw) {
    static_assert(sizeof(bool) == 1);
    if (raw.size() / sizeof(Element) != rows_ || raw.size() % sizeof(Element) != 0) {
      fail("{} rows of {} take {} bytes, but raw_input_contents has {}", rows_, input_.datatype(),
           rows_ * sizeof(Element), raw.size());
    }
    for (std::size_t i = 0; i < rows_; ++i) {
      if constexpr (std::is_same_v<Element, bool>) {
        add(raw[i] != 0);
      } else {
        Element element;
        std::memcpy(&element, raw.data() + i * sizeof(Element), sizeof(Element));
        add(element);
      }
    }
  }

  void read_texts(std::string_view raw) {
    for (std::size_t i = 0; i < rows_; ++i) {
      std::uint32_t length = 0;
      if (raw.size() < sizeof length) fail("raw_input_contents ends within element {}", i);
      std::memcpy(&length, raw.data(), sizeof length);
      raw.remove_prefix(sizeof length);
      if (raw.size() < length) {
        fail("element {} has {} bytes, but raw_input_contents ends after {}", i, length,
             raw.size());
      }
      add(raw.substr(0, length));
      raw.remove_prefix(length);
    }
    if (!raw.empty()) fail("raw_input_contents goes on after the last of {} rows", rows_);
  }

  const Input& input_;
  const std::size_t rows_;
  std::deque<std::string>& spelled_;
  std::vector<FieldValue> values_;
};

std::size_t rows_of(const Input& input, std::size_t most_rows) {
  const auto& shape = input.shape();
  if (shape.empty() || shape[0] < 0 ||
      std::any_of(shape.begin() + 1, shape.end(), [](std::int64_t size) { return size != 1; })) {
    throw InputError("inputs: '{}': the shape must be [rows] or [rows, 1]", input.name());
  }
  const auto rows = static_cast<std::uint64_t>(shape[0]);
  if (rows > most_rows) {
    throw InputError("inputs: {} rows; at most {} are scored at once", rows, most_rows);
  }
  return rows;
}

}  // namespace

bool is_raw(const inference::ModelInferRequest& request) {
  return request.raw_input_contents_size() > 0;
}

InputColumns read_inputs(const inference::ModelInferRequest& request, const RequestSchema& schema,
                         std::size_t most_rows) {
  const bool raw = is_raw(request);
  if (raw && request.raw_input_contents_size() != request.inputs_size()) {
    throw InputError("raw_input_contents: {} for {} inputs; give one for each, in their order",
                     request.raw_input_contents_size(), request.inputs_size());
  }
  InputColumns columns;
  std::set<std::string_view> names;
  for (int i = 0; i < request.inputs_size(); ++i) {
    const Input& input = request.inputs(i);
    if (schema.find(input.name()) < 0) {
      throw InputError("inputs: the model reads no column '{}'{}", input.name(),
                       did_you_mean(input.name(), schema.names()));
    }
    if (!names.insert(input.name()).second) {
      throw InputError("inputs: '{}' is given twice", input.name());
    }
    if (raw && input.has_contents()) {
      throw InputError("inputs: '{}': contents and raw_input_contents are given; give one of them",
                       input.name());
    }
    ColumnReader reader(input, rows_of(input, most_rows), columns.spelled);
    columns.tensors.push_back(
        {input.name(), reader.read(raw ? &request.raw_input_contents(i) : nullptr)});
  }
  return columns;
}

std::vector<std::size_t> wanted_outputs(const inference::ModelInferRequest& request,
                                        const std::vector<std::string>& labels) {
  std::vector<std::size_t> wanted;
  for (const auto& output : request.outputs()) {
    const auto found = std::ranges::find(labels, output.name());
    if (found == labels.end()) {
      throw InputError("outputs: the model has no label '{}'{}", output.name(),
                       did_you_mean(output.name(), labels));
    }
    const auto index = static_cast<std::size_t>(found - labels.begin());
    if (std::ranges::find(wanted, index) != wanted.end()) {
      throw InputError("outputs: '{}' is named twice", output.name());
    }
    wanted.push_back(index);
  }
  if (wanted.empty()) {
    for (std::size_t i = 0; i < labels.size(); ++i) wanted.push_back(i);
  }
  return wanted;
}

void write_outputs(const std::vector<InferenceOutput>& outputs,
                   const std::vector<std::size_t>& wanted, bool raw,
                   inference::ModelInferResponse& response) {
  for (const std::size_t index : wanted) {
    const InferenceOutput& output = outputs[index];
    auto& tensor = *response.add_outputs();
    tensor.set_name(output.name);
    tensor.set_datatype("FP32");
    tensor.add_shape(static_cast<std::int64_t>(output.values.size()));
    if (raw) {
      response.add_raw_output_contents(output.values.data(), output.values.size() * sizeof(float));
    } else {
      tensor.mutable_contents()->mutable_fp32_contents()->Add(output.values.begin(),
                                                              output.values.end());
    }
  }
}

}  // namespace limber
