#include "limber/companions/assign/diversity_measure.h"

#include <array>

#include "limber/companions/assign/assortativity.h"
#include "limber/companions/assign/cross_ties.h"
#include "limber/companions/assign/exposure.h"
#include "limber/companions/assign/information_unfairness.h"
#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"

namespace limber::assign {
namespace {

template <class Measure>
std::unique_ptr<DiversityMeasure> make(const Network& network, Group groups) {
  return std::make_unique<Measure>(network, groups);
}

constexpr std::array kMeasures{
    MeasureDescription{"assortativity", "Assortativity",
                       "minus the size of Newman's assortativity coefficient: 0 when ties ignore "
                       "groups, -1 when they never leave them",
                       0, make<Assortativity>},
    MeasureDescription{"cross-ties", "Cross-group ties",
                       "share of ties that join two groups, from 0 to 1", 1, make<CrossTies>},
    MeasureDescription{"exposure", "Exposure",
                       "share of a node's neighbours that are of other groups, averaged over nodes",
                       1, make<Exposure>},
    MeasureDescription{"information-unfairness", "Information unfairness",
                       "minus the contrast between the pair of groups that information passes best "
                       "between and the pair it passes worst, over one or two ties: 0 is fair, -1 "
                       "cuts a pair off",
                       0, make<InformationUnfairness>},
};

}  // namespace

std::span<const MeasureDescription> measures() {
  return kMeasures;
}

const MeasureDescription& measure_named(std::string_view name) {
  std::vector<std::string> names;
  for (const MeasureDescription& measure : kMeasures) {
    if (measure.name == name) return measure;
    names.emplace_back(measure.name);
  }
  throw InputError("measure '{}' is not known{}; there are {}", name, did_you_mean(name, names),
                   fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace limber::assign
