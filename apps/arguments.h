#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace limber {

/// Parses the arguments of a program. Nothing when the verbs may run; else the exit code: 0 after
/// help, 2 after one line on stderr that says what is wrong and, for a misspelt option or verb,
/// what was probably meant.
std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv);

/// Gives every innermost verb of a program, unless it has its own, the flag --quiet, so that each
/// verb's --help shows it. To be called when all verbs are declared.
void add_quiet(CLI::App& app, bool& quiet);

}  // namespace limber
