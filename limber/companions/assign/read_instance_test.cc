#include "limber/companions/assign/read_instance.h"

#include <gtest/gtest.h>

#include <fstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber::assign {
namespace {

/// A small organisation: three people, two open positions, three candidates.
class ReadInstanceTest : public testing::Test {
 protected:
  ReadInstanceTest() {
    put("edges", "from,to\na,b\nb,a\nb,lead\nlead,clerk\nclerk,c\n");
    put("nodes", "node,team,sex\na,1,f\nb,2,m\nc,1,m\nlead,,\n");
    put("positions", "position\nlead\nclerk\n");
    put("candidates", "candidate,sex,team,source\n7,f,1,in\n8,m,2,out\nx,m,3,in\n");
    put("fitness", "candidate,position,fitness\n7,lead,0.5\n8,lead,-1\n7,clerk,2\nx,clerk,1e-3\n");
    files_.attributes = {"team", "sex"};
  }

  void put(const std::string& table, const std::string& text) {
    const std::string path = (folder_.path() / (table + ".csv")).string();
    std::ofstream(path) << text;
    for (const auto& [name, file] : std::initializer_list<std::pair<const char*, std::string*>>{
             {"edges", &files_.edges},
             {"nodes", &files_.nodes},
             {"positions", &files_.positions},
             {"candidates", &files_.candidates},
             {"fitness", &files_.fitness},
             {"eligible", &files_.eligible},
             {"fixed", &files_.fixed},
             {"quotas", &files_.quotas},
             {"given", &files_.given}}) {
      if (table == name) *file = path;
    }
  }

  /// The message for a changed table.
  std::string refusal() {
    try {
      read_instance(files_);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  }
  void expect_refused(const std::string& table, const std::string& text,
                      std::initializer_list<const char*> words) {
    const InstanceFiles before = files_;
    std::string old;
    const std::filesystem::path path = folder_.path() / (table + ".csv");
    if (std::filesystem::exists(path)) old = read_file(path);
    put(table, text);
    const std::string message = refusal();
    EXPECT_NE(message.find(table + ".csv"), std::string::npos) << message;
    for (const char* word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
    }
    if (!old.empty()) put(table, old);
    files_ = before;
  }

  TemporaryFolder folder_;
  InstanceFiles files_;
};

TEST_F(ReadInstanceTest, ReadsEverything) {
  const ReadInstance read = read_instance(files_);
  const Instance& instance = read.instance;
  EXPECT_EQ(instance.network.size(), 5);
  EXPECT_EQ(instance.network.ties(), 4);
  EXPECT_EQ(read.repeated_ties, 1);
  EXPECT_EQ(instance.position_name(0), "lead");
  EXPECT_EQ(instance.position_name(1), "clerk");
  EXPECT_EQ(instance.candidate_names, (std::vector<std::string>{"7", "8", "x"}));
  EXPECT_EQ(instance.attributes[0].groups, (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(instance.attributes[1].of_node[static_cast<std::size_t>(instance.positions[0])], kNone);
  EXPECT_EQ(instance.profiles[static_cast<std::size_t>(instance.profile_of[2])],
            (std::vector<Group>{2, 1}));
  ASSERT_NE(instance.find(1, 0), nullptr);
  EXPECT_EQ(instance.find(1, 0)->fitness, 2);
  EXPECT_EQ(instance.find(0, 2), nullptr);
}

TEST_F(ReadInstanceTest, ConstraintsNarrowThePairs) {
  put("eligible", "candidate,position\n8,lead\n7,clerk\nx,clerk\n");
  put("fixed", "position,candidate\nclerk,7\n");
  put("quotas", "column,value,at_least,at_most\nsource,in,1,\nsource,out,,2\n");
  put("given", "candidate,position\nx,clerk\n8,lead\n");
  const ReadInstance read = read_instance(files_);
  EXPECT_EQ(read.instance.pairs.size(), 2U);
  EXPECT_EQ(read.unfixed.pairs.size(), 3U);
  ASSERT_EQ(read.instance.quotas.size(), 2U);
  EXPECT_EQ(read.instance.quotas[0].name, "source = in");
  EXPECT_EQ(read.instance.quotas[1].at_most, 2);
  EXPECT_EQ(read.instance.quota_of, (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_EQ(read.given.assignment, (Assignment{1, 2}));
  EXPECT_EQ(read.given.broken_fixed, 1);
  EXPECT_TRUE(read.given.broken_quotas.empty());
}

TEST_F(ReadInstanceTest, ColumnsMayHaveOtherNames) {
  put("fitness", "member,slot,score\n7,lead,1\n");
  files_.columns = {
      {"fitness.candidate", "member"}, {"fitness.position", "slot"}, {"fitness.fitness", "score"}};
  EXPECT_EQ(read_instance(files_).instance.pairs.size(), 1U);
  files_.columns = {{"fitness.candidat", "member"}};
  EXPECT_NE(refusal().find("did you mean fitness.candidate"), std::string::npos);
}

TEST_F(ReadInstanceTest, QuotasMayCountAProtectedAttribute) {
  put("quotas", "column,value,at_least,at_most\nsex,f,1,1\n");
  EXPECT_EQ(read_instance(files_).instance.quota_of, (std::vector<std::int32_t>{0, kNone, kNone}));
}

TEST_F(ReadInstanceTest, NamesFileRowAndColumnOfWhatIsWrong) {
  expect_refused("edges", "from,to\na,b\na,nobody\n", {"row 2", "column to", "nobody"});
  expect_refused("edges", "from,to\na,a\n", {"row 1", "itself"});
  expect_refused("edges", "from,to\na,\n", {"row 1", "column to", "empty"});
  expect_refused("edges", "from,too\na,b\n", {"to"});
  expect_refused("nodes", "node,team,sex\na,1,f\nb,2,m\nc,1,\n", {"row 3", "column sex"});
  expect_refused("nodes", "node,team,sex\na,1,f\na,2,m\n", {"row 2", "already"});
  expect_refused("positions", "position\nlead\nlead\n", {"row 2", "already"});
  expect_refused("positions", "position\nclerk\nlead\nnowhere\n", {"nowhere", "is no node"});
  expect_refused("candidates", "candidate,sex,team\n7,f,1\n7,f,1\n", {"row 2", "already"});
  expect_refused("candidates", "candidate,sex,team\n7,,1\n", {"row 1", "column sex"});
  expect_refused("candidates", "candidate,sex,team\n7,f,1\nb,m,2\n",
                 {"row 2", "column candidate", "b is a node", "nodes.csv", "twice"});
  expect_refused("fitness", "candidate,position,fitness\n7,lead,high\n", {"row 1", "high"});
  expect_refused("fitness", "candidate,position,fitness\n7,lead,\n", {"row 1", "column fitness"});
  expect_refused("fitness", "candidate,position,fitness\n7,lead,nan\n", {"row 1"});
  expect_refused("fitness", "candidate,position,fitness\n7,lead,1\n8,clerk,-1e308\n",
                 {"row 2", "column fitness", "overflow"});
  expect_refused("fitness", "candidate,position,fitness\n9,lead,1\n",
                 {"row 1", "9", "no candidate"});
  expect_refused("fitness", "candidate,position,fitness\n7,a,1\n", {"row 1", "no open position"});
  expect_refused("fitness", "candidate,position,fitness\n7,lead,1\n7,lead,2\n",
                 {"row 2", "already"});
  expect_refused("eligible", "candidate,position\nx,lead\n", {"row 1", "not eligible"});
  expect_refused("fixed", "candidate,position\nx,lead\n", {"row 1", "not eligible"});
  expect_refused("fixed", "candidate,position\n7,lead\n7,clerk\n", {"row 2", "has position lead"});
  expect_refused("fixed", "candidate,position\n7,lead\n8,lead\n", {"row 2", "has candidate 7"});
  expect_refused("given", "candidate,position\n7,lead\n", {"position clerk has no candidate"});
  expect_refused("quotas", "column,value,at_least,at_most\nsource,in,2,1\n", {"row 1", "at_least"});
  expect_refused("quotas", "column,value,at_least,at_most\nsource,in,1.5,\n", {"row 1", "count"});
  expect_refused("quotas", "column,value,at_least,at_most\nsource,in,1,\nsex,f,1,\n",
                 {"row 2", "one column"});
  expect_refused("quotas", "column,value,at_least,at_most\nsource,moon,1,\n", {"source = moon"});
  expect_refused("quotas", "column,value,at_least,at_most\nsource,in,1,\nsource,in,1,\n",
                 {"row 2", "already"});
  EXPECT_EQ(refusal(), "");
}

TEST_F(ReadInstanceTest, WhoLeavesAnOpenPositionMayBeACandidate) {
  put("candidates", "candidate,sex,team\nlead,f,1\n7,m,2\n8,f,1\nx,m,3\n");
  EXPECT_EQ(read_instance(files_).instance.candidate_names[0], "lead");
}

TEST_F(ReadInstanceTest, AttributesAreClasses) {
  std::string nodes = "node,team,sex\n";
  for (int i = 0; i < 250; ++i) nodes += fmt::format("n{},{},f\n", i, i);
  expect_refused("nodes", nodes, {"row 201", "column team", "bands"});
  files_.attributes = {"team", "team"};
  EXPECT_NE(refusal().find("twice"), std::string::npos);
}

}  // namespace
}  // namespace limber::assign
