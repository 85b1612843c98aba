#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "limber/core/artifact/tensor.h"

namespace limber {

/// Tensors together with the bytes that they view, made to be written into a file. They can be
/// moved, not copied.
class OwnedTensors {
 public:
  OwnedTensors() = default;
  OwnedTensors(OwnedTensors&&) noexcept = default;
  OwnedTensors& operator=(OwnedTensors&&) noexcept = default;
  OwnedTensors(const OwnedTensors&) = delete;
  OwnedTensors& operator=(const OwnedTensors&) = delete;

  /// Copies `values`.
  template <class T>
  void add(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    const auto& kept = bytes_.emplace_back(bytes.begin(), bytes.end());
    tensors_.push_back({std::move(name), data_type_of<T>(), std::move(shape), kept});
  }
  template <class T>
  void add(std::string name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
    add(std::move(name), std::move(shape), std::span<const T>(values));
  }
  /// Takes all of `more` behind its own.
  void append(OwnedTensors more) {
    for (auto& bytes : more.bytes_) bytes_.push_back(std::move(bytes));
    for (auto& tensor : more.tensors_) tensors_.push_back(std::move(tensor));
  }

  /// Valid while this object, or the one that it was moved to, lives.
  std::span<const Tensor> tensors() const { return tensors_; }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& bytes : bytes_) sum += bytes.size();
    return sum;
  }

 private:
  // Moving the outer list, or growing it, leaves the inner ones' memory in its place.
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<Tensor> tensors_;
};

}  // namespace limber
