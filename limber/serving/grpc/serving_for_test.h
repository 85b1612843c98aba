#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/serving/grpc/grpc_server.h"
#include "limber/serving/http/client_for_test.h"
#include "limber/serving/http/gate_for_test.h"
#include "limber/serving/http/prometheus_text_for_test.h"
#include "limber/serving/service/test_model_for_test.h"
#include "limber/serving/store/forwarding_store_for_test.h"

namespace limber {

/// A store in memory that remembers whom it was asked for, and that can hold its readers or fail.
class GatedStore final : public ForwardingStore {
 public:
  /// From now on readers stop at `gate`.
  void hold_at(http::Gate& gate) { gate_ = &gate; }
  /// From now on it cannot be used.
  void fail() { failing_ = true; }
  /// From now on it throws what no store should.
  void break_down() { broken_ = true; }
  std::vector<std::string> asked_for() const {
    const std::lock_guard lock(mutex_);
    return asked_for_;
  }

 private:
  std::vector<std::optional<MemberState>> do_get_states(std::span<const std::string> members,
                                                        std::string_view model,
                                                        std::string_view version) override {
    {
      const std::lock_guard lock(mutex_);
      asked_for_.insert(asked_for_.end(), members.begin(), members.end());
    }
    if (http::Gate* gate = gate_) gate->pass();
    if (failing_) throw Error("the disk is full");
    if (broken_) throw std::logic_error("what nobody may hear of");
    return ForwardingStore::do_get_states(members, model, version);
  }

  std::atomic<http::Gate*> gate_ = nullptr;
  std::atomic<bool> failing_ = false, broken_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> asked_for_;
};

/// A request of one row for `member`, as version and model say.
inline inference::ModelInferRequest one_row(const std::string& member) {
  inference::ModelInferRequest request;
  request.set_model_name("films");
  auto* input = request.add_inputs();
  input->set_name("member");
  input->set_datatype("BYTES");
  input->add_shape(1);
  input->mutable_contents()->add_bytes_contents(member);
  return request;
}

/// The test model, served over gRPC.
class GrpcServing : public ::testing::Test {
 protected:
  using Service = inference::GRPCInferenceService;

  void start(GrpcOptions options = {}) {
    server_.emplace(std::move(options), service_, limits_, metrics_,
                    [this] { return ready_.load(); });
    server_->start();
    stub_ = Service::NewStub(channel(grpc::InsecureChannelCredentials()));
  }
  /// Channels share no connection.
  std::shared_ptr<grpc::Channel> channel(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()), credentials,
                                     arguments);
  }
  /// One call; no test waits for longer than half a minute.
  grpc::Status infer(const inference::ModelInferRequest& request,
                     inference::ModelInferResponse& response,
                     std::chrono::milliseconds patience = std::chrono::seconds(30)) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    return stub_->ModelInfer(&context, request, &response);
  }
  grpc::Status infer(const inference::ModelInferRequest& request) const {
    inference::ModelInferResponse response;
    return infer(request, response);
  }
  bool live() const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    inference::ServerLiveResponse response;
    return stub_->ServerLive(&context, {}, &response).ok() && response.live();
  }
  double metric(const std::string& name) const {
    return http::PrometheusText(metrics_.text()).value(name);
  }
  /// Calls that ended so; 0 when there were none.
  double ended(const std::string& method, const std::string& code) const {
    const double count =
        metric("limber_grpc_requests_total{code=\"" + code + "\",method=\"" + method + "\"}");
    return std::isnan(count) ? 0 : count;
  }
  bool in_flight(double wanted) const {
    return http::comes_true([&] { return metric("limber_grpc_in_flight") == wanted; });
  }

  TemporaryFolder folder_;
  std::filesystem::path version_ = publish_test_model(folder_.path());
  GatedStore store_;
  Personaliser personaliser_{store_, 1000};
  ModelHost host_{folder_.path() / "films", {}, personaliser_};
  RankingService service_{host_, personaliser_};
  ApiLimits limits_;
  http::Metrics metrics_;
  std::atomic<bool> ready_ = true;
  std::optional<GrpcServer> server_;
  std::unique_ptr<Service::Stub> stub_;
};

}  // namespace limber
