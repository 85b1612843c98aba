#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "limber/serving/runtime/row_kernels.cc"
#include <hwy/foreach_target.h>
// Highway's loop over targets must come first.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace limber {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

void AddRelu(const float* from, std::int64_t from_row, const float* shift, float* to,
             std::int64_t to_row, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* HWY_RESTRICT source = from + i * from_row;
    float* HWY_RESTRICT target = to + i * to_row;
    for (std::int64_t j = 0; j < columns; ++j) target[j] = std::max(source[j] + shift[j], 0.0F);
  }
}

void AddRows(const float* from, const float* shift, float* to, std::int64_t row, std::int64_t rows,
             std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* HWY_RESTRICT source = from + i * row;
    float* HWY_RESTRICT target = to + i * row;
    for (std::int64_t j = 0; j < columns; ++j) target[j] = source[j] + shift[j];
  }
}

void MultiplyAdd(const float* left, const float* right, const float* more, float* to,
                 std::int64_t row, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* a = left + i * row;
    const float* b = right + i * row;
    const float* c = more + i * row;
    float* HWY_RESTRICT target = to + i * row;
    for (std::int64_t j = 0; j < columns; ++j) target[j] = a[j] * b[j] + c[j];
  }
}

void MultiplyElements(const float* left, const float* right, float* to, std::int64_t row,
                      std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* a = left + i * row;
    const float* b = right + i * row;
    float* c = to + i * row;
    for (std::int64_t j = 0; j < columns; ++j) c[j] = a[j] * b[j];
  }
}

void SumRows(const float* matrix, std::int64_t row, const float* weights, std::int64_t rows,
             std::int64_t columns, float* HWY_RESTRICT sums) {
  std::fill_n(sums, columns, 0.0F);
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* HWY_RESTRICT source = matrix + i * row;
    const float weight = weights == nullptr ? 1.0F : weights[i];
    for (std::int64_t j = 0; j < columns; ++j) sums[j] += weight * source[j];
  }
}

void FewOutputs(const float* h, std::int64_t h_row, const float* weights, std::int64_t weights_row,
                const float* bias, const float* start, float* logits, std::int64_t rows,
                std::int64_t inputs, std::int64_t outputs) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t whole = inputs / (2 * lanes) * (2 * lanes);
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* source = h + i * h_row;
    for (std::int64_t l = 0; l < outputs; ++l) {
      const float* factors = weights + l * weights_row;
      Vector even = hn::Zero(d), odd = hn::Zero(d);
      std::int64_t j = 0;
      for (; j < whole; j += 2 * lanes) {
        even = hn::MulAdd(hn::LoadU(d, source + j), hn::LoadU(d, factors + j), even);
        odd = hn::MulAdd(hn::LoadU(d, source + j + lanes), hn::LoadU(d, factors + j + lanes), odd);
      }
      float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
      for (; j < inputs; ++j) sum += source[j] * factors[j];
      logits[i * outputs + l] = sum + bias[l] + (start == nullptr ? 0.0F : start[i * outputs + l]);
    }
  }
}

void FewOutputsAdjoint(const float* seed, const float* weights, std::int64_t weights_row,
                       const float* mask, std::int64_t mask_row, float* to, std::int64_t to_row,
                       std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
  for (std::int64_t i = 0; i < rows; ++i) {
    float* HWY_RESTRICT target = to + i * to_row;
    const float first = seed[i * outputs];
    for (std::int64_t j = 0; j < inputs; ++j) target[j] = first * weights[j];
    for (std::int64_t l = 1; l < outputs; ++l) {
      const float factor = seed[i * outputs + l];
      const float* HWY_RESTRICT row = weights + l * weights_row;
      for (std::int64_t j = 0; j < inputs; ++j) target[j] += factor * row[j];
    }
    if (mask == nullptr) continue;
    const float* HWY_RESTRICT open = mask + i * mask_row;
    for (std::int64_t j = 0; j < inputs; ++j) target[j] = open[j] > 0 ? target[j] : 0.0F;
  }
}

void MaskedOuter(const float* weights, const float* vector, const float* mask,
                 std::int64_t mask_row, float* to, std::int64_t to_row, std::int64_t rows,
                 std::int64_t columns) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < rows; ++i) {
    const Vector weight = hn::Set(d, weights == nullptr ? 1.0F : weights[i]);
    // Rows are padded: the last vector may pass the last column.
    for (std::int64_t j = 0; j < columns; j += lanes) {
      Vector value = hn::Mul(weight, hn::LoadU(d, vector + j));
      if (mask != nullptr) {
        const Vector open = hn::LoadU(d, mask + i * mask_row + j);
        value = hn::IfThenElseZero(hn::Gt(open, hn::Zero(d)), value);
      }
      hn::StoreU(value, d, to + i * to_row + j);
    }
  }
}

void Transpose(const float* from, std::int64_t from_row, float* to, std::int64_t to_row,
               std::int64_t rows, std::int64_t columns) {
  // Squares that fit a few cache lines on both sides.
  constexpr std::int64_t side = 16;
  for (std::int64_t i0 = 0; i0 < rows; i0 += side) {
    for (std::int64_t j0 = 0; j0 < columns; j0 += side) {
      const std::int64_t i1 = std::min(i0 + side, rows), j1 = std::min(j0 + side, columns);
      for (std::int64_t j = j0; j < j1; ++j) {
        for (std::int64_t i = i0; i < i1; ++i) to[j * to_row + i] = from[i * from_row + j];
      }
    }
  }
}

void TanhRows(float* matrix, std::int64_t row, std::int64_t rows, std::int64_t columns) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < rows; ++i) {
    // Rows are padded: the last vector may pass the last column.
    for (std::int64_t j = 0; j < columns; j += lanes) {
      float* place = matrix + i * row + j;
      hn::StoreU(hn::Tanh(d, hn::LoadU(d, place)), d, place);
    }
  }
}

void ReluRows(const float* from, float* to, std::int64_t row, std::int64_t rows,
              std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* HWY_RESTRICT source = from + i * row;
    float* HWY_RESTRICT target = to + i * row;
    for (std::int64_t j = 0; j < columns; ++j) target[j] = std::max(source[j], 0.0F);
  }
}

void TanhAdjoint(const float* h, float* to, std::int64_t row, std::int64_t rows,
                 std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* HWY_RESTRICT source = h + i * row;
    float* HWY_RESTRICT target = to + i * row;
    for (std::int64_t j = 0; j < columns; ++j) target[j] *= 1 - source[j] * source[j];
  }
}

void AddScaled(const float* HWY_RESTRICT from, float scale, float* HWY_RESTRICT to,
               std::int64_t count) {
  for (std::int64_t j = 0; j < count; ++j) to[j] += scale * from[j];
}

void ExpandInt8(const std::int8_t* HWY_RESTRICT from, float scale, float middle,
                float* HWY_RESTRICT to, std::int64_t count) {
  for (std::int64_t j = 0; j < count; ++j) to[j] = middle + scale * static_cast<float>(from[j]);
}

void ExpandHalves(const Half* from, float* HWY_RESTRICT to, std::int64_t count) {
  static_assert(sizeof(Half) == sizeof(hwy::float16_t));
  const auto* HWY_RESTRICT halves = reinterpret_cast<const hwy::float16_t*>(from);
  const Floats d;
  const hn::Rebind<hwy::float16_t, Floats> d16;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(d16, halves + j)), d, to + j);
  }
  if (j == count) return;
  // A row may end where its file ends.
  HWY_ALIGN std::uint16_t last[HWY_LANES(float)] = {};
  HWY_ALIGN float expanded[HWY_LANES(float)];
  for (std::int64_t i = j; i < count; ++i) last[i - j] = from[i].bits;
  hn::Store(hn::PromoteTo(d, hn::Load(d16, reinterpret_cast<const hwy::float16_t*>(last))), d,
            expanded);
  for (std::int64_t i = j; i < count; ++i) to[i] = expanded[i - j];
}

}  // namespace HWY_NAMESPACE
}  // namespace limber
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limber {

HWY_EXPORT(AddRelu);
HWY_EXPORT(AddRows);
HWY_EXPORT(MultiplyAdd);
HWY_EXPORT(MultiplyElements);
HWY_EXPORT(SumRows);
HWY_EXPORT(FewOutputs);
HWY_EXPORT(FewOutputsAdjoint);
HWY_EXPORT(MaskedOuter);
HWY_EXPORT(Transpose);
HWY_EXPORT(TanhRows);
HWY_EXPORT(ReluRows);
HWY_EXPORT(TanhAdjoint);
HWY_EXPORT(AddScaled);
HWY_EXPORT(ExpandInt8);
HWY_EXPORT(ExpandHalves);

void add_relu(const float* from, std::int64_t from_row, const float* shift, float* to,
              std::int64_t to_row, std::int64_t rows, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(AddRelu)(from, from_row, shift, to, to_row, rows, columns);
}
void add_rows(const float* from, const float* shift, float* to, std::int64_t row, std::int64_t rows,
              std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(AddRows)(from, shift, to, row, rows, columns);
}
void multiply_add(const float* left, const float* right, const float* more, float* to,
                  std::int64_t row, std::int64_t rows, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(MultiplyAdd)(left, right, more, to, row, rows, columns);
}
void multiply_elements(const float* left, const float* right, float* to, std::int64_t row,
                       std::int64_t rows, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(MultiplyElements)(left, right, to, row, rows, columns);
}
void sum_rows(const float* matrix, std::int64_t row, const float* weights, std::int64_t rows,
              std::int64_t columns, float* sums) {
  HWY_DYNAMIC_DISPATCH(SumRows)(matrix, row, weights, rows, columns, sums);
}
void few_outputs(const float* h, std::int64_t h_row, const float* weights, std::int64_t weights_row,
                 const float* bias, const float* start, float* logits, std::int64_t rows,
                 std::int64_t inputs, std::int64_t outputs) {
  HWY_DYNAMIC_DISPATCH(FewOutputs)
  (h, h_row, weights, weights_row, bias, start, logits, rows, inputs, outputs);
}
void few_outputs_adjoint(const float* seed, const float* weights, std::int64_t weights_row,
                         const float* mask, std::int64_t mask_row, float* to, std::int64_t to_row,
                         std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
  HWY_DYNAMIC_DISPATCH(FewOutputsAdjoint)
  (seed, weights, weights_row, mask, mask_row, to, to_row, rows, inputs, outputs);
}
void masked_outer(const float* weights, const float* vector, const float* mask,
                  std::int64_t mask_row, float* to, std::int64_t to_row, std::int64_t rows,
                  std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(MaskedOuter)
  (weights, vector, mask, mask_row, to, to_row, rows, columns);
}
void transpose(const float* from, std::int64_t from_row, float* to, std::int64_t to_row,
               std::int64_t rows, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(Transpose)(from, from_row, to, to_row, rows, columns);
}
void tanh_rows(float* matrix, std::int64_t row, std::int64_t rows, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(TanhRows)(matrix, row, rows, columns);
}
void relu_rows(const float* from, float* to, std::int64_t row, std::int64_t rows,
               std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(ReluRows)(from, to, row, rows, columns);
}
void tanh_adjoint(const float* h, float* to, std::int64_t row, std::int64_t rows,
                  std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(TanhAdjoint)(h, to, row, rows, columns);
}
void add_scaled(const float* from, float scale, float* to, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(AddScaled)(from, scale, to, count);
}
void expand_int8(const std::int8_t* from, float scale, float middle, float* to,
                 std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(ExpandInt8)(from, scale, middle, to, count);
}
void expand_halves(const Half* from, float* to, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(ExpandHalves)(from, to, count);
}

}  // namespace limber
#endif  // HWY_ONCE
