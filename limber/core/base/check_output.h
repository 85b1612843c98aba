#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace limber {

/// Throws InputError where the file `path` could not be written, to be called before the work whose
/// result goes there: the folder that it lies in is missing or refuses new files, or `path` itself
/// is a folder or a device. The line begins with `option` and the path, as the user typed them, and
/// names the remedy. An existing file is left as it is and may be read-only, for outputs replace
/// files by renaming. "" is no file, and always fine.
void check_output_file(std::string_view option, const std::filesystem::path& path);

/// The same for a folder that the work makes where it is missing, with the folders above it.
/// Nothing is made here.
void check_output_folder(std::string_view option, const std::filesystem::path& path);

/// Throws InputError where the output is one of the inputs, which it would replace.
void check_output_apart(std::string_view option, const std::filesystem::path& path,
                        const std::vector<std::filesystem::path>& inputs);

}  // namespace limber
