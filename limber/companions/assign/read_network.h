#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/companions/assign/read_instance.h"
#include "limber/companions/assign/table_rows.h"
#include "limber/core/data/vocabulary.h"

namespace limber::assign {

/// The first half of reading an instance: who is in the network, tied to whom, and what is open.
/// What it learns of names and groups the reading of candidates goes on with.
class NetworkReading {
 protected:
  explicit NetworkReading(const InstanceFiles& files);

  void read_positions();
  void read_nodes();
  void read_edges();

  std::string column(const std::string& table, const std::string& name) const {
    return files_.column(table, name);
  }
  std::vector<std::string> with_attributes(std::string first) const {
    std::vector<std::string> columns = {std::move(first)};
    columns.insert(columns.end(), files_.attributes.begin(), files_.attributes.end());
    return columns;
  }
  static std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
  /// The group in a column of an attribute, a new one if need be.
  Group group_of(const TableRow& row, std::size_t attribute, std::size_t column);

  const InstanceFiles& files_;
  Instance instance_;
  Vocabulary nodes_;
  std::vector<Vocabulary> groups_;
  std::vector<Position> position_at_;  ///< by node
  std::int64_t repeated_ties_ = 0;

 private:
  Node add_node(const Key& key);

  std::vector<bool> known_;  ///< by node: is in nodes or edges
};

}  // namespace limber::assign
