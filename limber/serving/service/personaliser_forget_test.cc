// A member is forgotten, and comes back, while somebody who has read what the store held before is
// still at work.
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "limber/serving/service/service_for_test.h"
#include "limber/serving/store/forwarding_store_for_test.h"

namespace limber {
namespace {

constexpr const char* kOld = R"({"item":1,"price":0.5,"click":1})";
constexpr const char* kNew = R"({"item":"x","price":-1,"click":0})";

/// Calls `meanwhile` once, after interactions have been read.
class InterruptedStore : public ForwardingStore {
 public:
  std::function<void()> meanwhile;

 private:
  std::vector<std::vector<StoredInteraction>> do_recent(std::span<const std::string> members,
                                                        std::int64_t limit) override {
    auto read = ForwardingStore::do_recent(members, limit);
    if (const auto once = std::exchange(meanwhile, nullptr)) once();
    return read;
  }
};

class PersonaliserForget : public ::testing::Test {
 protected:
  PersonaliserForget() {
    for (int i = 0; i < 5; ++i) store_.append("ann", {1, "", kOld});
    // What a life that began with the new click leads to.
    store_.append("eve", {1, "", kNew});
    expected_ = personaliser_.entry(*model_, *bench_, "eve")->vector.known;
  }

  void come_back() {
    personaliser_.forget("ann");
    store_.append("ann", {1, "", kNew});
  }
  void expect_new_life() {
    EXPECT_EQ(personaliser_.entry(*model_, *bench_, "ann")->vector.known, expected_);
    const auto state = store_.get_state("ann", "films", model_->runtime().version());
    if (state) {
      EXPECT_EQ(
          std::vector<float>(state->values.begin(),
                             state->values.begin() + static_cast<std::ptrdiff_t>(expected_.size())),
          expected_);
    }
  }

  const ServiceForTest test_;
  std::shared_ptr<const ServedModel> model_ = test_.host->current();
  ServedModel::Borrowed bench_ = model_->borrow();
  InterruptedStore store_;
  Personaliser personaliser_{store_, 10};
  std::vector<float> expected_;
};

TEST_F(PersonaliserForget, ARankingThatReadBefore) {
  store_.meanwhile = [this] { come_back(); };
  personaliser_.entry(*model_, *bench_, "ann");
  expect_new_life();
}

TEST_F(PersonaliserForget, ARefreshThatReadBefore) {
  store_.meanwhile = [this] { come_back(); };
  personaliser_.refresh(*model_, *bench_, "ann");
  expect_new_life();
}

TEST_F(PersonaliserForget, ARefreshOfManyThatReadBefore) {
  const std::vector<std::string> members = {"ann", "eve"};
  store_.meanwhile = [this] { come_back(); };
  personaliser_.refresh_many(*model_, *bench_, members);
  expect_new_life();
}

TEST_F(PersonaliserForget, AVectorFromTheStoreThatWasReadBefore) {
  personaliser_.refresh(*model_, *bench_, "ann");
  Personaliser other(store_, 10);
  // The state has been read when the newest interaction is asked for.
  store_.meanwhile = [&] {
    other.forget("ann");
    store_.append("ann", {1, "", kNew});
  };
  other.entry(*model_, *bench_, "ann");
  EXPECT_EQ(other.entry(*model_, *bench_, "ann")->vector.known, expected_);
}

}  // namespace
}  // namespace limber
