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
  // Reading may take longer than any process should wait for another otherwise.
  if (ranks.first_of_host() != ranks.rank()) {
    ranks.wait_for(name);
    return open_stored_dataset(columns);
  }
  fs::create_directories(columns);
  Dataset dataset = build_dataset(config, columns);
  store_dataset(dataset, columns);
  ranks.announce(name);
  return dataset;
}

}  // namespace limber
