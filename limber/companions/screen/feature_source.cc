#include "limber/companions/screen/feature_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "limber/companions/screen/column_source.h"
#include "limber/companions/screen/row_source.h"
#include "limber/core/base/error.h"
#include "limber/core/data/value_text.h"

namespace limber::screen {
namespace {

bool is_missing_word(std::string_view cell) {
  constexpr std::array words{std::string_view("na"), std::string_view("n/a"),
                             std::string_view("nan"), std::string_view("null")};
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return std::equal(word.begin(), word.end(), cell.begin(), cell.end(), [](char a, char b) {
      return a == std::tolower(static_cast<unsigned char>(b));
    });
  });
}

}  // namespace

void FeatureNames::add(std::string_view name) {
  text_ += name;
  ends_.push_back(text_.size());
}

void FeatureNames::clear() {
  text_.clear();
  ends_.clear();
}

std::string_view FeatureNames::operator[](std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
  return std::string_view(text_).substr(begin, ends_[at] - begin);
}

std::span<double> FeatureBlock::feature(std::int64_t i) {
  const std::size_t width = values.size() / static_cast<std::size_t>(features());
  return std::span(values).subspan(static_cast<std::size_t>(i) * width, width);
}

std::span<const double> FeatureBlock::feature(std::int64_t i) const {
  const std::size_t width = values.size() / static_cast<std::size_t>(features());
  return std::span(values).subspan(static_cast<std::size_t>(i) * width, width);
}

bool check_value(double value, std::string& why) {
  constexpr double kLargest = 1e100;
  if (std::isnan(value) || std::abs(value) <= kLargest) return true;
  why = std::isinf(value) ? "is infinite; leave the cell empty if the value is unknown"
                          : "is larger than 1e100; rescale the feature";
  return false;
}

bool parse_value(std::string_view cell, double& value, std::string& why) {
  cell = trimmed(cell);
  value = std::numeric_limits<double>::quiet_NaN();
  if (cell.empty() || is_missing_word(cell)) return true;
  const char* begin = cell.data();
  const char* const end = begin + cell.size();
  if (*begin == '+' && cell.size() > 1 && begin[1] != '-') ++begin;
  const auto [stop, code] = std::from_chars(begin, end, value);
  if (code == std::errc::result_out_of_range && stop == end) {
    why = fmt::format("'{}' is out of range", cell);
    return false;
  }
  if (code != std::errc() || stop != end || std::isnan(value)) {
    why = fmt::format("'{}' is not a number", cell.substr(0, 40));
    return false;
  }
  if (check_value(value, why)) return true;
  why = fmt::format("'{}' {}", cell, why);
  return false;
}

std::unique_ptr<FeatureSource> open_features(const SourceOptions& options) {
  if (options.layout == Layout::kRows) return open_row_source(options);
  if (options.files.size() > 1) {
    throw InputError("{}: several files of samples; with features in columns give one file",
                     options.files[1].string());
  }
  return open_column_source(options);
}

}  // namespace limber::screen
