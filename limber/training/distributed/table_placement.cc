#include "limber/training/distributed/table_placement.h"

namespace limber {

std::vector<TablePlacement> place_tables(const std::vector<EmbeddingTableShape>& shapes,
                                         std::int64_t ranks, std::int64_t whole_below) {
  std::vector<TablePlacement> placements;
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    const bool whole = ranks == 1 || shapes[t].rows < whole_below;
    placements.push_back({shapes[t].rows, ranks, static_cast<std::int64_t>(t) % ranks, whole});
  }
  return placements;
}

}  // namespace limber
