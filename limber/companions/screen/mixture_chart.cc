#include "limber/companions/screen/mixture_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "limber/core/base/svg.h"

namespace limber::screen {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 260;
constexpr double kBelow = 24;  // room for the axis
constexpr int kBars = 76;

}  // namespace

std::string mixture_chart(const ZHistogram& histogram, const Mixture& mixture) {
  const std::vector<ZHistogram::Bin> bins = histogram.bins();
  const double low = std::min(bins.front().z, -4.0) - 0.5;
  const double high = std::max(bins.back().z, 4.0) + 0.5;
  const double bar = (high - low) / kBars;
  std::vector<double> heights(kBars, 0.0);
  for (const auto& bin : bins) {
    const int i = std::clamp(static_cast<int>((bin.z - low) / bar), 0, kBars - 1);
    heights[static_cast<std::size_t>(i)] += static_cast<double>(bin.features);
  }
  double tallest = 0;
  for (double& height : heights) {
    height /= static_cast<double>(histogram.features()) * bar;
    tallest = std::max(tallest, height);
  }
  constexpr int kPoints = 400;
  std::vector<double> fit;
  std::vector<double> null;
  for (int i = 0; i <= kPoints; ++i) {
    const double z = low + (high - low) * i / kPoints;
    fit.push_back(mixture.density(z));
    null.push_back(mixture.null_density(z));
    tallest = std::max(tallest, fit.back());
  }
  const auto x = [&](double z) { return (z - low) / (high - low) * kWidth; };
  const auto y = [&](double density) { return kHeight * (1 - density / (1.05 * tallest)); };

  std::string svg =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=img aria-label=\"histogram of z\">", kWidth,
                  kHeight + kBelow);
  for (int i = 0; i < kBars; ++i) {
    const double top = y(heights[static_cast<std::size_t>(i)]);
    svg += fmt::format(
        "<rect class=bar x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
        x(low + i * bar), top, kWidth / kBars - 1, kHeight - top);
  }
  const auto line = [&](const char* name, const std::vector<double>& density) {
    svg += fmt::format("<polyline class={} points=\"", name);
    for (int i = 0; i <= kPoints; ++i) {
      svg += fmt::format("{:.1f},{:.1f} ", kWidth * i / kPoints,
                         y(density[static_cast<std::size_t>(i)]));
    }
    svg += "\"/>";
  };
  line("fit", fit);
  line("null", null);
  svg += fmt::format("<line class=axis x1=0 x2={0} y1={1} y2={1} />", kWidth, kHeight);
  for (const double z : round_marks(low, high, 8)) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=middle>{:g}</text>", x(z),
                       kHeight + 16, z);
  }
  return svg + "</svg>";
}

}  // namespace limber::screen
