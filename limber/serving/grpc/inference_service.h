#pragma once

#include <open_inference.grpc.pb.h>

#include <chrono>
#include <functional>
#include <memory>

#include "limber/serving/grpc/call.h"
#include "limber/serving/grpc/request_pool.h"
#include "limber/serving/http/bearer_token.h"
#include "limber/serving/serve/http_api.h"

namespace limber {

/// The methods of the protocol. All but ModelInfer are answered where they arrive, so that no queue
/// of work delays a probe. Errors: UNAUTHENTICATED without the token; NOT_FOUND for a model or
/// version that is not served; INVALID_ARGUMENT, with a line that says where, for a request that
/// cannot be read; RESOURCE_EXHAUSTED and DEADLINE_EXCEEDED from the pool; INTERNAL for what is not
/// the caller's fault, of which the log says more.
class InferenceService final : public inference::GRPCInferenceService::CallbackService {
 public:
  struct Parts {
    RankingService& ranking;
    const ApiLimits limits;
    const http::BearerToken token;
    const std::chrono::milliseconds deadline;  ///< 0: none
    const std::function<bool()> ready;         ///< called from any thread
    CallBoard& board;
    RequestPool& pool;
  };
  explicit InferenceService(Parts parts) : parts_(std::move(parts)) {}

  grpc::ServerUnaryReactor* ServerLive(grpc::CallbackServerContext* context,
                                       const inference::ServerLiveRequest* request,
                                       inference::ServerLiveResponse* response) override;
  grpc::ServerUnaryReactor* ServerReady(grpc::CallbackServerContext* context,
                                        const inference::ServerReadyRequest* request,
                                        inference::ServerReadyResponse* response) override;
  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context,
                                       const inference::ModelReadyRequest* request,
                                       inference::ModelReadyResponse* response) override;
  grpc::ServerUnaryReactor* ServerMetadata(grpc::CallbackServerContext* context,
                                           const inference::ServerMetadataRequest* request,
                                           inference::ServerMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const inference::ModelMetadataRequest* request,
                                          inference::ModelMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const inference::ModelInferRequest* request,
                                       inference::ModelInferResponse* response) override;

 private:
  bool admits(const grpc::CallbackServerContext& context) const;
  /// Answers with what `body` leaves in the response, here and now.
  Call* answer_now(const grpc::CallbackServerContext& context, GrpcMethod method,
                   const std::function<void()>& body);
  /// Throws NotServed unless they name the model that is served, and its version if any.
  std::shared_ptr<const ServedModel> named_model(const std::string& name,
                                                 const std::string& version) const;
  void run_infer(const inference::ModelInferRequest& request,
                 inference::ModelInferResponse& response, const std::function<bool()>& wanted);
  RequestPool::Clock::time_point deadline_of(const grpc::CallbackServerContext& context,
                                             RequestPool::Clock::time_point arrival) const;

  const Parts parts_;
};

}  // namespace limber
