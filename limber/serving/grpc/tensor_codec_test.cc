#include "limber/serving/grpc/tensor_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/serving/rows/served_model.h"
#include "limber/serving/service/test_model_for_test.h"

namespace limber {
namespace {

using Kind = FieldValue::Kind;
using Request = inference::ModelInferRequest;

class TensorCodec : public ::testing::Test {
 protected:
  static Request::InferInputTensor& add_input(Request& request, const std::string& datatype,
                                              std::int64_t rows) {
    auto& input = *request.add_inputs();
    input.set_name("price");
    input.set_datatype(datatype);
    input.add_shape(rows);
    return input;
  }
  InputColumns read(const Request& request) const {
    return read_inputs(request, model_->schema(), 1000);
  }
  /// What is wrong with it; empty: nothing.
  std::string complaint(const Request& request) const {
    try {
      read(request);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  /// The values, typed and raw, must be read as `expected`.
  template <class Value, class Field>
  void expect_both(const std::string& datatype, const std::vector<Value>& values, Field field,
                   const std::vector<FieldValue>& expected) {
    Request typed, raw;
    auto& input = add_input(typed, datatype, static_cast<std::int64_t>(values.size()));
    add_input(raw, datatype, static_cast<std::int64_t>(values.size())).add_shape(1);
    std::string& bytes = *raw.add_raw_input_contents();
    for (const Value& value : values) {
      ((*input.mutable_contents()).*field)(value);
      char copy[sizeof(Value)];
      std::memcpy(copy, &value, sizeof(Value));
      bytes.append(copy, sizeof(Value));
    }
    EXPECT_FALSE(is_raw(typed));
    EXPECT_TRUE(is_raw(raw));
    expect_equal(typed, datatype, expected);
    expect_equal(raw, datatype, expected);
    // One byte too few or too many is noticed.
    bytes.push_back('x');
    EXPECT_NE(complaint(raw).find("price"), std::string::npos) << datatype;
    bytes.resize(bytes.size() - 2);
    EXPECT_NE(complaint(raw).find("price"), std::string::npos) << datatype;
  }
  void expect_equal(const Request& request, const std::string& what,
                    const std::vector<FieldValue>& expected) const {
    const InputColumns columns = read(request);
    ASSERT_EQ(columns.tensors.size(), 1U);
    EXPECT_EQ(columns.tensors[0].name, "price");
    const auto& values = columns.tensors[0].values;
    ASSERT_EQ(values.size(), expected.size()) << what;
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(values[i].kind, expected[i].kind) << what << i;
      EXPECT_EQ(values[i].boolean, expected[i].boolean) << what << i;
      EXPECT_EQ(values[i].integer, expected[i].integer) << what << i;
      EXPECT_EQ(values[i].text, expected[i].text) << what << i;
      if (std::isnan(expected[i].real)) {
        EXPECT_TRUE(values[i].missing()) << what << i;
      } else {
        EXPECT_EQ(values[i].real, expected[i].real) << what << i;
      }
    }
  }
  /// Whole numbers at their type's ends.
  template <class Value, class Field>
  void expect_integers(const std::string& datatype, Field field) {
    std::vector<FieldValue> expected;
    std::vector<Value> values = {std::numeric_limits<Value>::min(), 0, 1,
                                 std::numeric_limits<Value>::max()};
    for (const Value value : values) {
      expected.push_back(FieldValue::of(static_cast<std::int64_t>(value)));
    }
    expect_both(datatype, values, field, expected);
  }

  TemporaryFolder folder_;
  std::shared_ptr<const ServedModel> model_ =
      ServedModel::load(publish_test_model(folder_.path()), {});
};

TEST_F(TensorCodec, ReadsEveryDatatypeTypedAndRaw) {
  using Contents = inference::InferTensorContents;
  expect_both<bool>("BOOL", {true, false}, &Contents::add_bool_contents,
                    {FieldValue::of(true), FieldValue::of(false)});
  expect_integers<std::int8_t>("INT8", &Contents::add_int_contents);
  expect_integers<std::int16_t>("INT16", &Contents::add_int_contents);
  expect_integers<std::int32_t>("INT32", &Contents::add_int_contents);
  expect_integers<std::int64_t>("INT64", &Contents::add_int64_contents);
  expect_integers<std::uint8_t>("UINT8", &Contents::add_uint_contents);
  expect_integers<std::uint16_t>("UINT16", &Contents::add_uint_contents);
  expect_integers<std::uint32_t>("UINT32", &Contents::add_uint_contents);
  // Ids beyond 63 bits are known by their digits, as in logs.
  expect_both<std::uint64_t>(
      "UINT64", {7, 9223372036854775808ULL, 18446744073709551615ULL},
      &Contents::add_uint64_contents,
      {FieldValue::of(std::int64_t{7}), FieldValue::of(std::string_view("9223372036854775808")),
       FieldValue::of(std::string_view("18446744073709551615"))});
  const float nan = std::nanf("");
  expect_both<float>("FP32", {0.1F, -3.5F, nan}, &Contents::add_fp32_contents,
                     {FieldValue::of(static_cast<double>(0.1F)), FieldValue::of(-3.5),
                      FieldValue::of(static_cast<double>(nan))});
  expect_both<double>("FP64", {0.1, 1e300}, &Contents::add_fp64_contents,
                      {FieldValue::of(0.1), FieldValue::of(1e300)});
}

TEST_F(TensorCodec, ReadsTexts) {
  const std::vector<std::string> texts = {"one", "", std::string("\0\xff\n", 3),
                                          std::string(70'000, 'x')};
  Request typed, raw;
  auto& input = add_input(typed, "BYTES", 4);
  add_input(raw, "BYTES", 4);
  std::string& bytes = *raw.add_raw_input_contents();
  std::vector<FieldValue> expected;
  for (const std::string& text : texts) {
    input.mutable_contents()->add_bytes_contents(text);
    const auto length = static_cast<std::uint32_t>(text.size());
    bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += text;
    expected.push_back(FieldValue::of(std::string_view(text)));
  }
  expect_equal(typed, "typed", expected);
  expect_equal(raw, "raw", expected);
  EXPECT_TRUE(read(raw).tensors[0].values[1].missing());
  // Wherever it is cut, that is noticed; so is what comes after the end.
  const std::string whole = bytes;
  for (std::size_t cut = 0; cut < whole.size(); cut += cut < 20 ? 1 : 6971) {
    bytes = whole.substr(0, cut);
    EXPECT_NE(complaint(raw), "") << cut;
  }
  bytes = whole + "x";
  EXPECT_NE(complaint(raw).find("goes on"), std::string::npos);
  // A length that points far beyond the end, or wraps around.
  bytes = whole;
  bytes[3] = '\xff';
  EXPECT_NE(complaint(raw).find("element 0"), std::string::npos);
}

TEST_F(TensorCodec, SurvivesAnyBytes) {
  Random random(3);
  int read_well = 0;
  for (int round = 0; round < 20'000; ++round) {
    Request request;
    const auto rows = static_cast<std::int64_t>(random.below(4));
    add_input(request, "BYTES", rows);
    std::string& bytes = *request.add_raw_input_contents();
    const std::uint64_t size = random.below(24);
    for (std::uint64_t i = 0; i < size; ++i) {
      bytes.push_back(
          static_cast<char>(random.below(4) == 0 ? random.below(256) : random.below(2)));
    }
    // What is read, written again, is what was sent.
    try {
      std::string again;
      const InputColumns columns = read(request);
      for (const FieldValue& value : columns.tensors[0].values) {
        const auto length = static_cast<std::uint32_t>(value.text.size());
        again.append(reinterpret_cast<const char*>(&length), sizeof length);
        again += value.text;
      }
      EXPECT_EQ(again, bytes);
      ++read_well;
    } catch (const InputError&) {
    }
  }
  EXPECT_GT(read_well, 100);
}

TEST_F(TensorCodec, NamesWhatIsWrong) {
  const auto expect = [this](const std::string& piece, auto change) {
    Request request;
    add_input(request, "FP32", 2).mutable_contents()->add_fp32_contents(1);
    request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(2);
    ASSERT_EQ(complaint(request), "");
    change(request);
    const std::string line = complaint(request);
    EXPECT_NE(line.find(piece), std::string::npos) << piece << ": " << line;
    EXPECT_EQ(line.find('\n'), std::string::npos);
  };
  expect("no column 'prise'; did you mean price",
         [](Request& request) { request.mutable_inputs(0)->set_name("prise"); });
  expect("given twice", [](Request& request) { *request.add_inputs() = request.inputs(0); });
  expect("FP16", [](Request& request) { request.mutable_inputs(0)->set_datatype("FP16"); });
  expect("shape", [](Request& request) { request.mutable_inputs(0)->clear_shape(); });
  expect("shape", [](Request& request) { request.mutable_inputs(0)->set_shape(0, -2); });
  expect("shape", [](Request& request) { request.mutable_inputs(0)->add_shape(2); });
  expect("3 rows", [](Request& request) { request.mutable_inputs(0)->set_shape(0, 3); });
  expect("at most 1000", [](Request& request) {
    request.mutable_inputs(0)->set_shape(0, std::numeric_limits<std::int64_t>::max());
  });
  expect("int64_contents",
         [](Request& request) { request.mutable_inputs(0)->set_datatype("INT64"); });
  expect("one of them", [](Request& request) { request.add_raw_input_contents("12345678"); });
  expect("2 for 1 inputs", [](Request& request) {
    request.add_raw_input_contents("12345678");
    request.add_raw_input_contents("12345678");
  });
  expect("300, which is no UINT8", [](Request& request) {
    auto& input = *request.mutable_inputs(0);
    input.set_datatype("UINT8");
    input.mutable_contents()->add_uint_contents(3);
    input.mutable_contents()->add_uint_contents(300);
  });
}

TEST_F(TensorCodec, WritesWhatIsAskedForInItsOrder) {
  const std::vector<std::string> labels = {"click", "like"};
  const std::vector<InferenceOutput> outputs = {{"click", {0.25F, 0.5F}}, {"like", {0.75F, 1}}};
  Request request;
  EXPECT_EQ(wanted_outputs(request, labels), (std::vector<std::size_t>{0, 1}));
  request.add_outputs()->set_name("like");
  request.add_outputs()->set_name("click");
  const auto wanted = wanted_outputs(request, labels);
  EXPECT_EQ(wanted, (std::vector<std::size_t>{1, 0}));
  for (const bool raw : {false, true}) {
    inference::ModelInferResponse response;
    write_outputs(outputs, wanted, raw, response);
    ASSERT_EQ(response.outputs_size(), 2);
    ASSERT_EQ(response.raw_output_contents_size(), raw ? 2 : 0);
    for (int i = 0; i < 2; ++i) {
      const auto& expected = outputs[wanted[static_cast<std::size_t>(i)]];
      EXPECT_EQ(response.outputs(i).name(), expected.name);
      EXPECT_EQ(response.outputs(i).datatype(), "FP32");
      ASSERT_EQ(response.outputs(i).shape_size(), 1);
      EXPECT_EQ(response.outputs(i).shape(0), 2);
      EXPECT_EQ(response.outputs(i).has_contents(), !raw);
      std::vector<float> values(2);
      if (raw) {
        ASSERT_EQ(response.raw_output_contents(i).size(), 8U);
        std::memcpy(values.data(), response.raw_output_contents(i).data(), 8);
      } else {
        const auto& contents = response.outputs(i).contents().fp32_contents();
        values.assign(contents.begin(), contents.end());
      }
      EXPECT_EQ(values, expected.values);
    }
  }
  request.add_outputs()->set_name("like");
  EXPECT_THROW(wanted_outputs(request, labels), InputError);
  request.mutable_outputs(2)->set_name("likes");
  EXPECT_THROW(wanted_outputs(request, labels), InputError);
}

}  // namespace
}  // namespace limber
