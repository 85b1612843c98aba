#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "limber/core/data/dataset.h"
#include "limber/core/data/row_batch.h"

namespace limber {

inline RowBatch all_rows(const Dataset& dataset) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < dataset.rows; ++row) rows.push_back(row);
  RowBatch batch;
  BatchMaker(dataset).gather(rows, batch);
  return batch;
}

inline void expect_same_numbers(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE((std::isnan(a[i]) && std::isnan(b[i])) || a[i] == b[i]) << i;
  }
}

/// Every row, label, dictionary and bound of them.
inline void expect_same(const Dataset& first, const Dataset& second) {
  const RowBatch a = all_rows(first), b = all_rows(second);
  EXPECT_EQ(a.table_rows, b.table_rows);
  expect_same_numbers(a.labels, b.labels);
  EXPECT_EQ(a.weights, b.weights);
  ASSERT_EQ(a.sources.size(), b.sources.size());
  for (std::size_t s = 0; s < a.sources.size(); ++s) {
    EXPECT_EQ(a.sources[s].rows, b.sources[s].rows);
    EXPECT_EQ(a.sources[s].positions, b.sources[s].positions);
    ASSERT_EQ(a.sources[s].features.size(), b.sources[s].features.size());
    for (std::size_t f = 0; f < a.sources[s].features.size(); ++f) {
      const FeatureBatch &x = a.sources[s].features[f], &y = b.sources[s].features[f];
      EXPECT_EQ(x.indices, y.indices) << f;
      EXPECT_EQ(x.offsets, y.offsets) << f;
      expect_same_numbers(x.numbers, y.numbers);
    }
  }
  ASSERT_EQ(first.tasks.size(), second.tasks.size());
  for (std::size_t t = 0; t < first.tasks.size(); ++t) {
    EXPECT_EQ(first.tasks[t].begin, second.tasks[t].begin);
    EXPECT_EQ(first.tasks[t].train_end, second.tasks[t].train_end);
    EXPECT_EQ(first.tasks[t].validation_end, second.tasks[t].validation_end);
    EXPECT_EQ(first.tasks[t].end, second.tasks[t].end);
    EXPECT_EQ(first.task_keys.text(static_cast<std::int32_t>(t + 1)),
              second.task_keys.text(static_cast<std::int32_t>(t + 1)));
  }
  EXPECT_EQ(to_json(first.layout.label_thresholds), to_json(second.layout.label_thresholds));
  EXPECT_EQ(first.layout.labels, second.layout.labels);
  EXPECT_EQ(first.split, second.split);
  EXPECT_EQ(first.split_by_member, second.split_by_member);
  EXPECT_EQ(first.bad_rows, second.bad_rows);
  EXPECT_EQ(first.first_time, second.first_time);
  EXPECT_EQ(first.last_time, second.last_time);
  EXPECT_EQ(first.ordered_by_time(), second.ordered_by_time());
  for (std::size_t f = 0; f < first.encoders.size(); ++f) {
    EXPECT_EQ(first.encoders[f].to_json(), second.encoders[f].to_json());
    EXPECT_EQ(first.encoders[f].table_rows(), second.encoders[f].table_rows());
  }
}

}  // namespace limber
