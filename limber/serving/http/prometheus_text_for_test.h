#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <sstream>
#include <string>

namespace limber::http {

/// The text exposition format, read back strictly: every line is a comment or a sample, and every
/// sample's family was announced by a TYPE line.
class PrometheusText {
 public:
  explicit PrometheusText(const std::string& text) {
    std::istringstream lines(text);
    std::string line, family;
    while (std::getline(lines, line)) {
      if (line.starts_with("# HELP ")) continue;
      if (line.starts_with("# TYPE ")) {
        family = line.substr(7, line.find(' ', 7) - 7);
        continue;
      }
      const std::size_t space = line.rfind(' ');
      if (space == std::string::npos) {
        ADD_FAILURE() << "not a sample: " << line;
        continue;
      }
      EXPECT_TRUE(!family.empty() && line.starts_with(family)) << line;
      std::size_t read = 0;
      const double value = std::stod(line.substr(space + 1), &read);
      EXPECT_EQ(read, line.size() - space - 1) << line;
      EXPECT_TRUE(samples_.emplace(line.substr(0, space), value).second) << "twice: " << line;
    }
    EXPECT_TRUE(text.ends_with('\n'));
  }

  /// The sample of that name and labels, written as in the text; not a number when there is none.
  double value(const std::string& name) const {
    const auto found = samples_.find(name);
    return found == samples_.end() ? std::nan("") : found->second;
  }

 private:
  std::map<std::string, double> samples_;
};

}  // namespace limber::http
