#include "limber/core/data/column.h"

#include <limits>

#include "limber/core/data/column_reading.h"

namespace limber {

ColumnView::ColumnView(std::shared_ptr<arrow::Array> array) : reading_(read_column(array)) {}
ColumnView::~ColumnView() = default;
ColumnView::ColumnView(ColumnView&&) noexcept = default;
ColumnView& ColumnView::operator=(ColumnView&&) noexcept = default;

std::int64_t ColumnView::size() const {
  return reading_->size();
}

bool ColumnView::is_null(std::int64_t i) const {
  return reading_->is_null(i);
}

double ColumnView::number(std::int64_t i) const {
  return reading_->is_null(i) ? std::numeric_limits<double>::quiet_NaN() : reading_->number(i);
}

Key ColumnView::key(std::int64_t i) const {
  if (reading_->is_null(i)) throw BadValue("the value is missing");
  room_.clear();
  return reading_->key(i, room_);
}

void ColumnView::keys(std::int64_t i, std::string_view separator, std::vector<Key>& keys) const {
  keys.clear();
  room_.clear();
  if (!reading_->is_null(i)) reading_->keys(i, separator, room_, keys);
}

std::int64_t ColumnView::time(std::int64_t i) const {
  if (reading_->is_null(i)) throw BadValue("the time is missing");
  return reading_->time(i);
}

}  // namespace limber
