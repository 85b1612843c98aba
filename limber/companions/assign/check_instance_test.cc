#include "limber/companions/assign/check_instance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "limber/companions/assign/fitness_scale.h"
#include "limber/companions/assign/synthetic_instance.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber::assign {
namespace {

class CheckInstanceTest : public testing::Test {
 protected:
  CheckInstanceTest() {
    files_.edges = put("edges", "from,to\na,p\np,q\n");
    files_.nodes = put("nodes", "node,team\na,1\n");
    files_.positions = put("positions", "position\np\nq\n");
    files_.candidates = put("candidates", "candidate,team\nx,1\ny,2\nz,1\n");
    files_.fitness = put("fitness", "candidate,position,fitness\nx,p,1\ny,p,2\ny,q,3\nz,q,4\n");
    files_.attributes = {"team"};
  }

  std::string put(const std::string& table, const std::string& text) {
    std::string path = (folder_.path() / (table + ".csv")).string();
    std::ofstream(path) << text;
    return path;
  }

  void expect_refused(std::initializer_list<const char*> words) {
    try {
      check_instance(read_instance(files_), files_);
      FAIL() << "nothing was refused";
    } catch (const InputError& error) {
      const std::string message = error.what();
      for (const char* word : words) {
        EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
      }
    }
  }

  TemporaryFolder folder_;
  InstanceFiles files_;
};

TEST_F(CheckInstanceTest, LetsGoodTablesPass) {
  check_instance(read_instance(files_), files_);
}

TEST_F(CheckInstanceTest, RefusesASentinel) {
  put("fitness", "candidate,position,fitness\nx,p,1\ny,p,2\ny,q,-1e12\nz,q,4\nx,q,3\n");
  expect_refused({"fitness.csv", "row 3", "column fitness", "leave the pair out of the table"});
}

TEST_F(CheckInstanceTest, BlamesTheFitnessTableFirst) {
  put("fitness", "candidate,position,fitness\nx,p,1\n");
  files_.eligible = put("eligible", "candidate,position\nx,p\n");
  files_.fixed = put("fixed", "candidate,position\nx,p\n");
  expect_refused({"fitness.csv", "position q cannot be filled"});
}

TEST_F(CheckInstanceTest, BlamesTheTableOfEligiblePairs) {
  files_.eligible = put("eligible", "candidate,position\nx,p\ny,p\n");
  expect_refused({"eligible.csv: position q cannot be filled", "add rows"});
}

TEST_F(CheckInstanceTest, BlamesTheFixedRow) {
  put("fitness", "candidate,position,fitness\nx,p,1\ny,p,2\ny,q,3\n");
  files_.fixed = put("fixed", "candidate,position\ny,p\n");
  expect_refused({"fixed.csv: row 1, column candidate: with candidate y fixed at position p",
                  "remove this row", "position q cannot be filled"});
}

TEST_F(CheckInstanceTest, BlamesTheFixedRowThatAQuotaForbids) {
  files_.quotas = put("quotas", "column,value,at_least,at_most\nteam,2,,0\n");
  put("fitness", "candidate,position,fitness\nx,p,1\ny,p,2\ny,q,3\nz,q,4\n");
  files_.fixed = put("fixed", "candidate,position\nx,p\ny,q\n");
  expect_refused({"fixed.csv: row 2", "candidate y fixed at position q", "team = 2"});
}

TEST(FitnessScale, KnowsSentinelsFromData) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    Instance instance = small_instance({}, random);
    EXPECT_LT(farthest_outlier(instance)->ratio, 1e4);
    for (Pair& pair : instance.pairs) pair.fitness += 1e11;
    EXPECT_LT(farthest_outlier(instance)->ratio, 1e4);
    for (Pair& pair : instance.pairs) pair.fitness -= 1e11;
    // What a softmax gives: nearly all to one.
    for (Pair& pair : instance.pairs) pair.fitness = std::pow(pair.fitness, 20);
    EXPECT_LT(farthest_outlier(instance)->ratio, kMostOutlying / 100);
    for (Pair& pair : instance.pairs)
      pair.fitness = random.below(3) == 0 ? -1e12 : random.uniform();
    EXPECT_GT(farthest_outlier(instance)->ratio, kMostOutlying);
    // Most of them.
    for (Pair& pair : instance.pairs)
      pair.fitness = random.below(3) == 0 ? random.uniform() : -1e12;
    EXPECT_GT(farthest_outlier(instance)->ratio, kMostOutlying);
    for (Pair& pair : instance.pairs) pair.fitness = 0.1 + 0.2;
    EXPECT_FALSE(farthest_outlier(instance));
  }
}

}  // namespace
}  // namespace limber::assign
