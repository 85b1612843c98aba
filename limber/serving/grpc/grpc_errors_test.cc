// What the server refuses, and how it says so.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <future>

#include "limber/serving/grpc/serving_for_test.h"

namespace limber {
namespace {

using Request = inference::ModelInferRequest;

class GrpcErrors : public GrpcServing {};

TEST_F(GrpcErrors, SaysWhatIsWrongInOneLine) {
  limits_.most_candidates = 3;
  start();
  const auto expect = [this](grpc::StatusCode code, const std::string& piece, auto change) {
    Request request = one_row("a");
    change(request);
    const grpc::Status status = infer(request);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_NE(status.error_message().find(piece), std::string::npos) << status.error_message();
    EXPECT_EQ(status.error_message().find('\n'), std::string::npos);
    EXPECT_LT(status.error_message().size(), 1100U);
  };
  constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
  constexpr auto kNotFound = grpc::StatusCode::NOT_FOUND;
  expect(kNotFound, "'books'", [](Request& request) { request.set_model_name("books"); });
  expect(kNotFound, "version 9", [](Request& request) { request.set_model_version("9"); });
  expect(kInvalid, "'member' is missing", [](Request& request) { request.clear_inputs(); });
  expect(kInvalid, "member[0]", [](Request& request) {
    request.mutable_inputs(0)->mutable_contents()->set_bytes_contents(0, "");
  });
  expect(kInvalid, "'colour'", [](Request& request) {
    *request.add_inputs() = request.inputs(0);
    request.mutable_inputs(1)->set_name("colour");
  });
  expect(kInvalid, "price[0]", [](Request& request) {
    *request.add_inputs() = request.inputs(0);
    request.mutable_inputs(1)->set_name("price");
  });
  expect(kInvalid, "'item' has 0 rows", [](Request& request) {
    auto& input = *request.add_inputs();
    input.set_name("item");
    input.set_datatype("INT8");
    input.add_shape(0);
  });
  expect(kInvalid, "at most 3",
         [](Request& request) { request.mutable_inputs(0)->set_shape(0, 4); });
  expect(kInvalid, "'clicks'", [](Request& request) { request.add_outputs()->set_name("clicks"); });
  // Long names and line ends come back shortened: they travel as a header.
  expect(kInvalid, "aaa", [](Request& request) {
    request.mutable_inputs(0)->set_name("a\n" + std::string(100'000, 'a'));
  });
  EXPECT_TRUE(infer(one_row("a")).ok());
}

TEST_F(GrpcErrors, RanksForNobodyInParticularWhileTheStoreFails) {
  start();
  store_.fail();
  const grpc::Status status = infer(one_row("a"));
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(live());
}

TEST_F(GrpcErrors, KeepsItsOwnFaultsToItself) {
  start();
  store_.break_down();
  const grpc::Status status = infer(one_row("a"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("nobody may hear"), std::string::npos);
  EXPECT_TRUE(live());
}

TEST_F(GrpcErrors, RefusesLargeAndMalformedMessages) {
  start({.message_limit = 100'000});
  EXPECT_EQ(infer(one_row(std::string(200'000, 'x'))).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  grpc::GenericStub generic(channel(grpc::InsecureChannelCredentials()));
  const std::string garbage = "\xff\xff\xff\xff\xff\xff";
  grpc::Slice slice(garbage);
  const grpc::ByteBuffer buffer(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  std::promise<grpc::Status> promise;
  generic.UnaryCall(&context, "/inference.GRPCInferenceService/ModelInfer", {}, &buffer, &response,
                    [&](grpc::Status status) { promise.set_value(std::move(status)); });
  const grpc::Status status = promise.get_future().get();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(infer(one_row("a")).ok());
}

TEST_F(GrpcErrors, AsksForTheToken) {
  start({.token = "secret"});
  const auto ask = [this](std::vector<std::string> given) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    for (const std::string& one : given) context.AddMetadata("authorization", one);
    inference::ModelInferResponse response;
    return stub_->ModelInfer(&context, one_row("a"), &response).error_code();
  };
  constexpr auto kRefused = grpc::StatusCode::UNAUTHENTICATED;
  EXPECT_EQ(ask({"Bearer secret"}), grpc::StatusCode::OK);
  EXPECT_EQ(ask({}), kRefused);
  EXPECT_EQ(ask({"Bearer secret2"}), kRefused);
  EXPECT_EQ(ask({"Bearer secre"}), kRefused);
  EXPECT_EQ(ask({"secret"}), kRefused);
  EXPECT_EQ(ask({"Bearer other", "Bearer secret"}), kRefused);
  // Balancers ask for these two without it.
  EXPECT_TRUE(live());
  inference::ServerReadyResponse ready;
  grpc::ClientContext probe;
  EXPECT_TRUE(stub_->ServerReady(&probe, {}, &ready).ok());
  inference::ServerMetadataResponse about;
  grpc::ClientContext asking;
  EXPECT_EQ(stub_->ServerMetadata(&asking, {}, &about).error_code(), kRefused);
  // What is refused reaches nobody.
  EXPECT_EQ(store_.asked_for().size(), 1U);
  ASSERT_TRUE(in_flight(0));
  EXPECT_EQ(ended("ModelInfer", "UNAUTHENTICATED"), 5);
}

TEST_F(GrpcErrors, SaysWhereItCannotListen) {
  start();
  const auto complaint = [this](GrpcOptions options) {
    GrpcServer other(std::move(options), service_, limits_, metrics_, [] { return true; });
    try {
      other.start();
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string taken = std::to_string(server_->port());
  EXPECT_NE(complaint({.port = server_->port()}).find(taken), std::string::npos);
  EXPECT_NE(complaint({.address = "localhost"}).find("localhost"), std::string::npos);
  EXPECT_EQ(complaint({.address = "::1"}), "");
  EXPECT_TRUE(live());
}

TEST_F(GrpcErrors, RefusesOptionsThatCannotBe) {
  const auto refuses = [](const GrpcOptions& options) { EXPECT_THROW(check(options), InputError); };
  check({});
  refuses({.most_requests = 0});
  refuses({.most_wait = std::chrono::milliseconds(0)});
  refuses({.deadline = std::chrono::milliseconds(-1)});
  refuses({.message_limit = 1UL << 40});
  refuses({.message_limit = 1000, .memory = 999});
  refuses({.certificate = "a.pem"});
  refuses({.token = "two words"});
}

}  // namespace
}  // namespace limber
