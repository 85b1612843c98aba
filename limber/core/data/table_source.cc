#include "limber/core/data/table_source.h"

#include <algorithm>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/data/text_check.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// What to say of a column that is not there: the name that was meant, or else all there are.
std::string remedy(const std::string& wanted, const std::vector<std::string>& present) {
  if (std::string meant = did_you_mean(wanted, present); !meant.empty()) return meant;
  constexpr std::size_t kShown = 12;
  std::string names;
  for (std::size_t i = 0; i < std::min(kShown, present.size()); ++i) {
    names += (i == 0 ? "" : ", ") + present[i];
  }
  return fmt::format("; its columns are {}{}", names, present.size() > kShown ? ", ..." : "");
}

}  // namespace

bool is_parquet(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".parquet") || name.find(".parquet.") != std::string::npos;
}

void check_read(const arrow::Status& status, const fs::path& path) {
  if (status.ok()) return;
  std::string reason = status.message();
  reason.resize(std::min(reason.find('\n'), reason.size()));
  if (status.IsOutOfMemory()) throw Error("{}: {}", path.string(), reason);
  if (reason.find("straddl") != std::string::npos) {
    reason = "a row is longer than 4 MiB; is there a quote that is not closed?";
  }
  throw InputError("{}: cannot be read: {}", path.string(), reason);
}

void check_names(const std::vector<std::string>& names, const fs::path& path) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_utf8(names[i])) {
      throw InputError("{}: the name of column {} is not UTF-8", path.string(), i + 1);
    }
  }
}

void check_columns(const std::vector<std::string>& wanted, const std::vector<std::string>& present,
                   const fs::path& path) {
  for (const std::string& name : wanted) {
    const auto count = std::count(present.begin(), present.end(), name);
    if (count > 1) {
      throw InputError("{}: {} columns are named '{}'; rename all but one", path.string(), count,
                       name);
    }
    if (count == 0) {
      throw InputError("{}: has no column '{}'{}", path.string(), name, remedy(name, present));
    }
  }
}

}  // namespace limber
