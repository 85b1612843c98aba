#include "limber/core/artifact/safetensors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <limits>

#include "limber/core/base/error.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

/// What Python's package writes for {"bias": float32 [1.5, -2], "ids": int64 [[7]]} with the
/// metadata {"format": "pt"}, byte by byte.
const std::string kPythonHeader =
    R"({"__metadata__":{"format":"pt"},"ids":{"dtype":"I64","shape":[1,1],"data_offsets":[0,8]},)"
    R"("bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
const std::string kPythonData("\x07\0\0\0\0\0\0\0\x00\x00\xc0\x3f\x00\x00\x00\xc0", 16);

std::string with_length(std::string header, bool pad = true) {
  while (pad && header.size() % 8 != 0) header.push_back(' ');
  const std::uint64_t length = header.size();
  std::string head(8, '\0');
  std::memcpy(head.data(), &length, 8);
  return head + header;
}

class SafetensorsTest : public testing::Test {
 protected:
  /// Opens a file of these bytes.
  SafetensorsFile open(const std::string& bytes) {
    // Anew: some file systems flush a file to disk that is cut to nothing and written again.
    fs::remove(path_);
    std::ofstream(path_, std::ios::binary) << bytes;
    return SafetensorsFile::open(path_);
  }

  void expect_refused(const std::string& bytes, const std::string& reason) {
    try {
      open(bytes);
      ADD_FAILURE() << "accepted, although: " << reason;
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find(reason), std::string::npos) << message;
      EXPECT_EQ(message.rfind(path_.string(), 0), 0u) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }

  TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "x.safetensors";
};

TEST_F(SafetensorsTest, EveryTypeAndShapeComesBack) {
  const std::vector<double> f64 = {0.1, -std::numeric_limits<double>::infinity()};
  const std::vector<float> f32 = {1.25f, 2.5f, -3.0f, 0.0f, 5.0f, 6.0f};
  const std::vector<std::int64_t> i64 = {INT64_MIN, INT64_MAX};
  const std::vector<std::int32_t> i32 = {-1, 2, INT32_MIN};
  const std::vector<std::int8_t> i8 = {-128, 127, 0};
  const std::vector<std::uint8_t> u8 = {255};
  const std::vector<Tensor> tensors = {
      make_tensor<std::int8_t>("rows \"quoted\" \n \xc3\xa9", {3, 1}, i8),
      make_tensor<float>("weight", {2, 3}, f32),
      make_tensor<float>("nothing", {4, 0, 2}, {}),
      make_tensor<std::uint8_t>("scalar", {}, u8),
      make_tensor<double>("f64", {2}, f64),
      make_tensor<std::int64_t>("i64", {1, 2}, i64),
      make_tensor<std::int32_t>("i32", {3}, i32),
  };
  write_safetensors(path_, tensors, {{"made by", "a test"}});
  const SafetensorsFile file = SafetensorsFile::open(path_);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const Tensor& expected : tensors) {
    const Tensor& found = file.tensor(expected.name);
    EXPECT_EQ(found.type, expected.type);
    EXPECT_EQ(found.shape, expected.shape);
    EXPECT_TRUE(std::ranges::equal(found.bytes, expected.bytes)) << expected.name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found.bytes.data()) % size_of(found.type), 0u);
  }
  EXPECT_EQ(file.tensor("weight").values<float>()[2], -3.0f);
  EXPECT_THROW(file.tensor("weight").values<double>(), Error);
  EXPECT_THROW(file.tensor("absent"), InputError);
  EXPECT_EQ(file.metadata(), (Metadata{{"made by", "a test"}}));
}

TEST_F(SafetensorsTest, BytesDoNotDependOnTheOrderGiven) {
  const std::vector<float> values = {1, 2};
  const Tensor a = make_tensor<float>("a", {2}, values), b = make_tensor<float>("b", {2}, values);
  EXPECT_EQ(safetensors_header(std::vector{a, b}), safetensors_header(std::vector{b, a}));
}

TEST_F(SafetensorsTest, ReadsAndWritesWhatPythonWrites) {
  const SafetensorsFile file = open(with_length(kPythonHeader) + kPythonData);
  EXPECT_EQ(file.tensor("ids").values<std::int64_t>()[0], 7);
  EXPECT_EQ(file.tensor("bias").values<float>()[0], 1.5f);
  EXPECT_EQ(file.tensor("bias").values<float>()[1], -2.0f);
  EXPECT_EQ(file.tensor("ids").shape, (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(file.metadata().at("format"), "pt");

  const fs::path copy = folder_.path() / "copy.safetensors";
  write_safetensors(copy, file.tensors(), file.metadata());
  EXPECT_EQ(read_file(copy), with_length(kPythonHeader) + kPythonData);
}

TEST_F(SafetensorsTest, AFileWithoutTensorsIsValid) {
  write_safetensors(path_, {});
  EXPECT_TRUE(SafetensorsFile::open(path_).tensors().empty());
  EXPECT_TRUE(open(with_length("{}", false)).tensors().empty());
}

TEST_F(SafetensorsTest, EveryTruncationAndExtensionIsRefused) {
  const std::string whole = with_length(kPythonHeader) + kPythonData;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(open(whole.substr(0, length)), InputError) << length;
  }
  EXPECT_THROW(open(whole + '\0'), InputError);
  EXPECT_NO_THROW(open(whole));
}

TEST_F(SafetensorsTest, NoFlippedBitOfTheHeadCrashesOrReachesOutside) {
  const std::string whole = with_length(kPythonHeader) + kPythonData;
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * (whole.size() - kPythonData.size()); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    try {
      const SafetensorsFile file = open(flipped);
      // A flip inside a name leaves a valid file; what it describes must still be in bounds.
      std::size_t bytes = 0;
      unsigned touched = 0;
      for (const Tensor& tensor : file.tensors()) {
        bytes += tensor.bytes.size();
        for (const std::byte byte : tensor.bytes) touched += std::to_integer<unsigned>(byte);
      }
      EXPECT_EQ(bytes, kPythonData.size()) << bit;
      EXPECT_EQ(touched, 7u + 0xc0 + 0x3f + 0xc0) << bit;
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(SafetensorsTest, RefusesEveryLieAboutATensor) {
  const auto expect = [&](const std::string& header, const std::string& reason) {
    expect_refused(with_length(header) + std::string(16, '\0'), reason);
  };
  const auto one = [](const std::string& type, const std::string& shape,
                      const std::string& offsets) {
    return R"({"a":{"dtype":)" + type + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
  };
  EXPECT_NO_THROW(open(with_length(one("\"F32\"", "[2,2]", "[0,16]")) + std::string(16, '\0')));
  expect(one("\"BF16\"", "[8]", "[0,16]"), "unsupported dtype \"BF16\"");
  expect(one("\"\x7F\"", "[8]", "[0,16]"), "unsupported dtype \" \"");
  expect(one("32", "[4]", "[0,16]"), "unsupported dtype 32");
  expect(one("\"F32\"", "[3]", "[0,16]"), "cannot have 16 bytes");
  expect(one("\"F32\"", "[5]", "[0,20]"), "bytes 0 to 20 of 16");
  expect(one("\"F32\"", "[1]", "[12,8]"), "bytes 12 to 8 of 16");
  expect(one("\"F32\"", "[-4]", "[0,16]"), "-4 where a whole number belongs");
  expect(one("\"F32\"", "[4.0]", "[0,16]"), "4.0 where a whole number belongs");
  expect(one("\"F32\"", "4", "[0,16]"), "no list");
  expect(one("\"F32\"", "[4]", "[0]"), "two data_offsets");
  expect(one("\"F32\"", "[4]", "[0,16,16]"), "two data_offsets");
  expect(one("\"F32\"", "[2]", "[0,8]"), "the tensors end at byte 8 of the data, the file at 16");
  expect(one("\"F32\"", "[2]", "[8,16]"), "begins at byte 8 of the data, expected 0");
  // Products that wrap: 2^62 x 4 = 2^64, (2^32)^2, and one hidden behind a zero.
  expect(one("\"F32\"", "[4611686018427387904]", "[0,0]"), "cannot have 0 bytes");
  expect(one("\"F32\"", "[4294967296,4294967296]", "[0,0]"), "cannot have 0 bytes");
  expect(one("\"F32\"", "[0,4294967296,4294967296]", "[0,0]"), "cannot have 0 bytes");
  expect(one("\"F32\"", "[18446744073709551615]", "[0,16]"), "size of 18446744073709551615");
  expect("{}", "the tensors end at byte 0");
  expect("[]", "does not begin with {");
  expect(R"({"a":1})", "must have dtype");
  expect(R"({"":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "without a name");
  expect(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"x":1}})", "and no more");
  expect(R"({"__metadata__":{"n":1},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})",
         "holds \"n\", which is not text");
}

TEST_F(SafetensorsTest, RefusesTensorsThatClash) {
  const auto pair = [](const std::string& second, const std::string& type,
                       const std::string& offsets) {
    return R"({"a":{"dtype":"U8","shape":[10],"data_offsets":[0,10]},")" + second +
           R"(":{"dtype":)" + type + R"(,"data_offsets":)" + offsets + "}}";
  };
  const auto expect = [&](const std::string& header, const std::string& reason) {
    expect_refused(with_length(header) + std::string(18, '\0'), reason);
  };
  EXPECT_NO_THROW(
      open(with_length(pair("b", R"("U8","shape":[8])", "[10,18]")) + std::string(18, '\0')));
  expect(pair("b", R"("U8","shape":[9])", "[9,18]"), "begins at byte 9 of the data, expected 10");
  expect(pair("b", R"("U8","shape":[7])", "[11,18]"), "begins at byte 11 of the data, expected 10");
  expect(pair("b", R"("F32","shape":[2])", "[10,18]"), "not a multiple of 4");
  expect(pair("a", R"("U8","shape":[8])", "[10,18]"), "occurs twice");
}

TEST_F(SafetensorsTest, RefusesAHeaderThatLeavesTheDataUnaligned) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  ASSERT_NE(header.size() % 8, 0u);
  expect_refused(with_length(header, false) + std::string(4, '\0'), "unaligned");
}

TEST_F(SafetensorsTest, TheWriterRefusesWhatTheReaderWould) {
  const std::vector<float> values = {1, 2};
  const auto header = [](const Tensor& tensor) { return safetensors_header(std::vector{tensor}); };
  EXPECT_NO_THROW(header(make_tensor<float>("a", {2}, values)));
  EXPECT_THROW(header(make_tensor<float>("a", {3}, values)), Error);
  EXPECT_THROW(header(make_tensor<float>("a", {-1, -2}, values)), Error);
  EXPECT_THROW(header(make_tensor<float>("", {2}, values)), Error);
  EXPECT_THROW(header(make_tensor<float>("__metadata__", {2}, values)), Error);
  EXPECT_THROW(header(make_tensor<float>("\xff", {2}, values)), Error);
  const Tensor a = make_tensor<float>("a", {2}, values);
  EXPECT_THROW(safetensors_header(std::vector{a, a}), Error);
}

TEST_F(SafetensorsTest, AFailedWriteLeavesNoFileAndNeverReplacesOne) {
  std::vector<float> values(100000);
  const std::vector<Tensor> tensors = {make_tensor<float>("a", {100000}, values)};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 50000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(write_safetensors(path_, tensors), Error);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(fs::exists(path_));

  write_safetensors(path_, tensors);
  EXPECT_THROW(write_safetensors(path_, {}), Error);
  EXPECT_EQ(SafetensorsFile::open(path_).tensors().size(), 1u);
}

TEST_F(SafetensorsTest, AFolderOrNothingIsRefused) {
  EXPECT_THROW(SafetensorsFile::open(folder_.path()), InputError);
  EXPECT_THROW(SafetensorsFile::open(folder_.path() / "absent"), InputError);
}

}  // namespace
}  // namespace limber
