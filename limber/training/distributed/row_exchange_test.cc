#include "limber/training/distributed/row_exchange.h"

#include <gtest/gtest.h>

#include <map>

#include "limber/core/base/random.h"
#include "limber/training/distributed/ranks_for_test.h"

namespace limber {
namespace {

const std::vector<EmbeddingTableShape> shapes = {{"small", 5, 2}, {"large", 101, 3}, {"odd", 7, 4}};

TEST(TablePlacement, EveryRowHasOnePlace) {
  for (const std::int64_t ranks : {1, 2, 3, 5, 120}) {
    for (const TablePlacement& placement : place_tables(shapes, ranks, 6)) {
      std::vector<std::vector<bool>> taken;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        taken.emplace_back(static_cast<std::size_t>(placement.held(rank)), false);
      }
      for (std::int64_t row = 0; row < placement.rows; ++row) {
        const std::int64_t owner = placement.owner(row), place = placement.place(row);
        ASSERT_LT(place, placement.held(owner));
        EXPECT_EQ(placement.first(owner) + place * placement.stride(), row);
        auto taken_by = taken[static_cast<std::size_t>(owner)].begin() + place;
        EXPECT_FALSE(*taken_by);
        *taken_by = true;
      }
      for (const auto& rank : taken) {
        for (const bool place : rank) EXPECT_TRUE(place);
      }
    }
  }
}

/// Rows of a whole table that say who they are.
double value(std::size_t table, std::int64_t row, std::int64_t column) {
  return 1000.0 * static_cast<double>(table) + 10.0 * static_cast<double>(row) +
         static_cast<double>(column);
}

/// Random rows of each table, each once; none at all on rank 1, and of the last table on rank 0.
RowBatch batch_of(int rank, std::uint64_t seed) {
  Random random(seed + 17 * static_cast<std::uint64_t>(rank));
  RowBatch batch;
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    auto& rows = batch.table_rows.emplace_back();
    for (std::int64_t row = 0; row < shapes[t].rows; ++row) {
      if (rank != 1 && !(rank == 0 && t == 2) && random.uniform() < 0.4) rows.push_back(row);
    }
    random.shuffle(std::span(rows));
  }
  return batch;
}

template <class Body>
void for_values(const RowBatch& batch, Body body) {
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    for (std::size_t i = 0; i < batch.table_rows[t].size(); ++i) {
      for (std::int64_t c = 0; c < shapes[t].dim; ++c) {
        body(t, static_cast<std::int64_t>(i), batch.table_rows[t][i], c);
      }
    }
  }
}

void bring_and_return(int size, torch::Dtype type) {
  run_ranks(size, [size, type](const std::shared_ptr<ProcessGroup>& ranks) {
    const auto placements = place_tables(shapes, size, 6);
    std::vector<torch::Tensor> shards;
    for (std::size_t t = 0; t < shapes.size(); ++t) {
      const std::int64_t held = placements[t].held(ranks->rank());
      shards.push_back(torch::zeros({held, shapes[t].dim}, type));
      for (std::int64_t place = 0; place < held; ++place) {
        for (std::int64_t c = 0; c < shapes[t].dim; ++c) {
          const std::int64_t row =
              placements[t].first(ranks->rank()) + place * placements[t].stride();
          shards[t][place][c] = value(t, row, c);
        }
      }
    }
    RowExchange exchange(ranks, placements);
    for (std::uint64_t step = 0; step < 3; ++step) {
      const RowBatch batch = batch_of(ranks->rank(), step);
      const auto rows = exchange.pull(batch, shards);
      for_values(batch, [&](std::size_t t, std::int64_t i, std::int64_t row, std::int64_t c) {
        ASSERT_EQ(rows[t][i][c].item<double>(), value(t, row, c));
      });

      // Gradients that are twice the values, plus the rank; one table of rank 2 has none.
      std::vector<torch::Tensor> gradients;
      for (std::size_t t = 0; t < shapes.size(); ++t) {
        gradients.push_back(rows[t] * 2 + ranks->rank());
        if (ranks->rank() == 2 && t == 1) gradients[t] = torch::Tensor();
      }
      const auto updates = exchange.push(gradients);
      std::map<std::tuple<std::size_t, std::int64_t, std::int64_t>, double> expected;
      for (int rank = 0; rank < size; ++rank) {
        for_values(batch_of(rank, step), [&](std::size_t t, std::int64_t, std::int64_t row,
                                             std::int64_t c) {
          if (placements[t].owner(row) != ranks->rank()) return;
          const bool none = rank == 2 && t == 1;
          expected[{t, placements[t].place(row), c}] += none ? 0 : 2 * value(t, row, c) + rank;
        });
      }
      for (std::size_t t = 0; t < shapes.size(); ++t) {
        ASSERT_TRUE(std::ranges::is_sorted(updates[t].rows));
        for (std::size_t i = 0; i < updates[t].rows.size(); ++i) {
          for (std::int64_t c = 0; c < shapes[t].dim; ++c) {
            const auto found = expected.find({t, updates[t].rows[i], c});
            ASSERT_NE(found, expected.end());
            EXPECT_EQ(updates[t].gradient[static_cast<std::int64_t>(i)][c].item<double>(),
                      found->second);
            expected.erase(found);
          }
        }
      }
      EXPECT_TRUE(expected.empty());
    }
  });
}

TEST(RowExchange, BringsRowsAndReturnsGradients) {
  for (const int size : {2, 3, 4}) {
    bring_and_return(size, torch::kFloat);
    bring_and_return(size, torch::kDouble);
  }
}

}  // namespace
}  // namespace limber
