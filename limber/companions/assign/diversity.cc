#include "limber/companions/assign/diversity.h"

namespace limber::assign {

Diversity::Diversity(const Instance& instance, const MeasureDescription& measure)
    : instance_(instance), ceiling_(measure.ceiling) {
  for (const Attribute& attribute : instance.attributes) {
    auto of_attribute = measure.make(instance.network, static_cast<Group>(attribute.groups.size()));
    for (Node node = 0; node < instance.network.size(); ++node) {
      of_attribute->move(node, attribute.of_node[static_cast<std::size_t>(node)]);
    }
    by_attribute_.push_back(std::move(of_attribute));
  }
}

void Diversity::fill(Position position, std::int32_t profile) {
  const Node node = instance_.positions[static_cast<std::size_t>(position)];
  for (std::size_t a = 0; a < by_attribute_.size(); ++a) {
    by_attribute_[a]->move(
        node, profile == kNone ? kNone : instance_.profiles[static_cast<std::size_t>(profile)][a]);
  }
}

double Diversity::value() const {
  double sum = 0;
  for (const auto& measure : by_attribute_) sum += measure->value();
  return sum / static_cast<double>(by_attribute_.size());
}

double Diversity::upper_bound() const {
  double sum = 0;
  for (const auto& measure : by_attribute_) sum += measure->upper_bound();
  return sum / static_cast<double>(by_attribute_.size());
}

}  // namespace limber::assign
