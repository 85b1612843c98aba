#include "limber/serving/runtime/gate.h"

#include <algorithm>

#include "limber/serving/runtime/row_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "limber/serving/runtime/gate.cc"
#include <hwy/foreach_target.h>
// Highway's loop over targets must come first.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace limber {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

/// 1 / (1 + exp(-score))
template <class Vector>
HWY_INLINE Vector Sigmoid(Floats d, Vector score) {
  const auto one = hn::Set(d, 1.0F);
  // Beyond that it is 0 or 1 to the last bit, and exp would overflow.
  const auto bounded = hn::Min(hn::Max(score, hn::Set(d, -80.0F)), hn::Set(d, 80.0F));
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(bounded))));
}

// Rows are padded: the last vector may pass the last column.
void Open(const float* h, const float* scores, float* to, std::int64_t count) {
  const Floats d;
  for (std::int64_t j = 0; j < count; j += static_cast<std::int64_t>(hn::Lanes(d))) {
    hn::StoreU(hn::Mul(hn::LoadU(d, h + j), Sigmoid(d, hn::LoadU(d, scores + j))), d, to + j);
  }
}

/// scores <- gradient o h o s (1 - s), to <- gradient o s.
void Close(const float* h, float* scores, const float* gradient, float* to, std::int64_t count) {
  const Floats d;
  const auto one = hn::Set(d, 1.0F);
  for (std::int64_t j = 0; j < count; j += static_cast<std::int64_t>(hn::Lanes(d))) {
    const auto share = Sigmoid(d, hn::LoadU(d, scores + j));
    const auto passed = hn::Mul(hn::LoadU(d, gradient + j), share);
    hn::StoreU(hn::Mul(hn::Mul(passed, hn::LoadU(d, h + j)), hn::Sub(one, share)), d, scores + j);
    hn::StoreU(passed, d, to + j);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace limber
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limber {

HWY_EXPORT(Open);
HWY_EXPORT(Close);

FrozenGate FrozenGate::load(const DenseTensors& tensors, const std::string& name,
                            const std::string& kind, std::int64_t rank, std::int64_t width) {
  FrozenGate gate;
  gate.width_ = width;
  gate.bias_ = reordered(tensors.take(name + ".bias", {width}), 1, width);
  if (kind == "diagonal") {
    gate.diagonal_ = reordered(tensors.take(name + ".weight", {width}), 1, width);
    return gate;
  }
  const bool low = kind == "low_rank";
  const std::int64_t inner = low ? std::min(rank, width) : width;
  const AlignedFloats first =
      reordered(tensors.take(name + (low ? ".down" : ".weight"), {width, inner}), width, inner);
  gate.first_ = PackedMatrix(first.data(), width, inner, padded(inner));
  gate.first_back_ = PackedMatrix::transposed(first.data(), width, inner, padded(inner));
  if (low) {
    const AlignedFloats second =
        reordered(tensors.take(name + ".up", {inner, width}), inner, width);
    gate.second_ = PackedMatrix(second.data(), inner, width, padded(width));
    gate.second_back_ = PackedMatrix::transposed(second.data(), inner, width, padded(width));
  }
  return gate;
}

void FrozenGate::scores(const float* h, std::int64_t rows, float* scratch, float* to) const {
  const std::int64_t row = padded(width_);
  if (diagonal_.size() > 0) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < width_; ++j) {
        to[i * row + j] = h[i * row + j] * diagonal_[j] + bias_[j];
      }
    }
    return;
  }
  const bool low = second_.inner() > 0;
  Product product = first_.product(h, row, rows);
  product.c = low ? scratch : to;
  product.c_row = padded(first_.columns());
  if (!low) product.start = bias_.data();
  multiply(product);
  if (low) {
    Product up = second_.product(product.c, product.c_row, rows);
    up.start = bias_.data();
    up.c = to;
    up.c_row = row;
    multiply(up);
  }
}

void FrozenGate::open(const float* h, const float* scores, std::int64_t rows, float* to) const {
  const std::int64_t row = padded(width_);
  for (std::int64_t i = 0; i < rows; ++i) {
    HWY_DYNAMIC_DISPATCH(Open)(h + i * row, scores + i * row, to + i * row, width_);
  }
}

void FrozenGate::adjoint(const float* h, float* scores, const float* gradient, bool relu,
                         std::int64_t rows, float* scratch, float* to) const {
  const std::int64_t row = padded(width_);
  for (std::int64_t i = 0; i < rows; ++i) {
    HWY_DYNAMIC_DISPATCH(Close)
    (h + i * row, scores + i * row, gradient + i * row, to + i * row, width_);
  }
  if (diagonal_.size() > 0) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < width_; ++j) {
        to[i * row + j] += scores[i * row + j] * diagonal_[j];
      }
    }
  } else {
    const float* score = scores;
    std::int64_t score_row = row;
    if (second_.inner() > 0) {
      Product down = second_back_.product(scores, row, rows);
      down.c = scratch;
      down.c_row = padded(second_.inner());
      multiply(down);
      score = down.c;
      score_row = down.c_row;
    }
    Product back = first_back_.product(score, score_row, rows);
    back.start = back.c = to;
    back.start_row = back.c_row = row;
    multiply(back);
  }
  if (relu) mask_rows(h, rows * row, to);
}

}  // namespace limber
#endif  // HWY_ONCE
