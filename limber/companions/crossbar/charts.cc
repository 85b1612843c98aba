#include "limber/companions/crossbar/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "limber/core/base/svg.h"

namespace limber::crossbar {

std::string parts_chart(const CostParts& before, const CostParts& after,
                        const std::pair<std::string, std::string>& sizes) {
  constexpr double kLeft = 70;
  constexpr double kWidth = 520;
  const double largest = std::max(before.sum(), after.sum());
  std::string svg = "<svg viewBox=\"0 0 720 100\" role=\"img\">";
  const auto bar = [&](const CostParts& parts, double top, std::string_view name,
                       const std::string& size) {
    svg += fmt::format("<text x=\"0\" y=\"{:.0f}\">{}</text>", top + 24, name);
    double x = kLeft;
    const std::array<double, 4> values = {parts.arrays, parts.converters, parts.drivers,
                                          parts.peripherals};
    for (std::size_t part = 0; part < values.size(); ++part) {
      const double width = largest > 0 ? kWidth * values[part] / largest : 0;
      svg += fmt::format(
          "<rect class=\"part{}\" x=\"{:.2f}\" y=\"{:.0f}\" width=\"{:.2f}\" height=\"34\"/>", part,
          x, top, width);
      x += width;
    }
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\">{}</text>", x + 8, top + 24,
                       escape_markup(size));
  };
  bar(before, 6, "before", sizes.first);
  bar(after, 56, "after", sizes.second);
  return svg + "</svg>\n";
}

std::string quality_histogram(const MonteCarloResult& chips, const std::string& metric_name) {
  constexpr double kLeft = 40;
  constexpr double kRight = 700;
  constexpr double kTop = 26;
  constexpr double kBottom = 220;
  const auto [smallest, largest] = std::minmax_element(chips.values.begin(), chips.values.end());
  const double spread = *largest - *smallest;
  const auto bins = spread > 0
                        ? static_cast<std::size_t>(std::clamp(
                              std::sqrt(static_cast<double>(chips.values.size())), 5.0, 40.0))
                        : std::size_t{1};
  const double width = spread > 0 ? spread / static_cast<double>(bins) : 1;
  const double first = spread > 0 ? *smallest : *smallest - 0.5;
  std::vector<std::int64_t> counts(bins, 0);
  for (const double value : chips.values) {
    const auto bin = static_cast<std::size_t>((value - first) / width);
    ++counts[std::min(bin, bins - 1)];
  }
  const auto most = static_cast<double>(*std::max_element(counts.begin(), counts.end()));
  const double end = first + width * static_cast<double>(bins);
  const double margin = 0.05 * (std::max(end, chips.exact) - std::min(first, chips.exact));
  const double low = std::min(first, chips.exact) - margin;
  const double high = std::max(end, chips.exact) + margin;
  const auto x_of = [&](double value) {
    return kLeft + (value - low) / (high - low) * (kRight - kLeft);
  };
  std::string svg = "<svg viewBox=\"0 0 720 270\" role=\"img\">";
  for (std::size_t b = 0; b < bins; ++b) {
    const double left = first + width * static_cast<double>(b);
    const double height = static_cast<double>(counts[b]) / most * (kBottom - kTop);
    svg += fmt::format(
        "<rect class=\"bar\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\">"
        "<title>{}</title></rect>",
        x_of(left), kBottom - height, x_of(left + width) - x_of(left), height, counts[b]);
  }
  svg += fmt::format(
      "<line class=\"axis\" x1=\"{:.0f}\" y1=\"{:.0f}\" x2=\"{:.0f}\" y2=\"{:.0f}\"/>"
      "<text x=\"0\" y=\"{:.0f}\">{}</text>",
      kLeft, kBottom, kRight, kBottom, kTop + 12, most);
  for (const double mark : round_marks(low, high, 6)) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\">{:.6g}</text>",
                       x_of(mark), kBottom + 20, mark);
  }
  svg += fmt::format(
      "<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>"
      "<line class=\"exact\" x1=\"{:.2f}\" y1=\"{:.0f}\" x2=\"{:.2f}\" y2=\"{:.0f}\"/>",
      (kLeft + kRight) / 2, kBottom + 44, escape_markup(metric_name), x_of(chips.exact), kTop - 14,
      x_of(chips.exact), kBottom);
  return svg + "</svg>\n";
}

}  // namespace limber::crossbar
