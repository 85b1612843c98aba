#include "limber/training/train/shared_dataset.h"

#include <unistd.h>

#include <array>

#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/stored_dataset.h"
#include "limber/core/data/vocabulary.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// The first process on this machine.
int leader(Ranks& ranks) {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  const auto hash = static_cast<std::int64_t>(hash_key(Key{.text = name.data()}));
  const auto all = ranks.gather(torch::full({1, 1}, hash, torch::kLong));
  int rank = 0;
  while (all[static_cast<std::size_t>(rank)].item<std::int64_t>() != hash) ++rank;
  return rank;
}

}  // namespace

Dataset build_shared_dataset(const Config& config, const fs::path& folder, Ranks& ranks) {
  const int reader = leader(ranks);
  const fs::path columns = folder / ("of-rank-" + std::to_string(reader));
  if (reader != ranks.rank()) {
    ranks.barrier();
    return open_stored_dataset(columns);
  }
  fs::create_directories(columns);
  Dataset dataset = build_dataset(config, columns);
  store_dataset(dataset, columns);
  ranks.barrier();
  return dataset;
}

}  // namespace limber
