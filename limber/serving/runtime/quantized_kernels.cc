#include "limber/serving/runtime/quantized_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "limber/serving/runtime/quantized_kernels.cc"
#include <hwy/foreach_target.h>
// Highway's loop over targets must come first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace limber {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Ints = hn::ScalableTag<std::int32_t>;
using Floats = hn::ScalableTag<float>;
using IntVector = hn::Vec<Ints>;
using Vector = hn::Vec<Floats>;

#if HWY_TARGET == HWY_AVX3_DL
#define LIMBER_VNNI 1
#else
#define LIMBER_VNNI 0
#endif

/// sum + (products of four neighbouring bytes each, of `a0` with `b0` and of `a1` with `b1`).
HWY_INLINE IntVector add_products(IntVector sum, IntVector a0, IntVector b0, IntVector a1,
                                  IntVector b1) {
#if LIMBER_VNNI
  sum.raw = _mm512_dpbusd_epi32(sum.raw, a0.raw, b0.raw);
  sum.raw = _mm512_dpbusd_epi32(sum.raw, a1.raw, b1.raw);
  return sum;
#elif HWY_TARGET == HWY_AVX3
  const __m512i pairs =
      _mm512_add_epi16(_mm512_maddubs_epi16(a0.raw, b0.raw), _mm512_maddubs_epi16(a1.raw, b1.raw));
  sum.raw = _mm512_add_epi32(sum.raw, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  return sum;
#elif HWY_TARGET == HWY_AVX2
  const __m256i pairs =
      _mm256_add_epi16(_mm256_maddubs_epi16(a0.raw, b0.raw), _mm256_maddubs_epi16(a1.raw, b1.raw));
  sum.raw = _mm256_add_epi32(sum.raw, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  return sum;
#else
  // Bytes apart, by shifts: slow, and right everywhere.
  const Ints d;
  const auto one = [&](IntVector a, IntVector b) {
    for (int byte = 0; byte < 4; ++byte) {
      const IntVector left = hn::And(a, hn::Set(d, 0xFF));
      const IntVector right = hn::ShiftRight<24>(hn::ShiftLeft<24>(b));
      sum = hn::Add(sum, hn::Mul(left, right));
      a = hn::ShiftRight<8>(a);
      b = hn::ShiftRight<8>(b);
    }
  };
  one(a0, b0);
  one(a1, b1);
  return sum;
#endif
}

HWY_INLINE IntVector four_bytes(const std::uint8_t* from) {
  std::int32_t word;
  std::memcpy(&word, from, sizeof word);
  return hn::Set(Ints(), word);
}

constexpr std::size_t kTileRows =
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
    10;
#else
    4;
#endif

template <std::size_t R>
HWY_INLINE void tile(const QuantizedProduct& p, std::int64_t row, std::int64_t column) {
  const Ints d;
  const Floats f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  IntVector sum[R][2];
  for (std::size_t r = 0; r < R; ++r) sum[r][0] = sum[r][1] = hn::Zero(d);
  const std::uint8_t* a = p.a + row * p.a_row;
  const auto* b = reinterpret_cast<const std::int32_t*>(p.b) + column * p.inner / 4;
  for (std::int64_t k = 0; k < p.inner; k += 8) {
    // One vector of columns after the other: both at once would not leave room for the sums.
    for (std::int64_t v = 0; v < 2; ++v) {
      const IntVector first = hn::LoadU(d, b + v * lanes);
      const IntVector second = hn::LoadU(d, b + (2 + v) * lanes);
      for (std::size_t r = 0; r < R; ++r) {
        const std::uint8_t* from = a + static_cast<std::int64_t>(r) * p.a_row + k;
        sum[r][v] = add_products(sum[r][v], four_bytes(from), first, four_bytes(from + 4), second);
      }
    }
    b += 4 * lanes;
  }
  const IntVector zero = hn::Set(d, p.zero);
  for (std::size_t v = 0; v < 2; ++v) {
    const std::int64_t j = column + static_cast<std::int64_t>(v) * lanes;
    const IntVector shift = hn::Mul(zero, hn::LoadU(d, p.column_sums + j));
    const Vector column_scale = hn::LoadU(f, p.column_scale + j);
    for (std::size_t r = 0; r < R; ++r) {
      const std::int64_t i = row + static_cast<std::int64_t>(r);
      const Vector scale = hn::Mul(column_scale, hn::Set(f, p.row_scale[i]));
      Vector value = hn::Mul(hn::ConvertTo(f, hn::Sub(sum[r][v], shift)), scale);
      if (p.start != nullptr) {
        value = hn::Add(value, hn::LoadU(f, p.start + i * p.start_row + j));
      }
      if (p.relu) value = hn::Max(value, hn::Zero(f));
      hn::StoreU(value, f, p.c + i * p.c_row + j);
    }
  }
}

template <std::size_t R>
HWY_INLINE void tile_of(std::size_t rows, const QuantizedProduct& p, std::int64_t row,
                        std::int64_t column) {
  if constexpr (R > 1) {
    if (rows < R) return tile_of<R - 1>(rows, p, row, column);
  }
  tile<R>(p, row, column);
}

void MultiplyQuantized(const QuantizedProduct& p) {
  const auto panel = static_cast<std::int64_t>(2 * hn::Lanes(Ints()));
  const auto most = static_cast<std::int64_t>(kTileRows);
  const std::int64_t tiles = (p.rows + most - 1) / most;
  for (std::int64_t column = 0; column < p.columns; column += panel) {
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t row = p.rows * t / tiles, end = p.rows * (t + 1) / tiles;
      tile_of<kTileRows>(static_cast<std::size_t>(end - row), p, row, column);
    }
  }
}

void QuantizeRows(const float* x, std::int64_t x_row, std::int64_t rows, std::int64_t columns,
                  int zero, std::uint8_t* q, std::int64_t q_row, float* scales) {
  const Floats d;
  const hn::Rebind<std::uint8_t, Floats> bytes;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto levels = static_cast<float>(kMostActivation - zero);
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* HWY_RESTRICT from = x + i * x_row;
    std::uint8_t* HWY_RESTRICT to = q + i * q_row;
    Vector largest = hn::Zero(d);
    std::int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) {
      largest = hn::Max(largest, hn::Abs(hn::LoadU(d, from + j)));
    }
    float most = hn::GetLane(hn::MaxOfLanes(d, largest));
    for (; j < columns; ++j) most = std::max(most, std::abs(from[j]));
    const float scale = most / levels, inverse = most > 0 ? levels / most : 0.0F;
    scales[i] = scale;
    // Half up is enough: nothing here is negative once zero is added.
    const float shift = static_cast<float>(zero) + 0.5F;
    const Vector factor = hn::Set(d, inverse), offset = hn::Set(d, shift);
    for (j = 0; j + lanes <= columns; j += lanes) {
      const Vector value = hn::MulAdd(hn::LoadU(d, from + j), factor, offset);
      hn::StoreU(hn::DemoteTo(bytes, hn::ConvertTo(Ints(), value)), bytes, to + j);
    }
    for (; j < columns; ++j) {
      const float value = hn::GetLane(hn::MulAdd(hn::Set(d, from[j]), factor, offset));
      to[j] = static_cast<std::uint8_t>(static_cast<std::int32_t>(value));
    }
    for (; j < padded_inner(columns); ++j) {
      to[j] = static_cast<std::uint8_t>(zero);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace limber
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limber {

HWY_EXPORT(MultiplyQuantized);
HWY_EXPORT(QuantizeRows);

void multiply(const QuantizedProduct& product) {
  if (product.rows > 0 && product.columns > 0) HWY_DYNAMIC_DISPATCH(MultiplyQuantized)(product);
}

void quantize_rows(const float* x, std::int64_t x_row, std::int64_t rows, std::int64_t columns,
                   int zero, std::uint8_t* q, std::int64_t q_row, float* scales) {
  HWY_DYNAMIC_DISPATCH(QuantizeRows)(x, x_row, rows, columns, zero, q, q_row, scales);
}

}  // namespace limber
#endif  // HWY_ONCE
