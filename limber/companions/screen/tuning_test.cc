#include "limber/companions/screen/tuning.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"

namespace limber::screen {
namespace {

TEST(Tuning, FoldsAreStratifiedAndSeeded) {
  std::vector<int> classes;
  for (int i = 0; i < 50; ++i) classes.push_back(i < 13 ? 0 : i < 20 ? 1 : 2);
  const std::vector<int> folds = stratified_folds(classes, 5, 1);
  std::vector<int> sizes(5, 0);
  for (int k = 0; k < 3; ++k) {
    std::vector<int> of_class(5, 0);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (classes[i] == k) ++of_class[static_cast<std::size_t>(folds[i])];
    }
    const auto [least, most] = std::minmax_element(of_class.begin(), of_class.end());
    EXPECT_LE(*most - *least, 1) << "class " << k;
    for (std::size_t f = 0; f < 5; ++f) sizes[f] += of_class[f];
  }
  EXPECT_EQ(sizes, (std::vector<int>{10, 10, 10, 10, 10}));
  EXPECT_EQ(stratified_folds(classes, 5, 1), folds);
  EXPECT_NE(stratified_folds(classes, 5, 2), folds);
}

TEST(Tuning, KeepsWhatIsWithinOneStandardError) {
  using Places = std::vector<std::size_t>;
  // Fewest 4: up to 4 + 2.
  const std::vector<std::int64_t> wrong{9, 4, 7, 6, 4, 5, 4};
  EXPECT_EQ(chosen_candidates(wrong, false), (Places{1, 3, 4, 5, 6}));
  EXPECT_EQ(chosen_candidates(wrong, true), Places{4});
  const std::vector<std::int64_t> none{0, 1, 0, 0, 0};
  EXPECT_EQ(chosen_candidates(none, false), (Places{0, 2, 3, 4}));
  EXPECT_EQ(chosen_candidates(none, true), Places{2});
}

/// Labels that follow the scores' own probabilities ask for a sharpness of one, scores too large by
/// a factor for its inverse.
TEST(Tuning, SharpnessCalibrates) {
  Random random(5);
  std::vector<double> scores;
  std::vector<int> truth;
  for (int i = 0; i < 20000; ++i) {
    scores.push_back(3 * random.normal());
    truth.push_back(random.uniform() < 1 / (1 + std::exp(-scores.back())) ? 1 : 0);
  }
  EXPECT_NEAR(fit_sharpness(RuleKind::kTwoClasses, scores, truth, 2), 1, 0.05);
  for (double& score : scores) score *= 40;
  EXPECT_NEAR(fit_sharpness(RuleKind::kTwoClasses, scores, truth, 2), 1.0 / 40, 0.05 / 40);
  // Scores that say nothing are not to be trusted; scores without an error are, but not for ever.
  for (int& label : truth) label = static_cast<int>(random.below(2));
  EXPECT_LT(fit_sharpness(RuleKind::kTwoClasses, scores, truth, 2), 1e-3);
  const std::vector<double> sure{-1, -1, 1, 1};
  const std::vector<int> right{0, 0, 1, 1};
  EXPECT_NEAR(fit_sharpness(RuleKind::kTwoClasses, sure, right, 2), std::log(5.0), 1e-4);
}

/// A source in memory: `different` of `features` tell class b from class a.
class Drawn : public FeatureSource {
 public:
  Drawn(int samples, int features, int different) {
    Random random(9);
    for (int i = 0; i < samples; ++i) {
      samples_.push_back(std::to_string(i));
      labels_.emplace_back(i % 3 ? "a" : "b");
    }
    for (int j = 0; j < features; ++j) {
      block_.names.add("f" + std::to_string(j));
      for (int i = 0; i < samples; ++i) {
        block_.values.push_back(random.normal() + (j < different && i % 3 == 0 ? 1.5 : 0));
      }
    }
  }
  const std::vector<std::string>& samples() const override { return samples_; }
  const std::vector<std::string>& labels() const override { return labels_; }
  bool next(FeatureBlock& block) override {
    if (done_) return false;
    block = block_;
    return done_ = true;
  }
  void rewind() override { done_ = false; }
  double share_done() const override { return done_; }
  std::string origin() const override { return "drawn"; }

 private:
  std::vector<std::string> samples_, labels_;
  FeatureBlock block_;
  bool done_ = false;
};

class Tuned : public ::testing::Test {
 protected:
  Drawn source_{60, 400, 30};
  Classes classes_ = classes_of(source_.labels(), "drawn");
  SampleMatrix matrix_{source_, {}, {}};
  std::vector<int> all_ = [] {
    std::vector<int> all(60);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }();
};

TEST_F(Tuned, LearnsWhatTheDataAreMadeOf) {
  const FitOptions options;
  const Tuning tuning = tune(matrix_, classes_, all_, options, 5, 1);
  EXPECT_EQ(tuning.tried.size(), 45U);
  EXPECT_EQ(tuning.wrong.size(), 45U);
  EXPECT_EQ(tuning.samples, 60);
  EXPECT_LT(tuning.error, 0.1);
  EXPECT_GT(tuning.sharpness, 0);
  ASSERT_EQ(tuning.candidates.size(), chosen_candidates(tuning.wrong, false).size());
  ASSERT_EQ(tuning.candidates.size(), tuning.divisors.size());
  for (const double divisor : tuning.divisors) EXPECT_GT(divisor, 0);

  FitOptions single = options;
  single.single = true;
  const Tuning one = tune(matrix_, classes_, all_, single, 5, 1);
  EXPECT_EQ(one.wrong, tuning.wrong);
  ASSERT_EQ(one.candidates.size(), 1U);
  const std::size_t place = chosen_candidates(tuning.wrong, true)[0];
  EXPECT_EQ(one.candidates[0].features, tuning.tried[place].features);
  EXPECT_EQ(one.candidates[0].share, tuning.tried[place].share);
  EXPECT_NEAR(one.error, static_cast<double>(one.wrong[place]) / 60, 1e-12);
}

/// The samples that are not to learn from must not matter.
TEST_F(Tuned, LooksAtItsTrainingSamplesAlone) {
  const std::vector<int> training(all_.begin(), all_.begin() + 45);
  Classes other = classes_;
  for (std::size_t i = 45; i < 60; ++i) other.of_sample[i] = 1 - other.of_sample[i];
  const Tuning one = tune(matrix_, classes_, training, {}, 5, 1);
  const Tuning two = tune(matrix_, other, training, {}, 5, 1);
  EXPECT_EQ(one.wrong, two.wrong);
  EXPECT_EQ(one.divisors, two.divisors);
  EXPECT_EQ(one.sharpness, two.sharpness);
}

TEST_F(Tuned, RefusesAClassOfOne) {
  // Samples 0, 3, 6, ... are of class b.
  try {
    tune(matrix_, classes_, std::vector<int>{0, 1, 2, 4, 5}, {}, 5, 1);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("class 'b' has 1 sample "), std::string::npos);
  }
}

}  // namespace
}  // namespace limber::screen
