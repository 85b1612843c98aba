#include "limber/core/data/value_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "limber/core/base/one_line.h"

namespace limber {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// Long texts are cut, at the border of a character, so that a message stays one line.
std::string shown(std::string_view text) {
  return one_short_line(text, 60);
}

template <class Float>
void append_shortest_of(Float value, std::string& text) {
  std::array<char, kLongestSpelling> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  text.append(buffer.data(), end);
}

/// Reads fixed-width fields from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool digits(std::size_t count, int& value) {
    if (rest_.size() < count) return false;
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i])) return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  /// The letter that is next, if it is one of `letters`; else 0.
  char take(std::string_view letters) {
    if (rest_.empty() || letters.find(rest_.front()) == std::string_view::npos) return 0;
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    return letter;
  }
  /// Drops at least one digit.
  bool skip_digits() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() < before;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool read_offset(Cursor& cursor, int& seconds) {
  seconds = 0;
  if (cursor.take("Zz") != 0) return true;
  const char sign = cursor.take("+-");
  if (sign == 0) return true;
  int hours = 0;
  int minutes = 0;
  if (!cursor.digits(2, hours)) return false;
  const bool has_colon = cursor.take(":") != 0;
  if ((has_colon || !cursor.at_end()) && !cursor.digits(2, minutes)) return false;
  seconds = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
  return hours < 24 && minutes < 60;
}

bool read_clock(Cursor& cursor, int& seconds) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!cursor.digits(2, hour) || cursor.take(":") == 0 || !cursor.digits(2, minute)) return false;
  if (cursor.take(":") != 0) {
    if (!cursor.digits(2, second)) return false;
    if (cursor.take(".,") != 0 && !cursor.skip_digits()) return false;
  }
  seconds = (hour * 60 + minute) * 60 + second;
  return hour < 24 && minute < 60 && second < 60;
}

bool read_iso_8601(std::string_view text, std::int64_t& seconds) {
  Cursor cursor(text);
  int year = 0;
  int month = 0;
  int day = 0;
  if (!cursor.digits(4, year) || cursor.take("-") == 0 || !cursor.digits(2, month) ||
      cursor.take("-") == 0 || !cursor.digits(2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  int clock = 0;
  int offset = 0;
  if (cursor.take("Tt ") != 0) {
    if (!read_clock(cursor, clock) || !read_offset(cursor, offset)) return false;
  }
  if (!cursor.at_end()) return false;
  seconds =
      std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86400 + clock - offset;
  return true;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

void split_keys(std::string_view text, std::string_view separator, std::vector<Key>& keys) {
  for (;;) {
    const std::size_t end = separator.empty() ? std::string_view::npos : text.find(separator);
    if (const std::string_view part = trimmed(text.substr(0, end)); !part.empty()) {
      keys.push_back(key_of(part));
    }
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + separator.size());
  }
}

void append_shortest(double value, std::string& text) {
  append_shortest_of(value, text);
}
void append_shortest(float value, std::string& text) {
  append_shortest_of(value, text);
}

Key key_of(std::string_view text) {
  const Key as_text{false, 0, text};
  const std::string_view digits = text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  if (digits.size() <= sign || !is_digit(digits[sign])) return as_text;
  if (digits[sign] == '0' && digits.size() > 1) return as_text;
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, number);
  if (code != std::errc() || stop != end) return as_text;
  return {true, number, {}};
}

double number_of(std::string_view text) {
  std::string_view digits = trimmed(text);
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  double value = 0;
  const char* end = digits.data() + digits.size();
  auto [stop, code] = std::from_chars(digits.data(), end, value);
  if (code == std::errc::result_out_of_range && stop == end) {
    // Too small is as good as what strtod makes of it; too large is infinite.
    value = std::strtod(std::string(digits).c_str(), nullptr);
    code = std::errc();
  }
  if (digits.empty() || code != std::errc() || stop != end || std::isnan(value)) {
    throw BadValue(fmt::format("'{}' is not a number", shown(text)));
  }
  if (std::isinf(value)) throw BadValue(fmt::format("'{}' is not a finite number", shown(text)));
  return value;
}

std::int64_t time_of(std::string_view text) {
  const std::string_view value = trimmed(text);
  if (const Key key = key_of(value); key.is_number) return key.number;
  std::int64_t seconds = 0;
  if (!read_iso_8601(value, seconds)) {
    throw BadValue(fmt::format(
        "'{}' is not a time; write seconds since 1970 or ISO 8601, as in 2024-05-01T12:00:00Z",
        shown(text)));
  }
  return seconds;
}

}  // namespace limber
