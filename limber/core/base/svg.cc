#include "limber/core/base/svg.h"

#include <cmath>

namespace limber {

std::string escape_markup(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

std::vector<double> round_marks(double low, double high, int about) {
  std::vector<double> marks;
  if (!(low < high) || !std::isfinite(high - low)) return marks;
  const double rough = (high - low) / about;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough) step = factor * power;
  }
  // Counted, not added up: sums of a step drift, and never end where it is too small to add.
  const double first = std::ceil(low / step);
  for (int i = 0; i <= about + 1; ++i) {
    const double mark = (first + i) * step;
    if (mark > high) break;
    marks.push_back(std::abs(mark) < step / 2 ? 0 : mark);
  }
  return marks;
}

}  // namespace limber
