#include "limber/companions/assign/read_network.h"

#include <algorithm>
#include <utility>

#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

/// Beyond so many groups an attribute is a quantity or a name, not a group, and the measures'
/// tables of pairs of groups would grow out of hand.
constexpr std::size_t kMostGroups = 200;

}  // namespace

NetworkReading::NetworkReading(const InstanceFiles& files) : files_(files) {
  if (files.attributes.empty()) throw InputError("attributes: name at least one");
  for (std::size_t a = 0; a < files.attributes.size(); ++a) {
    const auto& names = files.attributes;
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(a), names[a]) !=
        names.begin() + static_cast<std::ptrdiff_t>(a)) {
      throw InputError("attributes: {} is there twice; name each once", names[a]);
    }
    Attribute attribute;
    attribute.name = names[a];
    instance_.attributes.push_back(std::move(attribute));
  }
  groups_.resize(files.attributes.size());
}

Group NetworkReading::group_of(const TableRow& row, std::size_t attribute, std::size_t column) {
  if (row.is_missing(column)) {
    row.fail(column, "is empty; give a group (a word such as 'unknown' is one, too)");
  }
  const Key key = row.key(column);
  const Group group = groups_[attribute].add(key) - 1;
  Attribute& of = instance_.attributes[attribute];
  if (at(group) == of.groups.size()) {
    of.groups.push_back(text_of(key));
    if (of.groups.size() > kMostGroups) {
      row.fail(column, fmt::format("more than {} groups; an attribute is a class, so put numbers "
                                   "into bands first",
                                   kMostGroups));
    }
  }
  return group;
}

Node NetworkReading::add_node(const Key& key) {
  const Node node = nodes_.add(key) - 1;
  if (at(node) == instance_.node_names.size()) {
    instance_.node_names.push_back(text_of(key));
    for (Attribute& attribute : instance_.attributes) attribute.of_node.push_back(kNone);
    position_at_.push_back(kNone);
    known_.push_back(false);
  }
  return node;
}

void NetworkReading::read_positions() {
  read_table(files_.positions, {column("positions", "position")}, [&](const TableRow& row) {
    const Node node = add_node(row.key(0));
    if (position_at_[at(node)] != kNone) {
      row.fail(0, fmt::format("position {} is open already; remove the row",
                              instance_.node_names[at(node)]));
    }
    position_at_[at(node)] = static_cast<Position>(instance_.positions.size());
    instance_.positions.push_back(node);
  });
  if (instance_.positions.empty()) {
    throw InputError("{}: no position is open; list at least one", files_.positions);
  }
}

void NetworkReading::read_nodes() {
  read_table(files_.nodes, with_attributes(column("nodes", "node")), [&](const TableRow& row) {
    const Node node = add_node(row.key(0));
    if (known_[at(node)]) {
      row.fail(0, fmt::format("node {} is there already; keep one row of it",
                              instance_.node_names[at(node)]));
    }
    known_[at(node)] = true;
    if (position_at_[at(node)] != kNone) return;
    for (std::size_t a = 0; a < groups_.size(); ++a) {
      instance_.attributes[a].of_node[at(node)] = group_of(row, a, a + 1);
    }
  });
}

void NetworkReading::read_edges() {
  std::vector<std::pair<Node, Node>> ties;
  read_table(files_.edges, {column("edges", "from"), column("edges", "to")},
             [&](const TableRow& row) {
               Node ends[2];
               for (std::size_t c = 0; c < 2; ++c) {
                 const Key key = row.key(c);
                 ends[c] = nodes_.find(key) - 1;
                 if (ends[c] < 0) {
                   row.fail(c, fmt::format("{} is neither a node of {} nor an open position; add "
                                           "its row or remove the tie",
                                           text_of(key), files_.nodes));
                 }
                 known_[at(ends[c])] = true;
               }
               if (ends[0] == ends[1]) {
                 row.fail(1, fmt::format("{} has a tie with itself; remove the row",
                                         instance_.node_names[at(ends[0])]));
               }
               ties.emplace_back(ends[0], ends[1]);
             });
  for (const Node node : instance_.positions) {
    if (!known_[at(node)]) {
      throw InputError("{}: position {} is no node: it is in neither {} nor {}; correct its name",
                       files_.positions, instance_.node_names[at(node)], files_.nodes,
                       files_.edges);
    }
  }
  const auto rows = static_cast<std::int64_t>(ties.size());
  instance_.network = Network(static_cast<Node>(instance_.node_names.size()), std::move(ties));
  repeated_ties_ = rows - instance_.network.ties();
}

}  // namespace limber::assign
