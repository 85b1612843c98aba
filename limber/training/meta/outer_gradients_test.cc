#include "limber/training/meta/outer_gradients.h"

#include <gtest/gtest.h>
#include "limber/training/layers/parallel.h"

#include <cmath>
#include <map>

#include "limber/training/meta/test_episode.h"

namespace limber {
namespace {

using torch::Tensor;

#ifdef __SANITIZE_THREAD__
// OpenMP's barriers are invisible to the thread sanitizer: it would see races where there are none.
constexpr bool openmp_can_be_seen = false;
#else
constexpr bool openmp_can_be_seen = true;
#endif

/// Sets the number of compute threads for as long as it lives.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) {
    at::set_num_threads(openmp_can_be_seen ? count : 1);
  }
  ~Threads() { at::set_num_threads(before_); }

 private:
  int before_;
};

std::map<std::string, Tensor> gradients_of(const RankingModel& model,
                                           const std::vector<Tensor>& table_rows) {
  std::map<std::string, Tensor> gradients;
  const auto keep = [&](const std::string& name, const Tensor& tensor) {
    if (tensor.grad().defined()) gradients[name] = tensor.grad().clone();
  };
  for (const auto& parameter : model->named_parameters()) keep(parameter.key(), parameter.value());
  for (std::size_t t = 0; t < table_rows.size(); ++t) {
    keep("table " + std::to_string(t), table_rows[t]);
  }
  return gradients;
}

struct Case {
  const char* name;
  std::string parts;
  bool second = true;
  bool weights = false;
  bool wide_type = true;  ///< double; else float
  bool label_weights = false;
};

std::ostream& operator<<(std::ostream& out, const Case& value) {
  return out << value.name;
}

class DividedGradients : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case& given = GetParam();
    layout_ = test::small_layout(2);
    ModelOptions options = test::smooth_model();
    options.meta_block.enabled = given.parts != "none" && given.parts != "statistics";
    options.meta_block.adapt = given.parts == "embedding" ? "embedding" : "weights";
    options.meta_block.level = given.parts == "member" ? "member" : "interaction";
    options.meta_block.start = given.parts == "start" ? "history" : "zero";
    options.meta_block.activation = options.global_block.activation =
        given.wide_type ? "tanh" : "relu";
    const bool transformer = given.parts == "transformer";
    options.history.enabled = given.parts == "all" || given.parts == "start" || transformer;
    options.statistics.enabled = given.parts == "all" || given.parts == "statistics";
    options.history.pooling = transformer            ? "transformer"
                              : given.parts == "all" ? "attention"
                                                     : "mean";
    options.history.signal = "residual";
    options.history.dim = transformer ? 4 : 3;
    model_ = test::make_test_model(layout_, options, MetaOptions{},
                                   given.wide_type ? torch::kDouble : torch::kFloat);
    // Tasks of all sizes, one without support, one that is larger than a thread's share.
    batch_ =
        test::random_batch(layout_, {40, 0, 1, 700, 90, 3, 250}, {100, 20, 1, 30, 80, 7, 400}, 3);
    // Some labels are absent, and one task has none to rank by.
    Random random(8);
    for (float& label : batch_.rows.labels) {
      if (random.uniform() < 0.1) label = std::nanf("");
    }
    for (std::int64_t row = batch_.support_rows(); row < batch_.support_rows() + 100; ++row) {
      batch_.rows.labels[static_cast<std::size_t>(2 * row)] = std::nanf("");
      batch_.rows.labels[static_cast<std::size_t>(2 * row + 1)] = std::nanf("");
    }
    if (given.weights) test::weigh(batch_, 6);
    options_ = {.train = true, .second_order = given.second, .steps = 2};
    if (given.label_weights) options_.label_weights = torch::tensor({2.5, 0.5}, model_->tensor);
  }

  InputLayout layout_;
  RankingModel model_{nullptr};
  TaskBatch batch_;
  EpisodeOptions options_;
};

TEST_P(DividedGradients, EqualTheUndivided) {
  for (auto& parameter : model_->parameters()) parameter.mutable_grad() = Tensor();
  const Episode episode = run_episode(model_, batch_, options_);
  const LossSum loss = loss_sum(episode.query_logits, episode.query_labels, episode.query_weights,
                                options_.label_weights);
  loss.mean().backward();
  const auto expected = gradients_of(model_, episode.table_rows);
  EXPECT_GT(expected.size(), 8U);

  for (const int threads : {1, 2, 3, 6}) {
    SCOPED_TRACE(threads);
    const Threads set(threads);
    const OuterGradients outer = outer_gradients(model_, batch_, options_);
    // The task of 700 rows may fill two threads' shares.
    EXPECT_LE(outer.shares, threads);
    EXPECT_GT(outer.shares, openmp_can_be_seen ? threads / 2 : 0);
    const double exact = GetParam().wide_type ? 1e-9 : 1e-4;
    EXPECT_NEAR(outer.loss_sum, loss.sum.item<double>(), exact * loss.sum.item<double>());
    EXPECT_NEAR(outer.loss_count, loss.count.item<double>(), 1e-3);
    const auto found = gradients_of(model_, outer.table_rows);
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [name, gradient] : expected) {
      const double size = gradient.abs().max().item<double>();
      EXPECT_TRUE(torch::allclose(found.at(name), gradient, exact, exact * size)) << name;
    }
  }
}

TEST_P(DividedGradients, AreTheSameBitsEveryTime) {
  const Threads set(3);
  const auto first = gradients_of(model_, outer_gradients(model_, batch_, options_).table_rows);
  for (int time = 0; time < 5; ++time) {
    const auto again = gradients_of(model_, outer_gradients(model_, batch_, options_).table_rows);
    for (const auto& [name, gradient] : first) {
      EXPECT_TRUE(torch::equal(again.at(name), gradient)) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, DividedGradients,
    testing::Values(Case{"second_order", "weights"}, Case{"first_order", "weights", false},
                    Case{"embedding", "embedding"}, Case{"member_level", "member"},
                    Case{"all", "all"}, Case{"all_first_order", "all", false},
                    Case{"weighed", "all", true, true}, Case{"start", "start"},
                    Case{"statistics", "statistics"}, Case{"transformer", "transformer"},
                    Case{"label_weights", "all", true, true, true, true},
                    Case{"relu_in_float", "all", true, true, false},
                    Case{"without_support", "none"},
                    Case{"without_support_in_float", "none", true, true, false}),
    [](const auto& tested) { return tested.param.name; });

TEST(OuterGradients, DropoutDrawsTheSameMasksAgain) {
  const Threads set(3);
  const InputLayout layout = test::small_layout();
  ModelOptions options = test::smooth_model();
  options.global_block.dropout = 0.3;
  RankingModel model = test::make_test_model(layout, options, MetaOptions{});
  model->train();
  const TaskBatch batch = test::random_batch(layout, {300, 200}, {300, 400}, 3);
  const auto run = [&] {
    torch::manual_seed(5);
    return outer_gradients(model, batch, {.train = true, .second_order = true, .steps = 1})
        .loss_sum;
  };
  EXPECT_EQ(run(), run());
}

TEST(OuterGradients, FewLargeTasksStayTogether) {
  const InputLayout layout = test::small_layout();
  RankingModel model = test::make_test_model(layout, test::smooth_model(), MetaOptions{});
  const EpisodeOptions options{.train = true, .second_order = true, .steps = 1};
  const Threads set(6);
  const TaskBatch two = test::random_batch(layout, {300, 200}, {300, 400}, 3);
  EXPECT_EQ(outer_gradients(model, two, options).shares, 1);
  const TaskBatch three = test::random_batch(layout, {300, 200, 300}, {300, 400, 200}, 3);
  EXPECT_EQ(outer_gradients(model, three, options).shares, openmp_can_be_seen ? 3 : 1);
  const TaskBatch small = test::random_batch(layout, {3, 2, 3}, {3, 4, 2}, 3);
  EXPECT_EQ(outer_gradients(model, small, options).shares, 1);
}

}  // namespace
}  // namespace limber
