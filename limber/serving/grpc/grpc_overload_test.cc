#include <future>
#include <thread>

#include "limber/serving/grpc/serving_for_test.h"

namespace limber {
namespace {

using http::comes_true;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A server whose requests stop in the store until the gate is opened.
class GrpcOverload : public GrpcServing {
 protected:
  std::future<grpc::Status> begin(const std::string& member,
                                  milliseconds patience = seconds(30)) const {
    return std::async(std::launch::async, [this, member, patience] {
      inference::ModelInferResponse response;
      return infer(one_row(member), response, patience);
    });
  }
  bool held(std::size_t count) const {
    return comes_true([&] { return gate_.waiting() == count; });
  }

  http::Gate gate_;
};

TEST_F(GrpcOverload, TurnsAwayWhatIsTooMuchAtOnceAndFinishesTheRest) {
  start({.workers = 2, .most_requests = 5, .most_wait = std::chrono::hours(1)});
  store_.hold_at(gate_);
  std::vector<std::future<grpc::Status>> accepted;
  for (int i = 0; i < 5; ++i) {
    accepted.push_back(begin("member " + std::to_string(i)));
    ASSERT_TRUE(in_flight(i + 1));
  }
  ASSERT_TRUE(held(2));
  for (int i = 0; i < 3; ++i) {
    const grpc::Status status = infer(one_row("too many"));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  // Probes wait for nobody.
  EXPECT_TRUE(live());
  gate_.open();
  for (auto& one : accepted) {
    const grpc::Status status = one.get();
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  EXPECT_TRUE(infer(one_row("later")).ok());
  ASSERT_TRUE(in_flight(0));
  EXPECT_EQ(ended("ModelInfer", "OK"), 6);
  EXPECT_EQ(ended("ModelInfer", "RESOURCE_EXHAUSTED"), 3);
  for (const std::string& member : store_.asked_for()) EXPECT_NE(member, "too many");
}

TEST_F(GrpcOverload, DoesNotRunWhatNobodyWaitsForAnyMore) {
  // The first one is so slow that a wait behind it would be expected to be long.
  start({.workers = 1, .most_wait = std::chrono::hours(1)});
  store_.hold_at(gate_);
  auto first = begin("first");
  ASSERT_TRUE(held(1));
  auto late = begin("late", seconds(2));
  ASSERT_TRUE(in_flight(2));
  EXPECT_EQ(late.get().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // The deadline travels rounded up, so that the client gives up a little before the server.
  std::this_thread::sleep_for(milliseconds(500));
  gate_.open();
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(infer(one_row("last")).ok());
  ASSERT_TRUE(in_flight(0));
  EXPECT_EQ(store_.asked_for(), (std::vector<std::string>{"first", "last"}));
  EXPECT_EQ(ended("ModelInfer", "OK"), 2);
}

TEST_F(GrpcOverload, DoesNotRunWhatIsTooLateForTheServer) {
  start({.workers = 1, .deadline = seconds(1)});
  store_.hold_at(gate_);
  auto first = begin("first");
  ASSERT_TRUE(held(1));
  auto late = begin("late");
  ASSERT_TRUE(in_flight(2));
  std::this_thread::sleep_for(milliseconds(1100));
  gate_.open();
  // One that runs already is not too late.
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(late.get().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  ASSERT_TRUE(in_flight(0));
  EXPECT_EQ(store_.asked_for(), (std::vector<std::string>{"first"}));
  EXPECT_EQ(ended("ModelInfer", "DEADLINE_EXCEEDED"), 1);
}

TEST_F(GrpcOverload, StopsBetweenMembersWhenItIsTooLate) {
  start({.workers = 1, .deadline = milliseconds(500)});
  store_.hold_at(gate_);
  inference::ModelInferRequest request = one_row("a");
  request.mutable_inputs(0)->mutable_contents()->add_bytes_contents("b");
  request.mutable_inputs(0)->set_shape(0, 2);
  auto both = std::async(std::launch::async, [&] { return infer(request); });
  ASSERT_TRUE(held(1));
  std::this_thread::sleep_for(milliseconds(600));
  gate_.open();
  EXPECT_EQ(both.get().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(store_.asked_for(), (std::vector<std::string>{"a"}));
}

TEST_F(GrpcOverload, FinishesRunningCallsWhenItEnds) {
  start({.workers = 1});
  store_.hold_at(gate_);
  auto running = begin("running"), waiting = begin("waiting");
  ASSERT_TRUE(in_flight(2));
  ASSERT_TRUE(held(1));
  auto drained = std::async(std::launch::async, [this] { return server_->drain(seconds(60)); });
  // New calls are refused while the accepted ones go on.
  ASSERT_TRUE(comes_true([&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(30));
    inference::ServerLiveResponse response;
    return stub_->ServerLive(&context, {}, &response).error_code() == grpc::StatusCode::UNAVAILABLE;
  }));
  EXPECT_EQ(gate_.waiting(), 1U);
  gate_.open();
  EXPECT_TRUE(running.get().ok());
  EXPECT_TRUE(waiting.get().ok());
  EXPECT_TRUE(drained.get());
  EXPECT_TRUE(server_->drain(milliseconds(0)));
}

TEST_F(GrpcOverload, CutsOffWhatIsTooSlowWhenItEnds) {
  start({.workers = 1});
  store_.hold_at(gate_);
  auto stuck = begin("stuck");
  ASSERT_TRUE(held(1));
  auto drained =
      std::async(std::launch::async, [this] { return server_->drain(milliseconds(50)); });
  EXPECT_FALSE(stuck.get().ok());
  // The handler is waited for all the same.
  EXPECT_NE(drained.wait_for(milliseconds(100)), std::future_status::ready);
  gate_.open();
  EXPECT_FALSE(drained.get());
  EXPECT_EQ(ended("ModelInfer", "CANCELLED"), 1);
}

TEST_F(GrpcOverload, WaitsForNoIdlePeerWhenItEnds) {
  start();
  // One that has nothing to ask and reads nothing: neither goodbye nor ping.
  http::Client silent(server_->port());
  silent.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9));
  EXPECT_TRUE(live());
  EXPECT_TRUE(server_->drain(std::chrono::hours(1)));
  EXPECT_FALSE(live());
}

TEST_F(GrpcOverload, SurvivesACrowdThatComesAndGoes) {
  start({.workers = 2, .most_requests = 4});
  std::atomic<int> good = 0, refused = 0, gone = 0, other = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < 6; ++c) {
    clients.emplace_back([&, c] {
      for (int i = 0; i < 60; ++i) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + seconds(30));
        inference::ModelInferResponse response;
        if (i % 7 == 0) context.TryCancel();
        const grpc::Status status =
            stub_->ModelInfer(&context, one_row(fmt::format("{} {}", c, i)), &response);
        ++(status.ok()                                                   ? good
           : status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ? refused
           : status.error_code() == grpc::StatusCode::CANCELLED          ? gone
                                                                         : other);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(other, 0);
  EXPECT_GT(good, 0);
  EXPECT_EQ(gone, 6 * 9);
  EXPECT_EQ(good + refused + gone, 6 * 60);
  EXPECT_TRUE(in_flight(0));
  EXPECT_TRUE(server_->drain(seconds(60)));
}

}  // namespace
}  // namespace limber
