#include "limber/training/train/shared_dataset.h"

#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/stored_dataset.h"

namespace limber {
namespace fs = std::filesystem;

Dataset build_shared_dataset(const Config& config, const fs::path& folder, ProcessGroup& ranks) {
  const std::string prefix = "of-rank-";
  const std::string name = prefix + std::to_string(ranks.first_of_host());
  // What another number of machines has left behind.
  if (ranks.is_first()) {
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      if (entry->path().filename().string().starts_with(prefix)) {
        fs::remove_all(entry->path(), ignored);
      }
    }
  }
  ranks.barrier();
  const fs::path columns = folder / name;
  const auto piece = [&](std::int64_t place) {
    return columns / ("piece-" + std::to_string(place));
  };
  const auto piece_name = [&](std::int64_t place) {
    return name + "/piece-" + std::to_string(place);
  };
  // Reading may take longer than any process should wait for another otherwise.
  const auto done = [&](const std::string& what, const auto& action) {
    try {
      action();
    } catch (const std::exception& error) {
      ranks.announce(what, error.what());
      throw;
    }
    ranks.announce(what);
  };
  const std::int64_t place = ranks.place_on_host(), pieces = ranks.size_of_host();
  if (place > 0) {
    done(piece_name(place), [&] {
      fs::create_directories(piece(place));
      read_dataset_piece(config, piece(place), {place, pieces});
    });
    ranks.wait_for(name);
    return open_stored_dataset(columns);
  }
  fs::create_directories(columns);
  Dataset dataset;
  done(name, [&] {
    dataset = build_dataset_of_pieces(config, columns, pieces, [&](std::int64_t of) {
      ranks.wait_for(piece_name(of));
      return piece(of);
    });
    for (std::int64_t of = 1; of < pieces; ++of) fs::remove_all(piece(of));
    store_dataset(dataset, columns);
  });
  return dataset;
}

}  // namespace limber
