#pragma once

#include <filesystem>
#include <string>

namespace limber {

/// What a Parquet file says of itself under `key`; "" where it says nothing. Throws InputError that
/// names a file that cannot be read.
std::string stored_metadata(const std::filesystem::path& path, const std::string& key);

}  // namespace limber
