#include "limber/core/config/label_groups.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

using Places = std::vector<std::vector<std::int64_t>>;

ExpertOptions options_of(const std::string& kind) {
  ExpertOptions options;
  options.kind = kind;
  options.count = 2;
  options.own = 2;
  options.groups = {{"reading", {"dwell", "click"}}, {"contribution", {"like"}}};
  return options;
}

TEST(LabelGroups, WhoSeesWhichExpert) {
  const std::vector<std::string> labels = {"click", "dwell", "like"};
  const LabelGroups groups(options_of("groups"), labels);
  EXPECT_EQ(groups.labels, (Places{{2}, {0, 1}}));
  EXPECT_EQ(groups.visible, (Places{{0}, {1}}));
  EXPECT_EQ(groups.experts, 2);
  const LabelGroups mixed(options_of("mmoe"), labels);
  EXPECT_EQ(mixed.visible, (Places{{0, 1}, {0, 1}}));
  EXPECT_EQ(mixed.experts, 2);
  const LabelGroups extracted(options_of("ple"), labels);
  EXPECT_EQ(extracted.visible, (Places{{0, 1, 2, 3}, {0, 1, 4, 5}}));
  EXPECT_EQ(extracted.experts, 6);
}

TEST(LabelGroups, WithoutGroupsEachLabelIsItsOwn) {
  ExpertOptions options = options_of("groups");
  options.groups.clear();
  EXPECT_EQ(LabelGroups(options, {"a", "b"}).labels, (Places{{0}, {1}}));
}

}  // namespace
}  // namespace limber
