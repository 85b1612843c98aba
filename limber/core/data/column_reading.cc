#include "limber/core/data/column_reading.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>

#include <cmath>
#include <concepts>

#include "limber/core/data/value_text.h"

namespace limber {

void ColumnReading::keys(std::int64_t i, std::string_view, std::string& room,
                         std::vector<Key>& keys) const {
  keys.push_back(key(i, room));
}

namespace {

template <class ArrayType>
class Reading : public ColumnReading {
 public:
  explicit Reading(const std::shared_ptr<arrow::Array>& array)
      : array_(std::static_pointer_cast<ArrayType>(array)), has_nulls_(array->null_count() > 0) {}

  std::int64_t size() const override { return array_->length(); }
  bool is_null(std::int64_t i) const override { return has_nulls_ && array_->IsNull(i); }
  double number(std::int64_t) const override { throw misfit("a number"); }
  std::int64_t time(std::int64_t) const override { throw misfit("a time"); }
  Key key(std::int64_t, std::string&) const override { throw misfit("one value"); }

 protected:
  BadValue misfit(const char* what) const {
    return BadValue(fmt::format("a value of type {} is not {}", array_->type()->ToString(), what));
  }
  /// Arrow's own spelling, for types that are too rare to be read fast.
  std::string spelling(std::int64_t i) const {
    const auto scalar = array_->GetScalar(i);
    if (!scalar.ok()) throw BadValue(scalar.status().message());
    return (*scalar)->ToString();
  }

  std::shared_ptr<ArrayType> array_;
  bool has_nulls_;
};

class NullReading : public Reading<arrow::NullArray> {
 public:
  using Reading::Reading;
  bool is_null(std::int64_t) const override { return true; }
};

template <class ArrayType>
class TextReading : public Reading<ArrayType> {
 public:
  using Reading<ArrayType>::Reading;
  bool is_null(std::int64_t i) const override {
    return Reading<ArrayType>::is_null(i) || this->array_->GetView(i).empty();
  }
  double number(std::int64_t i) const override { return number_of(this->array_->GetView(i)); }
  std::int64_t time(std::int64_t i) const override { return time_of(this->array_->GetView(i)); }
  Key key(std::int64_t i, std::string&) const override { return key_of(this->array_->GetView(i)); }
  void keys(std::int64_t i, std::string_view separator, std::string&,
            std::vector<Key>& keys) const override {
    split_keys(this->array_->GetView(i), separator, keys);
  }
};

template <class ArrayType>
class IntegerReading : public Reading<ArrayType> {
 public:
  using Reading<ArrayType>::Reading;
  double number(std::int64_t i) const override {
    return static_cast<double>(this->array_->Value(i));
  }
  std::int64_t time(std::int64_t i) const override {
    if (!fits(i)) throw this->misfit("a time");
    return static_cast<std::int64_t>(this->array_->Value(i));
  }
  Key key(std::int64_t i, std::string& room) const override {
    if (fits(i)) return {true, static_cast<std::int64_t>(this->array_->Value(i)), {}};
    const std::size_t start = room.size();
    room += std::to_string(this->array_->Value(i));
    return {false, 0, std::string_view(room).substr(start)};
  }

 private:
  bool fits(std::int64_t i) const { return std::in_range<std::int64_t>(this->array_->Value(i)); }
};

template <class ArrayType>
class RealReading : public Reading<ArrayType> {
 public:
  using Reading<ArrayType>::Reading;
  bool is_null(std::int64_t i) const override {
    return Reading<ArrayType>::is_null(i) || std::isnan(value(i));
  }
  double number(std::int64_t i) const override {
    const double real = value(i);
    if (std::isinf(real)) throw BadValue("the value is infinite");
    return real;
  }
  std::int64_t time(std::int64_t i) const override {
    const double seconds = std::floor(number(i));
    if (!is_int64(seconds)) throw this->misfit("a time");
    return static_cast<std::int64_t>(seconds);
  }
  Key key(std::int64_t i, std::string& room) const override {
    const double real = number(i);
    if (real == std::trunc(real) && is_int64(real)) {
      return {true, static_cast<std::int64_t>(real), {}};
    }
    const std::size_t start = room.size();
    if constexpr (std::same_as<ArrayType, arrow::DoubleArray>) {
      append_shortest(real, room);
    } else {
      append_shortest(static_cast<float>(real), room);
    }
    return {false, 0, std::string_view(room).substr(start)};
  }

 private:
  static bool is_int64(double real) { return std::abs(real) < 0x1.0p63; }
  double value(std::int64_t i) const {
    if constexpr (std::same_as<ArrayType, arrow::HalfFloatArray>) {
      return arrow::util::Float16::FromBits(this->array_->Value(i)).ToDouble();
    } else {
      return this->array_->Value(i);
    }
  }
};

class BooleanReading : public Reading<arrow::BooleanArray> {
 public:
  using Reading::Reading;
  double number(std::int64_t i) const override { return array_->Value(i) ? 1 : 0; }
  Key key(std::int64_t i, std::string&) const override {
    return {false, 0, array_->Value(i) ? "true" : "false"};
  }
};

class DecimalReading : public Reading<arrow::Array> {
 public:
  using Reading::Reading;
  double number(std::int64_t i) const override { return number_of(spelling(i)); }
  std::int64_t time(std::int64_t i) const override { return time_of(spelling(i)); }
  Key key(std::int64_t i, std::string& room) const override {
    const std::size_t start = room.size();
    room += spelling(i);
    std::string_view text = std::string_view(room).substr(start);
    if (text.find('.') != std::string_view::npos && text.find('E') == std::string_view::npos) {
      text = text.substr(0, text.find_last_not_of('0') + 1);
      if (text.ends_with('.')) text.remove_suffix(1);
    }
    return key_of(text);
  }
};

/// Dates and timestamps: a count of `per_second` ticks, or of days where that is 0.
template <class ArrayType>
class TimeReading : public Reading<ArrayType> {
 public:
  TimeReading(const std::shared_ptr<arrow::Array>& array, std::int64_t ticks_per_second)
      : Reading<ArrayType>(array), ticks_per_second_(ticks_per_second) {}
  double number(std::int64_t i) const override { return static_cast<double>(time(i)); }
  std::int64_t time(std::int64_t i) const override {
    const std::int64_t ticks = this->array_->Value(i);
    if (ticks_per_second_ == 0) return ticks * 86400;
    return ticks / ticks_per_second_ - (ticks % ticks_per_second_ < 0 ? 1 : 0);
  }
  Key key(std::int64_t i, std::string& room) const override {
    const std::size_t start = room.size();
    room += this->spelling(i);
    return {false, 0, std::string_view(room).substr(start)};
  }

 private:
  std::int64_t ticks_per_second_;
};

class DictionaryReading : public Reading<arrow::DictionaryArray> {
 public:
  explicit DictionaryReading(const std::shared_ptr<arrow::Array>& array)
      : Reading(array), values_(read_column(array_->dictionary())) {}
  bool is_null(std::int64_t i) const override {
    return Reading::is_null(i) || values_->is_null(array_->GetValueIndex(i));
  }
  double number(std::int64_t i) const override { return values_->number(array_->GetValueIndex(i)); }
  std::int64_t time(std::int64_t i) const override {
    return values_->time(array_->GetValueIndex(i));
  }
  Key key(std::int64_t i, std::string& room) const override {
    return values_->key(array_->GetValueIndex(i), room);
  }
  void keys(std::int64_t i, std::string_view separator, std::string& room,
            std::vector<Key>& keys) const override {
    values_->keys(array_->GetValueIndex(i), separator, room, keys);
  }

 private:
  std::unique_ptr<ColumnReading> values_;
};

template <class ArrayType>
class ListReading : public Reading<ArrayType> {
 public:
  explicit ListReading(const std::shared_ptr<arrow::Array>& array)
      : Reading<ArrayType>(array), elements_(read_column(this->array_->values())) {}
  void keys(std::int64_t i, std::string_view, std::string& room,
            std::vector<Key>& keys) const override {
    const std::int64_t begin = this->array_->value_offset(i);
    const std::int64_t end = this->array_->value_offset(i + 1);
    room.reserve(static_cast<std::size_t>(end - begin) * kLongestSpelling);
    for (std::int64_t j = begin; j < end; ++j) {
      if (elements_->is_null(j)) continue;
      const Key key = elements_->key(j, room);
      if (key.is_number) {
        keys.push_back(key);
      } else if (const std::string_view text = trimmed(key.text); !text.empty()) {
        keys.push_back(key_of(text));
      }
    }
  }

 private:
  std::unique_ptr<ColumnReading> elements_;
};

std::int64_t ticks_per_second(const arrow::DataType& type) {
  switch (static_cast<const arrow::TimestampType&>(type).unit()) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    default:
      return 1'000'000'000;
  }
}

}  // namespace

std::unique_ptr<ColumnReading> read_column(const std::shared_ptr<arrow::Array>& array) {
  using arrow::Type;
  switch (array->type_id()) {
    case Type::NA:
      return std::make_unique<NullReading>(array);
    case Type::STRING:
    case Type::BINARY:
      return std::make_unique<TextReading<arrow::BinaryArray>>(array);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return std::make_unique<TextReading<arrow::LargeBinaryArray>>(array);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return std::make_unique<TextReading<arrow::BinaryViewArray>>(array);
    case Type::DICTIONARY:
      return std::make_unique<DictionaryReading>(array);
    case Type::BOOL:
      return std::make_unique<BooleanReading>(array);
    case Type::INT8:
      return std::make_unique<IntegerReading<arrow::Int8Array>>(array);
    case Type::INT16:
      return std::make_unique<IntegerReading<arrow::Int16Array>>(array);
    case Type::INT32:
      return std::make_unique<IntegerReading<arrow::Int32Array>>(array);
    case Type::INT64:
      return std::make_unique<IntegerReading<arrow::Int64Array>>(array);
    case Type::UINT8:
      return std::make_unique<IntegerReading<arrow::UInt8Array>>(array);
    case Type::UINT16:
      return std::make_unique<IntegerReading<arrow::UInt16Array>>(array);
    case Type::UINT32:
      return std::make_unique<IntegerReading<arrow::UInt32Array>>(array);
    case Type::UINT64:
      return std::make_unique<IntegerReading<arrow::UInt64Array>>(array);
    case Type::HALF_FLOAT:
      return std::make_unique<RealReading<arrow::HalfFloatArray>>(array);
    case Type::FLOAT:
      return std::make_unique<RealReading<arrow::FloatArray>>(array);
    case Type::DOUBLE:
      return std::make_unique<RealReading<arrow::DoubleArray>>(array);
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return std::make_unique<DecimalReading>(array);
    case Type::DATE32:
      return std::make_unique<TimeReading<arrow::Date32Array>>(array, 0);
    case Type::DATE64:
      return std::make_unique<TimeReading<arrow::Date64Array>>(array, 1'000);
    case Type::TIMESTAMP:
      return std::make_unique<TimeReading<arrow::TimestampArray>>(array,
                                                                  ticks_per_second(*array->type()));
    case Type::LIST:
      return std::make_unique<ListReading<arrow::ListArray>>(array);
    case Type::LARGE_LIST:
      return std::make_unique<ListReading<arrow::LargeListArray>>(array);
    case Type::FIXED_SIZE_LIST:
      return std::make_unique<ListReading<arrow::FixedSizeListArray>>(array);
    default:
      throw BadValue(fmt::format("values of type {} cannot be read", array->type()->ToString()));
  }
}

}  // namespace limber
