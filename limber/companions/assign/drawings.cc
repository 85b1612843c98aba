#include "limber/companions/assign/drawings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "limber/core/base/svg.h"

namespace limber::assign {
namespace {

/// Colours that people with any colour vision tell apart (Okabe and Ito 2008); groups beyond the
/// seventh share the last.
constexpr std::array kColours = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                 "#d55e00", "#56b4e9", "#f0e442", "#888888"};

const char* colour_of(Group group) {
  return kColours[std::min(static_cast<std::size_t>(group), kColours.size() - 1)];
}

/// Maps values to pixels along one axis, with a margin, and knows round ticks.
class Axis {
 public:
  Axis(double pixel_low, double pixel_high) : from_(pixel_low), to_(pixel_high) {}
  void include(double value) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  void finish() {
    const double range = high_ - low_;
    const double margin = range > 0 ? 0.06 * range : 0.5 * std::max(1e-3, std::abs(low_));
    low_ -= margin;
    high_ += margin;
  }
  double at(double value) const { return from_ + (to_ - from_) * (value - low_) / (high_ - low_); }
  std::vector<double> ticks() const { return round_marks(low_, high_, 5); }

 private:
  double from_, to_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

std::string front_drawing(const Results& results) {
  const Solution& solution = *results.solution;
  Axis x(105, 625), y(335, 15);
  const auto include = [&](const Score& score) {
    x.include(score.fitness);
    y.include(score.diversity);
  };
  for (const FrontPoint& point : solution.front.points()) include(point.score);
  for (const Score& score : solution.random) include(score);
  if (results.comparison) include(results.comparison->score);
  x.finish();
  y.finish();

  std::string svg =
      "<svg viewBox=\"0 0 640 400\" role=\"img\" aria-label=\"Front of fitness and diversity\">\n";
  for (const double tick : x.ticks()) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"15\" y2=\"335\"/>"
        "<text x=\"{0:.1f}\" y=\"360\" text-anchor=\"middle\">{1:.4g}</text>\n",
        x.at(tick), tick);
  }
  for (const double tick : y.ticks()) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"105\" x2=\"625\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>"
        "<text x=\"98\" y=\"{1:.1f}\" text-anchor=\"end\">{2:.3g}</text>\n",
        y.at(tick), y.at(tick) + 6, tick);
  }
  svg += fmt::format(
      "<text x=\"365\" y=\"390\" text-anchor=\"middle\">total fitness</text>"
      "<text transform=\"translate(22 175) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      escape_markup(fmt::format("diversity ({})", results.measure->name)));
  for (const Score& score : solution.random) {
    svg += fmt::format("<circle class=\"random\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>\n",
                       x.at(score.fitness), y.at(score.diversity));
  }
  // What the front covers: everything left of and below its steps.
  std::string steps;
  for (const FrontPoint& point : solution.front.points()) {
    const double px = x.at(point.score.fitness), py = y.at(point.score.diversity);
    steps += steps.empty() ? fmt::format("M{:.1f} {:.1f}", px, py)
                           : fmt::format("V{:.1f}H{:.1f}", py, px);
  }
  // The corner of a step lies at the lower of the two diversities: down first, then right.
  svg += fmt::format("<path class=\"front\" d=\"{}\"/>\n", steps);
  for (const FrontPoint& point : solution.front.points()) {
    svg += fmt::format(
        "<circle class=\"front-point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"><title>fitness {:.4f}, "
        "diversity {:.4f}</title></circle>\n",
        x.at(point.score.fitness), y.at(point.score.diversity), point.score.fitness,
        point.score.diversity);
  }
  const Score& chosen = results.chosen.score;
  svg += fmt::format("<circle class=\"chosen\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"8\"/>\n",
                     x.at(chosen.fitness), y.at(chosen.diversity));
  if (results.comparison) {
    const Score& given = results.comparison->score;
    svg += fmt::format(
        "<rect class=\"given\" x=\"-6\" y=\"-6\" width=\"12\" height=\"12\" "
        "transform=\"translate({:.1f} {:.1f}) rotate(45)\"/>\n",
        x.at(given.fitness), y.at(given.diversity));
  }
  return svg + "</svg>\n";
}

std::string network_drawing(const Instance& instance, const Layout& layout, std::size_t attribute,
                            const Assignment& assignment) {
  std::vector<Position> position_at(static_cast<std::size_t>(instance.network.size()), kNone);
  for (Position p = 0; p < instance.position_count(); ++p) {
    position_at[static_cast<std::size_t>(instance.positions[static_cast<std::size_t>(p)])] = p;
  }
  const auto group_of = [&](Node node) {
    const Position p = position_at[static_cast<std::size_t>(node)];
    if (p == kNone) {
      return instance.attributes[attribute].of_node[static_cast<std::size_t>(node)];
    }
    const Candidate candidate = assignment[static_cast<std::size_t>(p)];
    if (candidate == kNone) return kNone;
    const auto profile =
        static_cast<std::size_t>(instance.profile_of[static_cast<std::size_t>(candidate)]);
    return instance.profiles[profile][attribute];
  };
  const auto x = [&](std::size_t i) { return 14 + 372 * layout.points[i].x; };
  const auto y = [&](std::size_t i) { return 14 + 372 * layout.points[i].y; };
  std::string svg = "<svg viewBox=\"0 0 400 400\" role=\"img\" aria-label=\"Network\">\n";
  for (const auto& [i, j] : layout.ties) {
    const Group a = group_of(layout.nodes[i]), b = group_of(layout.nodes[j]);
    const char* kind = a == kNone || b == kNone ? "open-tie" : a == b ? "within" : "cross";
    svg += fmt::format(
        "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind,
        x(i), y(i), x(j), y(j));
  }
  const double radius = layout.nodes.size() <= 120 ? 5 : 3.2;
  for (std::size_t i = 0; i < layout.nodes.size(); ++i) {
    const Node node = layout.nodes[i];
    const Position p = position_at[static_cast<std::size_t>(node)];
    const Group group = group_of(node);
    std::string who = instance.node_names[static_cast<std::size_t>(node)];
    if (p != kNone) {
      const Candidate candidate = assignment[static_cast<std::size_t>(p)];
      who += candidate == kNone
                 ? ": open"
                 : ": " + instance.candidate_names[static_cast<std::size_t>(candidate)];
    }
    svg += fmt::format(
        "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\"><title>{}"
        "</title></circle>\n",
        p == kNone ? "node" : "position", x(i), y(i), p == kNone ? radius : 1.5 * radius,
        group == kNone ? "none" : colour_of(group), escape_markup(who));
  }
  return svg + "</svg>\n";
}

std::string legend(const Attribute& attribute) {
  std::string html = "<p class=\"legend\">";
  for (std::size_t g = 0; g < attribute.groups.size(); ++g) {
    if (g + 1 >= kColours.size() && attribute.groups.size() > kColours.size()) {
      html += fmt::format("<span><i style=\"background:{}\"></i>{} others</span> ", kColours.back(),
                          attribute.groups.size() - g);
      break;
    }
    html += fmt::format("<span><i style=\"background:{}\"></i>{}</span> ",
                        colour_of(static_cast<Group>(g)), escape_markup(attribute.groups[g]));
  }
  return html + "</p>\n";
}

}  // namespace limber::assign
