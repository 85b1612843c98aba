#include "limber/companions/assign/group_notes.h"

#include <gtest/gtest.h>

#include "limber/companions/assign/synthetic_instance.h"

namespace limber::assign {
namespace {

TEST(GroupNotes, SayNothingOfOrdinaryGroups) {
  Random random(2);
  Instance instance = small_instance({}, random);
  set_profiles(instance, {std::vector<Group>(instance.attributes.size(), 0),
                          std::vector<Group>(instance.attributes.size(), 1)});
  EXPECT_TRUE(notes_on_groups(instance).empty());
}

TEST(GroupNotes, NameConstantAttributes) {
  Instance instance;
  instance.attributes = {{"team", {"red"}, {}}, {"sex", {"f", "m"}, {}}};
  set_profiles(instance, {{0, 0}, {0, 1}});
  ASSERT_EQ(notes_on_groups(instance).size(), 1U);
  EXPECT_NE(notes_on_groups(instance)[0].find("team = red, as everyone"), std::string::npos);
  set_profiles(instance, {{0, 1}, {0, 1}});
  const std::vector<std::string> notes = notes_on_groups(instance);
  ASSERT_EQ(notes.size(), 3U);
  EXPECT_NE(notes[1].find("sex = m: no assignment"), std::string::npos);
  EXPECT_NE(notes[2].find("only fitness counts"), std::string::npos);
}

TEST(GroupNotes, NameGroupsThatLookAlike) {
  Instance instance;
  instance.attributes = {{"sex", {"Woman", "man", " woman\n"}, {}}};
  set_profiles(instance, {{0}, {1}});
  const std::vector<std::string> notes = notes_on_groups(instance);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("'Woman' and ' woman\\n' of sex"), std::string::npos) << notes[0];
}

TEST(OnOneLine, EscapesControlCharacters) {
  EXPECT_EQ(on_one_line("a\nb\r\tc\x1b\x7f \xc3\xa9"), "a\\nb\\r\\tc\\x1b\\x7f \xc3\xa9");
}

}  // namespace
}  // namespace limber::assign
