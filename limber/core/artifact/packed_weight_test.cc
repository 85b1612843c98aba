#include "limber/core/artifact/packed_weight.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

using Tensors = std::map<std::string, Tensor, std::less<>>;

Tensors by_name(const OwnedTensors& tensors) {
  Tensors result;
  for (const Tensor& tensor : tensors.tensors()) result[tensor.name] = tensor;
  return result;
}

UnpackedWeight unpacked(const OwnedTensors& tensors) {
  const Tensors named = by_name(tensors);
  return unpack_weight(named.at("w.packed"), named, "file");
}

/// A weight [rows, columns] with numbers in a share of the tiles alone, and there in a share of the
/// lines.
std::vector<float> random_weight(Random& random, std::int64_t rows, std::int64_t columns,
                                 std::int64_t tile, double keep_tiles, double keep_lines) {
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r0 = 0; r0 < rows; r0 += tile) {
    for (std::int64_t c0 = 0; c0 < columns; c0 += tile) {
      if (random.uniform() >= keep_tiles) continue;
      std::vector<bool> line(static_cast<std::size_t>(tile));
      for (std::size_t c = 0; c < line.size(); ++c) line[c] = random.uniform() < keep_lines;
      for (std::int64_t r = r0; r < std::min(r0 + tile, rows); ++r) {
        if (random.uniform() >= keep_lines) continue;
        for (std::int64_t c = c0; c < std::min(c0 + tile, columns); ++c) {
          if (!line[static_cast<std::size_t>(c - c0)]) continue;
          values[static_cast<std::size_t>(r * columns + c)] = static_cast<float>(random.normal());
        }
      }
    }
  }
  return values;
}

TEST(PackedWeights, ComeBackAsTheyWereWhateverWasPruned) {
  Random random(11);
  int packed = 0, with_lines = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const auto rows = static_cast<std::int64_t>(1 + random.below(70));
    const auto columns = static_cast<std::int64_t>(1 + random.below(70));
    const auto tile = static_cast<std::int64_t>(1 + random.below(20));
    std::vector<float> values =
        random_weight(random, rows, columns, tile, random.uniform(), 0.3 + random.uniform());
    PackOptions options;
    options.bits = static_cast<std::int64_t>(random.below(9));
    options.tile_rows = options.tile_columns = tile;
    if (options.bits > 0) {
      options.scale = 0.37F;
      const auto most = std::int64_t{1} << (options.bits - 1);
      for (float& value : values) {
        if (value == 0) continue;
        const auto code =
            static_cast<std::int64_t>(random.below(2 * static_cast<std::uint64_t>(most))) - most;
        value = options.scale * static_cast<float>(code);
      }
    }
    const OwnedTensors tensors = pack_weight("w", values, {rows, columns}, options);
    EXPECT_LE(tensors.bytes(), 4 * values.size());
    if (tensors.tensors().size() == 1) {
      const auto plain = tensors.tensors()[0].values<float>();
      EXPECT_EQ(std::vector<float>(plain.begin(), plain.end()), values);
      continue;
    }
    const UnpackedWeight weight = unpacked(tensors);
    ASSERT_EQ(weight.values, values) << rows << " x " << columns << " by " << tile;
    EXPECT_EQ(weight.what.name, "w");
    EXPECT_EQ(weight.what.shape, (std::vector<std::int64_t>{rows, columns}));
    EXPECT_EQ(weight.what.bits, options.bits == 0 ? 32 : options.bits > 4 ? 8 : 4);
    EXPECT_GE(weight.what.stored,
              std::ranges::count_if(values, [](float value) { return value != 0; }));
    EXPECT_EQ(weight.what.bytes, static_cast<std::int64_t>(tensors.bytes()));
    ++packed;
    with_lines += by_name(tensors).contains("w.lines") ? 1 : 0;
  }
  EXPECT_GT(packed, 100);
  EXPECT_GT(with_lines, 30);
}

TEST(PackedWeights, TakeTheBytesOfWhatIsLeft) {
  Random random(2);
  // One tile of sixteen is left of 64 x 64, and in it all rows but every other column.
  std::vector<float> values(64 * 64);
  for (std::size_t r = 16; r < 32; ++r) {
    for (std::size_t c = 48; c < 64; c += 2) values[r * 64 + c] = 0.5F + static_cast<float>(c);
  }
  const OwnedTensors tensors = pack_weight("w", values, {64, 64}, {0, 0, 16, 16});
  const UnpackedWeight weight = unpacked(tensors);
  EXPECT_EQ(weight.values, values);
  EXPECT_EQ(weight.what.stored, 16 * 8);
  // Five whole numbers of the head, a word of tiles, one of lines, and the numbers.
  EXPECT_EQ(tensors.bytes(), 5U * 8 + 4 + 4 + 4 * 16 * 8);

  for (float& value : values)
    value = value == 0 ? 0 : 0.25F * static_cast<float>(random.below(7)) + 0.25F;
  const OwnedTensors codes = pack_weight("w", values, {64, 64}, {4, 0.25F, 16, 16});
  EXPECT_EQ(unpacked(codes).values, values);
  EXPECT_EQ(codes.bytes(), 5U * 8 + 4 + 4 + 4 + 16 * 8 / 2);
}

TEST(PackedWeights, AreProductsOfScaleAndCodeInFloat) {
  const float scale = 0.1F;
  std::vector<float> values;
  for (int code = -128; code < 128; ++code) {
    // What rounding in double leaves: not always the float product.
    values.push_back(static_cast<float>(0.1 * code));
  }
  const UnpackedWeight weight = unpacked(pack_weight("w", values, {256}, {8, scale, 0, 0}));
  for (int code = -128; code < 128; ++code) {
    EXPECT_EQ(weight.values[static_cast<std::size_t>(code + 128)],
              scale * static_cast<float>(code));
  }
}

TEST(PackedWeights, OfOddCountsAndMoreSizesComeBack) {
  const std::vector<float> values = {-8, 7,  -1, 0, 3, 5, 1, -3, 2, -5, 4, 6,  -7, -2,
                                     -4, -6, 1,  2, 3, 4, 5, 6,  7, 0,  1, -1, 2};
  EXPECT_EQ(unpacked(pack_weight("w", values, {3, 3, 3}, {4, 1, 2, 2})).values, values);
  // Whole matrices of zeros, and matrices that are all edge.
  for (const std::int64_t tile : {1, 16, 4096}) {
    const std::vector<float> none(300 * 70);
    EXPECT_EQ(unpacked(pack_weight("w", none, {300, 70}, {0, 0, tile, tile})).values, none);
    EXPECT_EQ(unpacked(pack_weight("w", none, {300, 70}, {3, 1, tile, tile})).values, none);
  }
}

TEST(PackedWeights, StayPlainWhereNothingIsSaved) {
  const std::vector<float> values = {1, 2, 3, 4};
  const OwnedTensors tensors = pack_weight("w", values, {2, 2}, {0, 0, 1, 1});
  ASSERT_EQ(tensors.tensors().size(), 1U);
  EXPECT_EQ(tensors.tensors()[0].name, "w");
  EXPECT_EQ(pack_weight("w", {}, {0, 5}, {8, 1, 4, 4}).tensors().size(), 1U);
  const std::vector<float> one = {3};
  EXPECT_EQ(pack_weight("w", one, {}, {8, 1, 0, 0}).tensors().size(), 1U);
}

TEST(PackedWeights, RefuseWhatIsOnNoLevel) {
  const auto refuses = [](std::vector<float> values, const PackOptions& options,
                          std::vector<std::int64_t> shape = {2}) {
    EXPECT_THROW(pack_weight("w", values, shape, options), Error);
  };
  refuses({1, 1.5F}, {8, 1, 0, 0});
  refuses({1, 128}, {8, 1, 0, 0});
  refuses({1, 8}, {4, 1, 0, 0});
  refuses({1, std::nanf("")}, {8, 1, 0, 0});
  refuses({1, std::numeric_limits<float>::infinity()}, {8, 1, 0, 0});
  refuses({1, 1}, {8, 0, 0, 0});
  refuses({1, 1}, {9, 1, 0, 0});
  refuses({1, 1}, {0, 0, 0, 0}, {3});
  refuses({1, 1}, {0, 0, 0, 0}, {-2});
}

/// Tensors made by hand, which need not fit.
struct Forged {
  std::vector<std::int64_t> head = {32, 2, 2, 4, 4};
  std::vector<std::int32_t> tiles = {0b1001}, lines = {0b1011'0111};
  std::vector<float> values = {1, 2, 3, 4};
  std::vector<std::int8_t> codes = {1, 2, 3, 4};
  std::vector<float> scale = {0.5F};
  bool has_lines = false;

  UnpackedWeight unpack() const {
    OwnedTensors tensors;
    const auto add = [&](const char* name, const auto& list) {
      tensors.add(name, {static_cast<std::int64_t>(list.size())}, list);
    };
    add("w.packed", head);
    add("w.tiles", tiles);
    if (has_lines) add("w.lines", lines);
    add("w.values", values);
    add("w.codes", codes);
    add("w.scale", scale);
    return unpacked(tensors);
  }
};

TEST(PackedWeights, AreRefusedWhereTheirPartsDoNotFit) {
  Forged fits;
  fits.values = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(fits.unpack().values,
            (std::vector<float>{1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0, 7, 8}));
  fits.has_lines = true;
  // The first tile: both rows, the first column; the second: the second row, both columns... read
  // from the lowest bit on: rows 1 1, columns 1 0; rows 1 1, columns 0 1.
  fits.values = {1, 2, 3, 4};
  EXPECT_EQ(fits.unpack().values,
            (std::vector<float>{1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4}));
  fits.head[0] = 8;
  EXPECT_EQ(fits.unpack().values[5 + 6], 1.5F);

  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::pair<const char*, std::function<void(Forged&)>>> damages = {
      {"w.packed",
       [](Forged& f) {
         f.head = {32, 2, 2};
       }},
      {"w.packed", [](Forged& f) { f.head = {}; }},
      {"w.packed", [](Forged& f) { f.head[0] = 16; }},
      {"w.packed", [](Forged& f) { f.head[0] = -32; }},
      {"w.packed", [](Forged& f) { f.head[1] = 0; }},
      {"w.packed", [](Forged& f) { f.head[2] = -1; }},
      {"w.packed", [](Forged& f) { f.head[1] = kMost; }},
      {"w.packed", [](Forged& f) { f.head[3] = 0; }},
      {"w.packed", [](Forged& f) { f.head[3] = -4; }},
      {"w.packed", [](Forged& f) { f.head[3] = f.head[4] = std::int64_t{1} << 40; }},
      {"w.packed", [](Forged& f) { f.head[3] = f.head[1] = std::int64_t{1} << 60; }},
      {"w.packed",
       [](Forged& f) {
         f.head = {32, 2, 2, kMost};
       }},
      {"w.packed",
       [](Forged& f) {
         f.head = {32, 1, 2, 0, kMost};
       }},
      {"w.tiles",
       [](Forged& f) {
         f.head[3] = 40;
         f.head[4] = 40;
       }},
      {"w.tiles", [](Forged& f) { f.tiles = {}; }},
      {"w.tiles",
       [](Forged& f) {
         f.tiles = {0b1001, 0};
       }},
      {"w.tiles", [](Forged& f) { f.tiles = {0b11001}; }},
      {"w.tiles", [](Forged& f) { f.tiles = {-1}; }},
      {"w.lines",
       [](Forged& f) {
         f.has_lines = true;
         f.lines = {};
       }},
      {"w.lines",
       [](Forged& f) {
         f.has_lines = true;
         f.lines = {-1};
       }},
      {"w.lines",
       [](Forged& f) {
         f.has_lines = true;
         f.tiles = {0b1011};
         f.lines = {0, 0};
       }},
      {"w.values", [](Forged& f) { f.values.pop_back(); }},
      {"w.values", [](Forged& f) { f.tiles = {0b1111}; }},
      {"w.codes",
       [](Forged& f) {
         f.head[0] = 8;
         f.codes.push_back(1);
       }},
      {"w.codes", [](Forged& f) { f.head[0] = 4; }},
      {"w.scale",
       [](Forged& f) {
         f.head[0] = 8;
         f.scale = {};
       }},
      {"w.scale",
       [](Forged& f) {
         f.head[0] = 8;
         f.scale = {1, 2};
       }},
  };
  for (const auto& [tensor, damage] : damages) {
    Forged forged;
    forged.values = {1, 2, 3, 4, 5, 6, 7, 8};
    forged.codes = {1, 2, 3, 4, 5, 6, 7, 8};
    damage(forged);
    try {
      forged.unpack();
      ADD_FAILURE() << "taken: a damaged " << tensor << ", case "
                    << &damage - &damages.front().second;
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find("file: damaged: tensor " + std::string(tensor)), 0U) << message;
    }
  }
}

/// Whatever a few words say, what comes out is an error or a weight within the bound.
TEST(PackedWeights, OfRandomHeadsNeitherCrashNorGrowWithoutBound) {
  Random random(5);
  std::int64_t taken = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    Forged forged;
    const auto small = [&](std::uint64_t below) {
      return static_cast<std::int64_t>(random.below(below));
    };
    forged.head = {std::int64_t{1} << (2 + small(4)), small(4), small(4)};
    for (std::int64_t sizes = small(4); sizes >= 0; --sizes) {
      forged.head.push_back(small(20) == 0 ? static_cast<std::int64_t>(random.next()) : small(6));
    }
    forged.tiles = {static_cast<std::int32_t>(random.next() & 0x1F)};
    forged.has_lines = small(2) == 0;
    forged.lines = {static_cast<std::int32_t>(random.next() & 0xFF)};
    forged.values.assign(random.below(5), 1.0F);
    forged.codes.assign(random.below(5), 1);
    try {
      const UnpackedWeight weight = forged.unpack();
      ++taken;
      EXPECT_LE(4 * static_cast<std::int64_t>(weight.values.size()),
                kMostExpansion * weight.what.bytes);
    } catch (const InputError&) {
    }
  }
  EXPECT_GT(taken, 20);
}

class PackedArtifacts : public testing::Test {
 protected:
  std::filesystem::path publish(const OwnedTensors& tensors, std::uint64_t format) {
    ArtifactWriter writer(folder_.path(), "packed");
    writer.require_format(format);
    writer.add_tensors("dense.safetensors", tensors.tensors());
    return writer.publish({});
  }
  TemporaryFolder folder_;
};

TEST_F(PackedArtifacts, HoldTheWeightUnderItsOwnName) {
  Random random(3);
  const std::vector<float> values = random_weight(random, 40, 50, 8, 0.3, 1);
  OwnedTensors tensors = pack_weight("layer.weight", values, {40, 50}, {0, 0, 8, 8});
  tensors.append(
      pack_weight("other.weight", std::vector<float>(64, 0.5F), {8, 8}, {8, 0.5F, 0, 0}));
  const auto folder = publish(tensors, kCompressedFormat);
  Artifact opened = Artifact::open(folder);
  const Artifact artifact = std::move(opened);  // views must survive a move
  const Tensor& weight = artifact.tensor("layer.weight");
  EXPECT_EQ(weight.shape, (std::vector<std::int64_t>{40, 50}));
  const auto stored = weight.values<float>();
  EXPECT_EQ(std::vector<float>(stored.begin(), stored.end()), values);
  EXPECT_EQ(artifact.tensor("other.weight").values<float>()[63], 0.5F);
  ASSERT_EQ(artifact.packed_weights().size(), 2U);
  EXPECT_TRUE(artifact.has_tensor("layer.weight.tiles"));

  // A copy of the file goes on being one, in the format that it needs.
  ArtifactWriter writer(folder_.path(), "copy");
  writer.add_copy(artifact, "dense.safetensors");
  const Artifact copy = Artifact::open(writer.publish({}));
  EXPECT_EQ(copy.contents().format, kCompressedFormat);
  EXPECT_EQ(copy.tensor("other.weight").values<float>()[0], 0.5F);
}

TEST_F(PackedArtifacts, OfOlderFormatsHoldWhatTheySay) {
  const std::vector<std::int64_t> numbers = {1};
  OwnedTensors tensors;
  tensors.add("w.packed", {1}, numbers);
  const Artifact artifact = Artifact::open(publish(tensors, 2));
  EXPECT_TRUE(artifact.packed_weights().empty());
  EXPECT_FALSE(artifact.has_tensor("w"));
}

TEST_F(PackedArtifacts, AreRefusedInOneLineThatNamesTheFile) {
  const auto refuse = [&](const OwnedTensors& tensors, const std::string& reason) {
    try {
      Artifact::open(publish(tensors, kCompressedFormat));
      ADD_FAILURE() << "opened, although: " << reason;
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("dense.safetensors"), std::string::npos) << message;
      EXPECT_NE(message.find(reason), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  };
  OwnedTensors twice = pack_weight("w", std::vector<float>(64, 0.5F), {8, 8}, {8, 0.5F, 0, 0});
  twice.add("w", {1}, std::vector<float>{1});
  refuse(twice, "plain, too");
  OwnedTensors bare;
  bare.add("line\nbreak.packed", {4}, std::vector<std::int64_t>{32, 0, 0, 3});
  refuse(bare, "it is missing");
}

}  // namespace
}  // namespace limber
