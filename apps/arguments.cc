#include "apps/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/base/nearest_word.h"

namespace limber {
namespace {

/// The innermost verb that the arguments name.
const CLI::App* innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

/// The verb with the verbs around it, as typed: "limber screen fit".
std::string path_of(const CLI::App* verb) {
  std::string path = verb->get_name();
  for (const CLI::App* at = verb->get_parent(); at != nullptr; at = at->get_parent()) {
    path = at->get_name() + " " + path;
  }
  return path;
}

/// All that may be typed for an option of the verb or of those around it.
std::vector<std::string> option_names(const CLI::App* verb) {
  std::vector<std::string> names;
  for (; verb != nullptr; verb = verb->get_parent()) {
    for (const CLI::Option* option : verb->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
      for (const auto& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  return names;
}

/// The first argument that looks like an option and is none, without its value; or nothing. CLI11
/// complains of a missing argument before it complains of an unknown one, which then seems to be
/// right.
std::string unknown_option(int argc, char** argv, const std::vector<std::string>& names) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") break;
    const bool option =
        word.size() > 1 && word[0] == '-' &&
        std::isalpha(static_cast<unsigned char>(word[word.size() > 2 && word[1] == '-' ? 2 : 1])) !=
            0;
    if (!option) continue;
    std::string name = word.substr(0, word.find('='));
    if (name[1] != '-') name = name.substr(0, 2);
    if (std::ranges::find(names, name) == names.end()) return name;
  }
  return "";
}

std::string explain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const CLI::App* verb = innermost(&app);
  const auto names = option_names(verb);
  if (const std::string word = unknown_option(argc, argv, names); !word.empty()) {
    return fmt::format("no option {}{}", word, did_you_mean(word, names));
  }
  std::vector<std::string> verbs;
  for (const CLI::App* inner : verb->get_subcommands(nullptr)) verbs.push_back(inner->get_name());
  if (!verbs.empty()) {
    const auto remaining = verb->remaining();
    if (remaining.empty()) return fmt::format("needs one of: {}", fmt::join(verbs, ", "));
    return fmt::format("no verb '{}'{}", remaining.front(), did_you_mean(remaining.front(), verbs));
  }
  std::string text = error.what();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app.exit(error);
      return 0;
    }
    const std::string verb = path_of(innermost(&app));
    fmt::print(stderr, "error: {}: {} (see `{} --help`)\n", verb, explain(app, error, argc, argv),
               verb);
    return 2;
  }
}

void add_quiet(CLI::App& app, bool& quiet) {
  const auto verbs = app.get_subcommands(nullptr);
  for (CLI::App* verb : verbs) add_quiet(*verb, quiet);
  if (verbs.empty() && app.get_option_no_throw("--quiet") == nullptr) {
    app.add_flag("--quiet,-q", quiet, "No progress lines");
  }
}

}  // namespace limber
