#include "limber/companions/assign/exposure.h"

namespace limber::assign {

Exposure::Exposure(const Network& network, Group groups)
    : DiversityMeasure(network, groups),
      filled_(static_cast<std::size_t>(network.size()), 0),
      others_(static_cast<std::size_t>(network.size()), 0) {}

double Exposure::share(std::size_t node) const {
  return filled_[node] == 0
             ? 0
             : static_cast<double>(others_[node]) / static_cast<double>(filled_[node]);
}

double Exposure::value() const {
  return exposed_ == 0 ? 0 : sum_ / static_cast<double>(exposed_);
}

double Exposure::upper_bound() const {
  double sum = 0;
  std::int64_t exposed = 0;
  for (Node node = 0; node < network().size(); ++node) {
    const std::int64_t degree = network().degree(node);
    if (degree == 0) continue;
    const auto at = static_cast<std::size_t>(node);
    ++exposed;
    const std::int64_t most = group(node) == kNone ? degree : others_[at] + degree - filled_[at];
    sum += static_cast<double>(most) / static_cast<double>(degree);
  }
  return exposed == 0 ? 0 : sum / static_cast<double>(exposed);
}

void Exposure::count(Node node, Group group, std::int32_t sign) {
  const auto here = static_cast<std::size_t>(node);
  std::int32_t others = 0;
  for (const Node other : network().neighbours(node)) {
    const auto there = static_cast<std::size_t>(other);
    const Group theirs = this->group(other);
    if (theirs == kNone) {
      filled_[there] += sign;
      continue;
    }
    const std::int32_t differs = theirs == group ? 0 : 1;
    others += differs;
    sum_ -= share(there);
    exposed_ -= filled_[there] > 0 ? 1 : 0;
    filled_[there] += sign;
    others_[there] += sign * differs;
    exposed_ += filled_[there] > 0 ? 1 : 0;
    sum_ += share(there);
  }
  others_[here] = others;
  if (filled_[here] > 0) {
    exposed_ += sign;
    sum_ += sign * share(here);
  }
}

}  // namespace limber::assign
