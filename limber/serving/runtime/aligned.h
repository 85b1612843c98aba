#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace limber {

/// Rows of every matrix in the runtime begin this many floats apart at least, or a multiple of it:
/// as wide as the widest panel that a kernel reads or writes at a time, so that no kernel needs a
/// special case for the last columns.
inline constexpr std::int64_t kRowPadding = 32;

/// Distance between the rows of a matrix of `columns` columns.
constexpr std::int64_t padded(std::int64_t columns) {
  return (columns + kRowPadding - 1) / kRowPadding * kRowPadding;
}

/// Zeroed floats that begin at a cache line.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::int64_t size)
      : size_(size), values_(allocate(static_cast<std::size_t>(size))) {}

  float* data() { return values_.get(); }
  const float* data() const { return values_.get(); }
  std::int64_t size() const { return size_; }
  float& operator[](std::int64_t i) { return values_.get()[i]; }
  float operator[](std::int64_t i) const { return values_.get()[i]; }

 private:
  struct Free {
    void operator()(float* values) const { ::operator delete[](values, std::align_val_t{64}); }
  };
  static float* allocate(std::size_t size) {
    const std::size_t bytes = (size * sizeof(float) + 63) / 64 * 64;
    auto* values = static_cast<float*>(::operator new[](bytes, std::align_val_t{64}));
    std::memset(values, 0, bytes);
    return values;
  }
  std::int64_t size_ = 0;
  std::unique_ptr<float[], Free> values_;
};

}  // namespace limber
