#include "limber/companions/assign/assortativity.h"

#include <cmath>

namespace limber::assign {

double Assortativity::coefficient() const {
  if (all_ == 0) return 0;
  const double ends = 2.0 * static_cast<double>(all_);
  const double by_chance = static_cast<double>(squared_ends_) / (ends * ends);
  const double within = static_cast<double>(within_) / static_cast<double>(all_);
  // One group holds every end: told by whole numbers, not by a difference of rounded ones.
  if (squared_ends_ == 4 * all_ * all_) return 1;
  return (within - by_chance) / (1 - by_chance);
}

double Assortativity::value() const {
  return -std::abs(coefficient());
}

void Assortativity::add_end(Group group, std::int64_t sign) {
  std::int64_t& ends = ends_[static_cast<std::size_t>(group)];
  squared_ends_ += 2 * sign * ends + 1;
  ends += sign;
}

void Assortativity::count(Node node, Group group, std::int32_t sign) {
  for (const Node other : network().neighbours(node)) {
    const Group theirs = this->group(other);
    if (theirs == kNone) continue;
    all_ += sign;
    within_ += theirs == group ? sign : 0;
    add_end(group, sign);
    add_end(theirs, sign);
  }
}

}  // namespace limber::assign
