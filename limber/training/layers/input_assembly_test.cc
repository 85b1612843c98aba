#include "limber/training/layers/input_assembly.h"

#include <gtest/gtest.h>

#include <limits>

#include "limber/core/data/row_batch.h"

namespace limber {
namespace {

using torch::Tensor;

struct Example {
  InputLayout layout;
  RowBatch batch;
  std::vector<Tensor> tables;
};

/// A number with missing values and an id of the interaction; an id, and a list with repeats and
/// an empty list, of a side table whose rows are shared.
Example example() {
  Example made;
  made.layout.sources = {"", "items"};
  made.layout.source_widths = {4, 5};
  made.layout.tables = {{"device", 3, 2}, {"item", 4, 3}, {"tags", 3, 2}};
  made.layout.features = {{"price", FeatureKind::number, 0, -1, 2, 0},
                          {"device", FeatureKind::id, 0, 0, 2, 2},
                          {"item", FeatureKind::id, 1, 1, 3, 0},
                          {"tags", FeatureKind::ids, 1, 2, 2, 3}};
  made.layout.labels = {"like"};
  RowBatch& batch = made.batch;
  batch.rows = 5;
  batch.sources.resize(2);
  for (auto& source : batch.sources) source.features.resize(4);
  batch.sources[0].rows = 5;
  batch.sources[0].features[0].numbers = {1.5F, std::numeric_limits<float>::quiet_NaN(), -2, 0, 3};
  batch.sources[0].features[1].indices = {0, 2, 1, 1, 0};
  batch.sources[1].rows = 3;
  batch.sources[1].positions = {2, 0, 0, 1, 2};
  batch.sources[1].features[2].indices = {3, 0, 1};
  batch.sources[1].features[3].indices = {0, 2, 0, 1};
  batch.sources[1].features[3].offsets = {0, 3, 3, 4};
  batch.table_rows = {{0, 1, 2}, {0, 1, 2, 3}, {0, 1, 2}};
  torch::manual_seed(3);
  for (const auto& table : made.layout.tables) {
    made.tables.push_back(torch::randn({table.rows, table.dim}, torch::kDouble).requires_grad_());
  }
  return made;
}

TEST(InputAssembly, FusedEqualsComposedWithGradients) {
  const Example given = example();
  const auto options = torch::TensorOptions().dtype(torch::kDouble);
  const Tensor fused = assemble_inputs(given.batch, given.layout, given.tables, options);
  const Tensor composed =
      assemble_inputs_composed(given.batch, given.layout, given.tables, options);
  ASSERT_EQ(fused.sizes(), (std::vector<std::int64_t>{5, 9}));
  EXPECT_TRUE(torch::allclose(fused, composed, 1e-12, 1e-12));
  const Tensor seed = torch::randn_like(fused);
  const auto fused_gradients = torch::autograd::grad({fused}, given.tables, {seed});
  const auto composed_gradients = torch::autograd::grad({composed}, given.tables, {seed});
  for (std::size_t t = 0; t < given.tables.size(); ++t) {
    EXPECT_TRUE(torch::allclose(fused_gradients[t], composed_gradients[t], 1e-12, 1e-12)) << t;
  }
}

TEST(InputAssembly, KnownValues) {
  const Example given = example();
  const Tensor inputs = assemble_inputs(given.batch, given.layout, given.tables,
                                        torch::TensorOptions().dtype(torch::kDouble));
  // Row 1: a missing number is 0 with its indicator set.
  EXPECT_EQ(inputs[1][0].item<double>(), 0);
  EXPECT_EQ(inputs[1][1].item<double>(), 1);
  EXPECT_EQ(inputs[0][0].item<double>(), 1.5);
  EXPECT_EQ(inputs[0][1].item<double>(), 0);
  // Rows 1 and 2 share side row 0: item row 3, and the mean of tags 0, 2, 0.
  EXPECT_TRUE(torch::equal(inputs[1].narrow(0, 4, 3), given.tables[1][3]));
  const Tensor mean = (2 * given.tables[2][0] + given.tables[2][2]) / 3;
  EXPECT_TRUE(torch::allclose(inputs[2].narrow(0, 7, 2), mean));
  // Side row 1 has no tags.
  EXPECT_TRUE(torch::equal(inputs[3].narrow(0, 7, 2), torch::zeros({2}, torch::kDouble)));
}

}  // namespace
}  // namespace limber
