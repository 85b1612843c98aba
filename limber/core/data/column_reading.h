#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/data/column.h"

namespace limber {

/// How ColumnView reads one type of array. All calls but is_null are for values that are not null.
class ColumnReading {
 public:
  virtual ~ColumnReading() = default;

  virtual std::int64_t size() const = 0;
  virtual bool is_null(std::int64_t i) const = 0;
  virtual double number(std::int64_t i) const = 0;
  virtual std::int64_t time(std::int64_t i) const = 0;
  /// Appends to `room` the text of a key that is stored nowhere as text: kLongestSpelling bytes at
  /// most. Earlier keys may point into the room, so it must have been reserved.
  virtual Key key(std::int64_t i, std::string& room) const = 0;
  /// Appends to `keys`.
  virtual void keys(std::int64_t i, std::string_view separator, std::string& room,
                    std::vector<Key>& keys) const;
};

/// The reading of an array's type. Throws BadValue where there is none.
std::unique_ptr<ColumnReading> read_column(const std::shared_ptr<arrow::Array>& array);

}  // namespace limber
