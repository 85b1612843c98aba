#include "limber/companions/screen/feature_order.h"

#include <tuple>

#include "limber/companions/screen/screen_model.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber::screen {

void check_unique_names(const Statistics& statistics) {
  struct Hashed {
    std::uint64_t hash;
    std::int64_t number;
  };
  const auto name_of = [&](std::int64_t number) {
    const auto [block, at] = statistics.find(number);
    return block->name(at);
  };
  const TemporaryFolder folder;
  MappedFile file = MappedFile::create(
      folder.path() / "hashes", static_cast<std::size_t>(statistics.features()) * sizeof(Hashed));
  const std::span<Hashed> hashes = file.as<Hashed>();
  for (const auto& block : statistics.blocks()) {
    for (std::int64_t i = 0; i < block.features; ++i) {
      NameFingerprint fingerprint;
      fingerprint.add(block.name(i));
      hashes[static_cast<std::size_t>(block.first + i)] = {fingerprint.value(), block.first + i};
    }
  }
  std::sort(hashes.begin(), hashes.end(), [](const Hashed& a, const Hashed& b) {
    return std::tie(a.hash, a.number) < std::tie(b.hash, b.number);
  });
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t k = i + 1; k < hashes.size() && hashes[k].hash == hashes[i].hash; ++k) {
      const std::string_view name = name_of(hashes[i].number);
      if (name != name_of(hashes[k].number)) continue;
      throw InputError("{}: two features are named '{}'; rename one", statistics.origin(), name);
    }
  }
}

}  // namespace limber::screen
