#include "apps/refresh_parts.h"

#include <fmt/format.h>

#include "limber/core/base/error.h"
#include "limber/core/data/parquet_metadata.h"

namespace limber {
namespace fs = std::filesystem;

std::string log_fingerprint(const std::vector<fs::path>& files,
                            const std::vector<std::string>& settings) {
  std::string text;
  for (const fs::path& file : files) {
    text += fmt::format("{} {}\n", file.filename().string(), fs::file_size(file));
  }
  for (const std::string& setting : settings) {
    // Where the log is may differ from machine to machine.
    if (!setting.starts_with("data.interactions=") && setting.find(".path=") == std::string::npos) {
      text += setting + "\n";
    }
  }
  return text;
}

std::string part_prefix(const std::string& version, const MemberShard& shard) {
  if (shard.all()) return version + "-";
  return fmt::format("{}-shard-{}-of-{}-", version, shard.index, shard.count);
}

void check_same_refresh(const fs::path& folder, const std::string& version,
                        const MemberShard& shard, const std::string& fingerprint) {
  const auto refuse = [&](const std::string& name, const std::string& why) {
    throw InputError(
        "--output {}: holds {}, {}; name a folder for each refresh, or remove what is there",
        folder.string(), name, why);
  };
  const std::string of = fmt::format("-of-{}-", shard.count);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".") || entry.path().extension() != ".parquet") continue;
    if (!name.starts_with(version + "-")) refuse(name, "which is not of this version");
    const bool sharded = name.starts_with(version + "-shard-");
    if (sharded == shard.all() || (sharded && name.find(of) == std::string::npos)) {
      refuse(name, "of this version in other shards");
    }
    std::string stored;
    try {
      stored = stored_metadata(entry.path(), kLogKey);
    } catch (const InputError& error) {
      throw InputError("{}; remove it, and it is made again", error.what());
    }
    if (stored != fingerprint) {
      refuse(name, "which was adapted to another log, or this log has changed since");
    }
  }
}

}  // namespace limber
