#include "limber/serving/runtime/product.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "limber/serving/runtime/product.cc"
#include <hwy/foreach_target.h>
// Highway's loop over targets must come first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace limber {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

/// Rows of a tile: as many as the registers hold beside two vectors of B and one value of A.
constexpr std::size_t kTileRows =
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
    12;
#else
    6;
#endif
/// The slice of a panel that stays in the first-level cache while rows pass by.
constexpr std::int64_t kInnerBlock = 320;
/// Rows of a B with gaps that are kept or left out together, and multiplied without a question in
/// between.
constexpr std::size_t kRun = kKeptRun;
/// Inner dimensions up to here are shallow.
constexpr std::int64_t kShallow = 64;

/// Stores a tile's sums: start is added, finish applied. `F` and the presence of a start are known
/// when this is compiled, so that nothing is asked per vector.
template <std::size_t R, std::size_t V, Finish F, bool Start>
HWY_INLINE void store(const Vector (&sum)[R][V], const Product& p, std::int64_t row,
                      std::int64_t column, const float* start, std::int64_t start_row) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Vector scale = hn::Set(d, p.scale);
  for (std::size_t r = 0; r < R; ++r) {
    const std::int64_t i = row + static_cast<std::int64_t>(r);
    for (std::size_t v = 0; v < V; ++v) {
      const std::int64_t j = column + static_cast<std::int64_t>(v) * lanes;
      Vector value = hn::Mul(scale, sum[r][v]);
      if constexpr (Start) value = hn::Add(value, hn::LoadU(d, start + i * start_row + j));
      if constexpr (F == Finish::kRelu) value = hn::Max(value, hn::Zero(d));
      if constexpr (F == Finish::kCross) {
        const Vector left = hn::LoadU(d, p.left + i * p.left_row + j);
        value = hn::MulAdd(left, value, hn::LoadU(d, p.right + i * p.right_row + j));
      }
      if constexpr (F == Finish::kMask) {
        const Vector left = hn::LoadU(d, p.left + i * p.left_row + j);
        value = hn::IfThenElseZero(hn::Gt(left, hn::Zero(d)), value);
      }
      hn::StoreU(value, d, p.c + i * p.c_row + j);
    }
  }
}

template <std::size_t R, std::size_t V, Finish F>
HWY_INLINE void store_after(const Vector (&sum)[R][V], const Product& p, std::int64_t row,
                            std::int64_t column, const float* start, std::int64_t start_row) {
  if (start == nullptr) {
    store<R, V, F, false>(sum, p, row, column, start, start_row);
  } else {
    store<R, V, F, true>(sum, p, row, column, start, start_row);
  }
}

/// What is done once a tile's sums over one slice of the inner dimension are known.
template <std::size_t R, std::size_t V>
HWY_INLINE void finish(const Vector (&sum)[R][V], const Product& p, std::int64_t row,
                       std::int64_t column, bool first, bool last) {
  const float* start = first ? p.start : p.c;
  const std::int64_t start_row = first ? p.start_row : p.c_row;
  switch (last ? p.finish : Finish::kNone) {
    case Finish::kNone:
      return store_after<R, V, Finish::kNone>(sum, p, row, column, start, start_row);
    case Finish::kRelu:
      return store_after<R, V, Finish::kRelu>(sum, p, row, column, start, start_row);
    case Finish::kCross:
      return store_after<R, V, Finish::kCross>(sum, p, row, column, start, start_row);
    case Finish::kMask:
      return store_after<R, V, Finish::kMask>(sum, p, row, column, start, start_row);
  }
}

/// One tile: `R` rows, `P` panels, one block of the inner dimension. `first`: this is the first
/// block, so start is added; `last`: the last one, so finish is applied.
template <std::size_t R, std::size_t P>
HWY_INLINE void tile(const Product& p, std::int64_t row, std::int64_t column, std::int64_t k0,
                     std::int64_t k1, bool first, bool last) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  constexpr std::size_t V = 2 * P;
  Vector sum[R][V];
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t v = 0; v < V; ++v) sum[r][v] = hn::Zero(d);
  }
  const float* a = p.a + row * p.a_row + k0 * p.a_inner;
  const float* b = p.b + column / (2 * lanes) * p.b_panel + k0 * p.b_row;
  for (std::int64_t k = k0; k < k1; ++k) {
    Vector factors[V];
    for (std::size_t v = 0; v < V; ++v) {
      const auto at = static_cast<std::int64_t>(v);
      factors[v] = hn::LoadU(d, b + at / 2 * p.b_panel + at % 2 * lanes);
    }
    for (std::size_t r = 0; r < R; ++r) {
      const Vector value = hn::Set(d, a[static_cast<std::int64_t>(r) * p.a_row]);
      for (std::size_t v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(value, factors[v], sum[r][v]);
    }
    a += p.a_inner;
    b += p.b_row;
  }
  finish<R, V>(sum, p, row, column, first, last);
}

template <std::size_t R>
HWY_INLINE void tile_of(std::size_t rows, const Product& p, std::int64_t row, std::int64_t column,
                        std::int64_t k0, std::int64_t k1, bool first, bool last) {
  if constexpr (R > 1) {
    if (rows < R) return tile_of<R - 1>(rows, p, row, column, k0, k1, first, last);
  }
  tile<R, 1>(p, row, column, k0, k1, first, last);
}

void Multiply(const Product& p) {
  const Floats d;
  const auto panel = static_cast<std::int64_t>(2 * hn::Lanes(d));
  const std::int64_t blocks = std::max<std::int64_t>(1, (p.inner + kInnerBlock - 1) / kInnerBlock);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t k0 = p.inner * block / blocks, k1 = p.inner * (block + 1) / blocks;
    const bool first = block == 0, last = block + 1 == blocks;
    std::int64_t column = 0;
    // Few rows leave too few sums in flight: several panels side by side make up for it.
    if (p.rows == 1) {
      for (; column + 6 * panel <= p.columns; column += 6 * panel) {
        tile<1, 6>(p, 0, column, k0, k1, first, last);
      }
    } else if (p.rows <= 3) {
      for (; column + 2 * panel <= p.columns; column += 2 * panel) {
        if (p.rows == 2) tile<2, 2>(p, 0, column, k0, k1, first, last);
        if (p.rows == 3) tile<3, 2>(p, 0, column, k0, k1, first, last);
      }
    }
    // Tiles of nearly equal heights: a low last one would leave most of its time unused.
    const auto most = static_cast<std::int64_t>(kTileRows);
    const std::int64_t tiles = (p.rows + most - 1) / most;
    const auto run = [&](std::int64_t t, std::int64_t at) {
      const std::int64_t row = p.rows * t / tiles, end = p.rows * (t + 1) / tiles;
      tile_of<kTileRows>(static_cast<std::size_t>(end - row), p, row, at, k0, k1, first, last);
    };
    if (k1 - k0 <= kShallow) {
      // What is stored outweighs what is multiplied: row by row, as memory likes it.
      for (std::int64_t t = 0; t < tiles; ++t) {
        for (std::int64_t at = column; at < p.columns; at += panel) run(t, at);
      }
    } else {
      // A panel stays in the first-level cache while the rows pass by.
      for (std::int64_t at = column; at < p.columns; at += panel) {
        for (std::int64_t t = 0; t < tiles; ++t) run(t, at);
      }
    }
  }
}

/// One tile of a product that leaves rows of B out: `R` rows, one panel, one slice. `K` rows of B
/// have sums of their own, where few rows of A leave too few in flight.
template <std::size_t R, std::size_t K>
HWY_INLINE void kept_tile(const Product& p, const KeptRows::Run* run, const KeptRows::Run* end,
                          const float* b, std::int64_t row, std::int64_t column, bool first,
                          bool last) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  Vector sum[R][2 * K];
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t v = 0; v < 2 * K; ++v) sum[r][v] = hn::Zero(d);
  }
  const auto add = [&](const float* a, std::size_t k) HWY_ATTR {
    const Vector low = hn::LoadU(d, b), high = hn::LoadU(d, b + lanes);
    for (std::size_t r = 0; r < R; ++r) {
      const Vector value = hn::Set(d, a[static_cast<std::int64_t>(r) * p.a_row]);
      sum[r][2 * k] = hn::MulAdd(value, low, sum[r][2 * k]);
      sum[r][2 * k + 1] = hn::MulAdd(value, high, sum[r][2 * k + 1]);
    }
    b += 2 * lanes;
  };
  for (; run != end; ++run) {
    const float* a = p.a + row * p.a_row + run->first * p.a_inner;
    std::int64_t left = run->count;
    for (; left >= kKeptRun; left -= kKeptRun) {
      for (std::size_t k = 0; k < kRun; ++k, a += p.a_inner) add(a, k % K);
    }
    for (; left > 0; --left, a += p.a_inner) add(a, 0);
  }
  Vector total[R][2];
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t v = 0; v < 2; ++v) {
      total[r][v] = sum[r][v];
      for (std::size_t k = 1; k < K; ++k) total[r][v] = hn::Add(total[r][v], sum[r][2 * k + v]);
    }
  }
  finish<R, 2>(total, p, row, column, first, last);
}

template <std::size_t R>
HWY_INLINE void kept_tile_of(std::size_t rows, const Product& p, const KeptRows::Run* run,
                             const KeptRows::Run* end, const float* b, std::int64_t row,
                             std::int64_t column, bool first, bool last) {
  if constexpr (R > 1) {
    if (rows < R) return kept_tile_of<R - 1>(rows, p, run, end, b, row, column, first, last);
  }
  constexpr std::size_t k = R == 1 ? 4 : R <= 3 ? 2 : 1;
  kept_tile<R, k>(p, run, end, b, row, column, first, last);
}

void MultiplyKept(const Product& p) {
  const auto panel = static_cast<std::int64_t>(2 * hn::Lanes(Floats()));
  const KeptRows& kept = *p.kept;
  const auto most = static_cast<std::int64_t>(kTileRows);
  const std::int64_t tiles = (p.rows + most - 1) / most;
  for (std::int64_t s = 0; s < kept.slices; ++s) {
    for (std::int64_t at = 0; at < kept.panels; ++at) {
      const std::int64_t part = s * kept.panels + at;
      const KeptRows::Run* run = kept.runs + kept.first_run[part];
      const KeptRows::Run* end = kept.runs + kept.first_run[part + 1];
      const bool first = s == 0, last = s + 1 == kept.slices;
      if (run == end && !first && !last) continue;
      const float* b = p.b + kept.first_row[part] * panel;
      for (std::int64_t t = 0; t < tiles; ++t) {
        const std::int64_t row = p.rows * t / tiles, after = p.rows * (t + 1) / tiles;
        kept_tile_of<kTileRows>(static_cast<std::size_t>(after - row), p, run, end, b, row,
                                at * panel, first, last);
      }
    }
  }
}

std::int64_t PanelWidth() {
  return static_cast<std::int64_t>(2 * hn::Lanes(Floats()));
}

}  // namespace HWY_NAMESPACE
}  // namespace limber
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limber {

HWY_EXPORT(Multiply);
HWY_EXPORT(MultiplyKept);
HWY_EXPORT(PanelWidth);

void multiply(const Product& product) {
  if (product.rows == 0 || product.columns == 0) return;
  if (product.kept == nullptr) {
    HWY_DYNAMIC_DISPATCH(Multiply)(product);
  } else {
    HWY_DYNAMIC_DISPATCH(MultiplyKept)(product);
  }
}

std::int64_t panel_width() {
  static const std::int64_t width = HWY_DYNAMIC_DISPATCH(PanelWidth)();
  return width;
}

std::string instruction_set() {
  // The lowest bit that is set is the best target.
  const std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(targets & -targets);
}

}  // namespace limber
#endif  // HWY_ONCE
