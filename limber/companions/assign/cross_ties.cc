#include "limber/companions/assign/cross_ties.h"

namespace limber::assign {

double CrossTies::value() const {
  return all_ == 0 ? 0 : static_cast<double>(cross_) / static_cast<double>(all_);
}

double CrossTies::upper_bound() const {
  const std::int64_t ties = network().ties();
  return ties == 0 ? 0 : static_cast<double>(cross_ + ties - all_) / static_cast<double>(ties);
}

void CrossTies::count(Node node, Group group, std::int32_t sign) {
  for (const Node other : network().neighbours(node)) {
    const Group theirs = this->group(other);
    if (theirs == kNone) continue;
    all_ += sign;
    cross_ += theirs == group ? 0 : sign;
  }
}

}  // namespace limber::assign
