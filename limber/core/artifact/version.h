#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Versions of a model are folders models/NAME/000001, 000002, ...; the highest is the latest.
namespace limber {

/// At least six digits, so that names sort like numbers.
std::string version_name(std::uint64_t number);
/// The inverse; nothing where the name is not one that `version_name` makes.
std::optional<std::uint64_t> parse_version(std::string_view name);

/// Ascending. Empty where the folder does not exist. Throws Error when it cannot be listed.
std::vector<std::uint64_t> list_versions(const std::filesystem::path& model_folder);

/// Throws InputError unless `name` can name a model's folder: letters, digits, '.', '_' and '-',
/// not beginning with '.'.
void check_model_name(std::string_view name);

}  // namespace limber
