#include <gtest/gtest.h>

#include <sstream>

#include "limber/core/base/files.h"
#include "limber/core/config/config.h"
#include "limber/core/config/option_list.h"

namespace limber {
namespace {

TEST(OptionsPage, IsTheOneInTheRepository) {
  EXPECT_TRUE(read_file(LIMBER_SOURCE_DIR "/docs/options.md") == options_page())
      << "docs/options.md does not match limber/core/config/options.h; regenerate it with\n"
         "  limber-tools options > docs/options.md";
}

TEST(OptionsPage, HasOneRowForEachOption) {
  const std::string page = options_page();
  std::size_t rows = 0, options = 0;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) rows += line.starts_with("| `") ? 1 : 0;
  for (const OptionSection& section : list_options()) {
    options += section.options.size();
    for (const Option& option : section.options) {
      EXPECT_NE(page.find("| `" + option.name + "` | " + option.type + " |"), std::string::npos)
          << option.name;
    }
  }
  EXPECT_EQ(rows, options);
}

TEST(OptionsPage, EveryRowHasFiveCells) {
  std::istringstream lines(options_page());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) continue;
    int bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1 : 0;
    }
    EXPECT_EQ(bars, 6) << line;
  }
}

TEST(OptionsHelp, HasOneLineForEachOption) {
  const std::string help = options_help();
  for (const OptionSection& section : list_options()) {
    for (const Option& option : section.options) {
      const std::string start = "\n  " + join_path(section.path, option.name) + "=";
      const std::size_t place = help.find(start);
      ASSERT_NE(place, std::string::npos) << start;
      const std::string line = help.substr(place + 1, help.find('\n', place + 1) - place - 1);
      EXPECT_NE(line.find(option.sentence), std::string::npos) << line;
      for (const std::string& choice : option.constraint.choices) {
        EXPECT_NE(line.find(choice), std::string::npos) << line;
      }
    }
  }
}

}  // namespace
}  // namespace limber
