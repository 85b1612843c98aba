#include "limber/serving/runtime/embedding_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

constexpr std::int64_t kRows = 40, kDim = 19;

/// A table in floats and the same rounded to int8 by rows, the middle-max way: the largest value is
/// 127, the smallest -128 (LiRank, arXiv 2402.06859, section 5).
struct Tables {
  std::vector<float> floats, scales, middles;
  std::vector<std::int8_t> bytes;

  Tables() {
    Random random(9);
    for (std::int64_t r = 0; r < kRows; ++r) {
      float low = 0, high = 0;
      for (std::int64_t c = 0; c < kDim; ++c) {
        // Row 3 is constant.
        floats.push_back(r == 3 ? 0.5F : static_cast<float>(random.normal()));
        low = c == 0 ? floats.back() : std::min(low, floats.back());
        high = c == 0 ? floats.back() : std::max(high, floats.back());
      }
      scales.push_back((high - low) / 255);
      middles.push_back((high * 128 + low * 127) / 255);
      for (std::int64_t c = 0; c < kDim; ++c) {
        const float value = floats[static_cast<std::size_t>(r * kDim + c)];
        bytes.push_back(scales.back() == 0 ? std::int8_t{0}
                                           : static_cast<std::int8_t>(std::lround(
                                                 (value - middles.back()) / scales.back())));
      }
    }
  }

  Artifact publish(const std::filesystem::path& folder, std::int64_t scales_given = kRows) const {
    ArtifactWriter writer(folder, "tables");
    const Tensor plain = make_tensor<float>("tables.plain", {kRows, kDim}, floats);
    writer.add_tensors("tables/plain.safetensors", std::span(&plain, 1));
    const std::vector<Tensor> rounded = {
        make_tensor<float>("tables.item.scale", {scales_given},
                           std::span(scales).first(static_cast<std::size_t>(scales_given))),
        make_tensor<float>("tables.item.middle", {kRows}, middles),
        make_tensor<std::int8_t>("tables.item", {kRows, kDim}, bytes)};
    writer.add_tensors("tables/item.safetensors", rounded);
    return Artifact::open(writer.publish({}));
  }
};

TEST(EmbeddingTable, ReadsFloatsInPlaceAndIntegersToHalfAStep) {
  const TemporaryFolder folder;
  const Tables tables;
  const Artifact artifact = tables.publish(folder.path());
  const EmbeddingTable plain(artifact, {"plain", kRows, kDim});
  const EmbeddingTable item(artifact, {"item", kRows, kDim});
  EXPECT_EQ(plain.type(), RowType::kFloat32);
  EXPECT_EQ(item.type(), RowType::kInt8);
  float room[kDim];
  for (std::int32_t r = 0; r < kRows; ++r) {
    const float* exact = plain.row(r, room);
    EXPECT_NE(exact, room);
    std::vector<float> kept(exact, exact + kDim);
    const float* rounded = item.row(r, room);
    EXPECT_EQ(rounded, room);
    for (std::int64_t c = 0; c < kDim; ++c) {
      EXPECT_NEAR(rounded[c], kept[static_cast<std::size_t>(c)],
                  0.501F * tables.scales[static_cast<std::size_t>(r)] + 1e-6F);
    }
  }
}

/// Rows of every length, so that whole vectors and what is left over are both met, and nothing
/// beyond the row is written.
TEST(EmbeddingTable, ExpandsHalvesExactly) {
  constexpr std::int64_t most = 40;
  const TemporaryFolder folder;
  Random random(10);
  OwnedTensors tensors;
  for (std::int64_t dim = 1; dim <= most; ++dim) {
    std::vector<Half> halves;
    for (std::int64_t i = 0; i < 3 * dim; ++i) {
      // Every finite half is as likely, those below the normal range included.
      auto bits = static_cast<std::uint16_t>(random.next());
      if ((bits & 0x7C00U) == 0x7C00U) bits = 0x0001;
      halves.push_back({bits});
    }
    tensors.add("tables.item" + std::to_string(dim), {3, dim}, halves);
  }
  ArtifactWriter writer(folder.path(), "halves");
  writer.add_tensors("tables/item.safetensors", tensors.tensors());
  const Artifact artifact = Artifact::open(writer.publish({}));
  for (std::int64_t dim = 1; dim <= most; ++dim) {
    const EmbeddingTable table(artifact, {"item" + std::to_string(dim), 3, dim});
    const auto halves = tensors.tensors()[static_cast<std::size_t>(dim - 1)].values<Half>();
    EXPECT_EQ(table.type(), RowType::kFloat16);
    for (std::int32_t r = 0; r < 3; ++r) {
      std::vector<float> room(static_cast<std::size_t>(dim) + 1, 7);
      ASSERT_EQ(table.row(r, room.data()), room.data());
      for (std::int64_t c = 0; c < dim; ++c) {
        ASSERT_EQ(room[static_cast<std::size_t>(c)],
                  float_of(halves[static_cast<std::size_t>(r * dim + c)]));
      }
      ASSERT_EQ(room.back(), 7);
    }
  }
}

TEST(EmbeddingTable, RefusesOtherShapes) {
  const TemporaryFolder folder;
  const Artifact artifact = Tables().publish(folder.path(), kRows - 1);
  EXPECT_THROW(EmbeddingTable(artifact, {"plain", kRows + 1, kDim}), InputError);
  EXPECT_THROW(EmbeddingTable(artifact, {"item", kRows, kDim}), InputError);
  EXPECT_THROW(EmbeddingTable(artifact, {"other", kRows, kDim}), InputError);
}

}  // namespace
}  // namespace limber
