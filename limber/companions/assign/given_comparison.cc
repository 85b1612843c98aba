#include "limber/companions/assign/given_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace limber::assign {

GivenComparison compare_given(const Score& given, const Front& front) {
  GivenComparison result;
  result.score = given;
  // The same assignment may have its fitness summed in another order. Relative to the fitness there
  // is: in which unit it is given must make no difference.
  double largest = std::abs(given.fitness);
  for (const FrontPoint& point : front.points()) {
    largest = std::max(largest, std::abs(point.score.fitness));
  }
  const double rounding = 1e-9 * largest;
  for (const FrontPoint& point : front.points()) {
    const Score& score = point.score;
    const bool no_less_fit = score.fitness >= given.fitness - rounding;
    const bool no_less_diverse = score.diversity >= given.diversity - 1e-12;
    const bool better =
        score.fitness > given.fitness + rounding || score.diversity > given.diversity + 1e-12;
    if (no_less_fit && no_less_diverse && better) ++result.dominated_by;
    // Points come by ascending fitness and descending diversity.
    if (no_less_fit && !result.no_less_fit) result.no_less_fit = score;
    if (no_less_diverse) result.no_less_diverse = score;
  }
  result.on_front = result.dominated_by == 0;
  return result;
}

std::string describe(const GivenComparison& comparison) {
  const Score& given = comparison.score;
  std::string text = fmt::format("The given assignment has fitness {:.6g} and diversity {:.4f}. ",
                                 given.fitness, given.diversity);
  if (comparison.on_front) {
    return text + "Nothing found is better on one count without being worse on the other.";
  }
  text += fmt::format(
      "{} assignment{} of the front {} better on one count and no worse on the "
      "other:",
      comparison.dominated_by, comparison.dominated_by == 1 ? "" : "s",
      comparison.dominated_by == 1 ? "is" : "are");
  if (comparison.no_less_fit) {
    text += fmt::format(" with no less fitness, diversity could be {:.4f} (fitness {:.6g});",
                        comparison.no_less_fit->diversity, comparison.no_less_fit->fitness);
  }
  if (comparison.no_less_diverse) {
    text += fmt::format(" with no less diversity, fitness could be {:.6g} (diversity {:.4f});",
                        comparison.no_less_diverse->fitness, comparison.no_less_diverse->diversity);
  }
  text.back() = '.';
  return text;
}

}  // namespace limber::assign
