#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace arrow {
class Array;
}

namespace limber {

/// Why one value cannot be used, in a few words ("'abc' is not a number"). Whoever reads the
/// column turns it into an InputError that names file, row and column.
class BadValue : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One value of an id column in the form in which vocabularies know it, the same whether it came
/// from CSV or from Parquet. Either a number (text is then empty) or a text (number is then 0).
struct Key {
  bool is_number = false;
  std::int64_t number = 0;
  std::string_view text;

  friend bool operator==(const Key&, const Key&) = default;
};

/// Text that spells a 64-bit integer in its one canonical way ("123", "-5"; not "007", "+5") is
/// that number, as is such a spelling followed by ".0", which is how many programs write id
/// columns that have gaps. All else is text, untouched.
Key key_of(std::string_view text);

/// The finite number that `text` spells, blanks around it ignored. Throws BadValue.
double number_of(std::string_view text);

/// Seconds since 1970-01-01 UTC of an integer as it is, or of ISO 8601 text: "2024-05-01",
/// "2024-05-01T12:00", "2024-05-01 12:00:00.25Z", "2024-05-01T12:00:00+02:00". Without an offset
/// the time is UTC; fractions of a second are dropped. Throws BadValue.
std::int64_t time_of(std::string_view text);

class ColumnReading;

/// Reads the values of one Arrow array row by row, without regard to its type: text, dictionaries,
/// integers, booleans, floats, decimals, timestamps, dates, and lists of those. Calls on numbers
/// and texts allocate nothing. Not for concurrent calls on one view.
class ColumnView {
 public:
  /// Throws BadValue for a type that has no reading as values (struct, map, union).
  explicit ColumnView(std::shared_ptr<arrow::Array> array);
  ~ColumnView();
  ColumnView(ColumnView&&) noexcept;
  ColumnView& operator=(ColumnView&&) noexcept;

  std::int64_t size() const;

  /// A null, an empty text, or a NaN.
  bool is_null(std::int64_t i) const;

  /// NaN for null; booleans are 0 and 1; timestamps and dates are seconds since 1970. Throws
  /// BadValue for text that spells no number, for infinities and for lists.
  double number(std::int64_t i) const;

  /// Integers, and floats with integral values, are numbers; texts as key_of; other floats are
  /// their shortest spelling; booleans are "true" and "false"; timestamps and dates are ISO 8601
  /// text. Throws BadValue for null, infinity and a list. A text is good until the next call on
  /// this view, and while the array lives.
  Key key(std::int64_t i) const;

  /// The keys of a list's elements, or of the parts of a text between separators; blanks around a
  /// part are trimmed, empty parts and nulls dropped. Any other value is one key; null is none. An
  /// empty separator leaves a text whole. Replaces `keys`, whose texts are good as those of key().
  void keys(std::int64_t i, std::string_view separator, std::vector<Key>& keys) const;

  /// Integers as they are; floats rounded down; timestamps and dates as seconds since
  /// 1970-01-01 UTC; text as time_of. Throws BadValue for null and for all else.
  std::int64_t time(std::int64_t i) const;

 private:
  std::unique_ptr<ColumnReading> reading_;
  mutable std::string room_;  ///< where a key's text lives that the array does not store as text
};

}  // namespace limber
