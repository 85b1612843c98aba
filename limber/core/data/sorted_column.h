#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "limber/core/base/files.h"

namespace limber {

/// A column in the file `path`: changed values, in the order `order` (empty: as they are).
template <class T, class Change>
MappedFile sorted_column(const std::filesystem::path& path, std::span<const T> values,
                         std::span<const std::int64_t> order, const Change& change) {
  const std::size_t rows = order.empty() ? values.size() : order.size();
  MappedFile file = MappedFile::create(path, rows * sizeof(T));
  const std::span<T> out = file.as<T>();
  for (std::size_t i = 0; i < rows; ++i) {
    out[i] = change(values[order.empty() ? i : static_cast<std::size_t>(order[i])]);
  }
  return file;
}

template <class T>
MappedFile sorted_column(const std::filesystem::path& path, std::span<const T> values,
                         std::span<const std::int64_t> order) {
  return sorted_column(path, values, order, [](T value) { return value; });
}

}  // namespace limber
