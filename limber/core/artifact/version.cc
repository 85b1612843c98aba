#include "limber/core/artifact/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "limber/core/base/error.h"

namespace limber {
namespace fs = std::filesystem;

std::string version_name(std::uint64_t number) {
  return fmt::format("{:06}", number);
}

std::optional<std::uint64_t> parse_version(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  // Naming the number again settles leading zeros, signs and trailing text in one comparison.
  if (problem != std::errc() || number == 0 || version_name(number) != name) return std::nullopt;
  return number;
}

std::vector<std::uint64_t> list_versions(const fs::path& model_folder) {
  std::vector<std::uint64_t> versions;
  std::error_code code;
  fs::directory_iterator entry(model_folder, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (const auto number = parse_version(entry->path().filename().string())) {
      versions.push_back(*number);
    }
  }
  if (code && code != std::errc::no_such_file_or_directory) {
    throw Error("{}: cannot be listed: {}", model_folder.string(), code.message());
  }
  std::ranges::sort(versions);
  return versions;
}

void check_model_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  if (name.empty() || name.front() == '.' ||
      name.find_first_not_of(kAllowed) != std::string_view::npos) {
    throw InputError(
        "name: \"{}\" cannot name a model; use letters, digits, '.', '_' and '-', and begin with "
        "no '.'",
        name);
  }
}

}  // namespace limber
