// How much faster a product with a weight of zero tiles is when they are left out: at every share
// of tiles that is left, for weights of two sizes and requests of three, the time of the dense
// kernel over that of the sparse one. Shows where SparseMatrix::kMostDensity belongs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/rate.h"
#include "limber/core/base/main.h"
#include "limber/core/base/random.h"
#include "limber/serving/runtime/packed_matrix.h"
#include "limber/serving/runtime/sparse_matrix.h"

namespace limber {
namespace {

constexpr std::int64_t kTileColumns = 16;

struct Case {
  std::int64_t rows, inner, columns;
};

AlignedFloats random_matrix(Random& random, std::int64_t rows, std::int64_t columns) {
  AlignedFloats values(rows * padded(columns));
  for (std::int64_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal());
  return values;
}

/// Zeroes all but about a share of the tiles.
void prune(Random& random, double share, std::int64_t tile_rows, std::int64_t rows,
           std::int64_t columns, AlignedFloats& values) {
  for (std::int64_t r = 0; r < rows; r += tile_rows) {
    for (std::int64_t c = 0; c < columns; c += kTileColumns) {
      if (random.uniform() < share) continue;
      for (std::int64_t i = r; i < std::min(r + tile_rows, rows); ++i) {
        std::fill_n(values.data() + i * padded(columns) + c, std::min(kTileColumns, columns - c),
                    0.0F);
      }
    }
  }
}

/// Processor seconds of one product, the best of some turns of about `seconds` each.
class Turns {
 public:
  void take(const Product& product, double seconds) {
    std::int64_t count = 0;
    const RateClock clock(true);
    double passed = 0;
    for (; passed < seconds; passed = clock.seconds()) {
      multiply(product);
      ++count;
    }
    best_ = std::min(best_, passed / static_cast<double>(count));
  }
  double best() const { return best_; }

 private:
  double best_ = std::numeric_limits<double>::infinity();
};

int run(int argc, char** argv) {
  CLI::App app("Products with weights of zero tiles");
  double seconds = 0.03;
  std::int64_t rounds = 5, tile_rows = 16;
  std::vector<int> percents = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
  app.add_option("--seconds", seconds, "Of a turn");
  app.add_option("--rounds", rounds, "Turns of each kernel; its best one counts");
  app.add_option("--tile-rows", tile_rows, "Rows of a tile of 16 columns");
  app.add_option("--percent", percents, "Shares of tiles that are left");
  CLI11_PARSE(app, argc, argv);
  Random random(1);
  nlohmann::ordered_json result = {{"instruction_set", instruction_set()},
                                   {"tile", {tile_rows, kTileColumns}}};
  for (const int percent : percents) {
    const std::string share = fmt::format("sparse_speed_up_{:g}", percent / 100.0);
    double least = std::numeric_limits<double>::infinity();
    for (const Case& one : {Case{1, 700, 700}, Case{64, 700, 700}, Case{512, 700, 700},
                            Case{1, 3500, 3500}, Case{64, 3500, 3500}, Case{512, 3500, 3500}}) {
      const auto& [rows, inner, columns] = one;
      AlignedFloats weight = random_matrix(random, inner, columns);
      prune(random, percent / 100.0, tile_rows, inner, columns, weight);
      const AlignedFloats a = random_matrix(random, rows, inner);
      AlignedFloats c(rows * padded(columns));
      const PackedMatrix dense(weight.data(), inner, columns, padded(columns));
      const SparseMatrix sparse(weight.data(), inner, columns, padded(columns));
      Product by_dense = dense.product(a.data(), padded(inner), rows);
      Product by_sparse = sparse.product(a.data(), padded(inner), rows);
      by_dense.c = by_sparse.c = c.data();
      by_dense.c_row = by_sparse.c_row = padded(columns);
      Turns dense_turns, sparse_turns;
      for (std::int64_t r = 0; r < rounds; ++r) {
        dense_turns.take(by_dense, seconds);
        sparse_turns.take(by_sparse, seconds);
      }
      const double speed_up = dense_turns.best() / sparse_turns.best();
      result[fmt::format("{}_{}x{}_{}", share, inner, columns, rows)] = speed_up;
      least = std::min(least, speed_up);
    }
    result[share] = least;
  }
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  return limber::run_main(argc, argv, limber::run);
}
