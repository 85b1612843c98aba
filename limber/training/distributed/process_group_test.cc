#include "limber/training/distributed/process_group.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "limber/core/base/error.h"
#include "limber/training/distributed/ranks_for_test.h"

namespace limber {
namespace {

TEST(ProcessGroup, ReducesGathersAndExchanges) {
  for (const int size : {2, 3, 4}) {
    run_ranks(size, [size](const std::shared_ptr<ProcessGroup>& ranks) {
      const int rank = ranks->rank();
      const torch::Tensor sum = torch::full({3}, rank + 1.0, torch::kDouble);
      ranks->all_reduce(sum);
      EXPECT_EQ(sum[2].item<double>(), size * (size + 1) / 2.0);
      EXPECT_EQ(ranks->broadcast(10.0 + rank), 10.0);

      // Rank r has r rows: rank 0 none.
      const auto all = ranks->all_gather(torch::full({rank, 2}, rank, torch::kLong));
      ASSERT_EQ(all.size(), static_cast<std::size_t>(size));
      for (int r = 0; r < size; ++r) {
        EXPECT_TRUE(
            torch::equal(all[static_cast<std::size_t>(r)], torch::full({r, 2}, r, torch::kLong)));
      }

      // To rank r, r copies of one's own number: all that rank 0 gets is nothing.
      std::vector<std::int64_t> send, receive(static_cast<std::size_t>(size), rank);
      for (int r = 0; r < size; ++r) send.push_back(r);
      const torch::Tensor got = ranks->all_to_all(
          torch::full({size * (size - 1) / 2}, rank, torch::kFloat), send, receive);
      ASSERT_EQ(got.numel(), size * rank);
      for (int r = 0; r < size && rank > 0; ++r) {
        EXPECT_TRUE((got.narrow(0, r * rank, rank) == r).all().item<bool>());
      }
    });
  }
}

TEST(ProcessGroup, AGoneProcessIsNamedAndNotWaitedFor) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::thread leaving([&] { const ProcessGroup gone(store, 1, 2); });
  ProcessGroup stays(store, 0, 2);
  leaving.join();
  try {
    stays.all_reduce(torch::zeros({1}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("another process is gone"), std::string::npos)
        << error.what();
  }
}

class Environment : public testing::Test {
 protected:
  ~Environment() override {
    for (const char* name : {"WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"}) unsetenv(name);
  }
  static std::string complaint() {
    try {
      ProcessGroup::from_environment();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Environment, OneProcessIsAlone) {
  EXPECT_EQ(ProcessGroup::from_environment(), nullptr);
  setenv("WORLD_SIZE", "1", 1);
  EXPECT_EQ(ProcessGroup::from_environment(), nullptr);
}

TEST_F(Environment, NonsenseIsNamed) {
  setenv("WORLD_SIZE", "two", 1);
  EXPECT_NE(complaint().find("WORLD_SIZE: 'two'"), std::string::npos);
  setenv("WORLD_SIZE", "2", 1);
  setenv("RANK", "2", 1);
  EXPECT_NE(complaint().find("RANK: '2'"), std::string::npos);
  setenv("RANK", "0", 1);
  EXPECT_NE(complaint().find("MASTER_ADDR"), std::string::npos);
  setenv("MASTER_ADDR", "127.0.0.1", 1);
  setenv("MASTER_PORT", "70000", 1);
  EXPECT_NE(complaint().find("MASTER_PORT: '70000'"), std::string::npos);
}

}  // namespace
}  // namespace limber
