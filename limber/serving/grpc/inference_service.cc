#include "limber/serving/grpc/inference_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>

#include "limber/core/base/error.h"
#include "limber/serving/grpc/tensor_codec.h"

namespace limber {
namespace {

/// A model or version other than the one that is served.
class NotServed : public InputError {
  using InputError::InputError;
};

grpc::Status failed(const char* what) {
  spdlog::error("grpc: {}", what);
  return {grpc::StatusCode::INTERNAL, "internal error; the server's log says more"};
}

/// Runs `body`; the status of what it threw, when it threw.
grpc::Status status_of(const std::function<void()>& body) {
  try {
    body();
    return grpc::Status::OK;
  } catch (const NobodyWaits& late) {
    return {grpc::StatusCode::DEADLINE_EXCEEDED, late.what()};
  } catch (const NotServed& error) {
    return one_line_status(grpc::StatusCode::NOT_FOUND, error.what());
  } catch (const InputError& error) {
    return one_line_status(grpc::StatusCode::INVALID_ARGUMENT, error.what());
  } catch (const std::exception& error) {
    return failed(error.what());
  } catch (...) {
    return failed("unknown failure");
  }
}

grpc::Status unauthenticated() {
  return {grpc::StatusCode::UNAUTHENTICATED, "give the metadata authorization: Bearer TOKEN"};
}

}  // namespace

bool InferenceService::admits(const grpc::CallbackServerContext& context) const {
  const auto& metadata = context.client_metadata();
  const auto [first, end] = metadata.equal_range("authorization");
  // Of several it would not be clear which counts.
  if (std::distance(first, end) > 1) return false;
  return parts_.token.admits(first == end
                                 ? std::string_view()
                                 : std::string_view(first->second.data(), first->second.size()));
}

Call* InferenceService::answer_now(const grpc::CallbackServerContext& context, GrpcMethod method,
                                   const std::function<void()>& body) {
  auto* call = new Call(parts_.board, method);
  // Balancers ask without the token; the answer is a yes or a no.
  const bool open = method == GrpcMethod::kServerLive || method == GrpcMethod::kServerReady;
  call->answer(open || admits(context) ? status_of(body) : unauthenticated());
  return call;
}

std::shared_ptr<const ServedModel> InferenceService::named_model(const std::string& name,
                                                                 const std::string& version) const {
  auto model = parts_.ranking.host().current();
  if (name != model->runtime().name()) {
    throw NotServed("no model is named '{}'; this server serves '{}'", name,
                    model->runtime().name());
  }
  if (!version.empty() && version != model->runtime().version()) {
    throw NotServed("version {} is not served; version {} is", version, model->runtime().version());
  }
  return model;
}

RequestPool::Clock::time_point InferenceService::deadline_of(
    const grpc::CallbackServerContext& context, RequestPool::Clock::time_point arrival) const {
  using Clock = RequestPool::Clock;
  using SystemClock = std::chrono::system_clock;
  Clock::time_point deadline = Clock::time_point::max();
  if (parts_.deadline.count() > 0) deadline = arrival + parts_.deadline;
  const SystemClock::time_point asked = context.deadline();
  // A client without a deadline gives one that no clock reaches.
  const auto left = asked - SystemClock::now();
  if (left < std::chrono::hours(24 * 365)) {
    deadline = std::min(deadline, Clock::now() + std::chrono::duration_cast<Clock::duration>(left));
  }
  return deadline;
}

grpc::ServerUnaryReactor* InferenceService::ServerLive(grpc::CallbackServerContext* context,
                                                       const inference::ServerLiveRequest*,
                                                       inference::ServerLiveResponse* response) {
  return answer_now(*context, GrpcMethod::kServerLive, [&] { response->set_live(true); });
}

grpc::ServerUnaryReactor* InferenceService::ServerReady(grpc::CallbackServerContext* context,
                                                        const inference::ServerReadyRequest*,
                                                        inference::ServerReadyResponse* response) {
  return answer_now(*context, GrpcMethod::kServerReady,
                    [&] { response->set_ready(parts_.ready()); });
}

grpc::ServerUnaryReactor* InferenceService::ModelReady(grpc::CallbackServerContext* context,
                                                       const inference::ModelReadyRequest* request,
                                                       inference::ModelReadyResponse* response) {
  return answer_now(*context, GrpcMethod::kModelReady, [&] {
    named_model(request->name(), request->version());
    response->set_ready(parts_.ready());
  });
}

grpc::ServerUnaryReactor* InferenceService::ServerMetadata(
    grpc::CallbackServerContext* context, const inference::ServerMetadataRequest*,
    inference::ServerMetadataResponse* response) {
  return answer_now(*context, GrpcMethod::kServerMetadata, [&] {
    response->set_name("limber");
    response->set_version("0.1.0");
  });
}

grpc::ServerUnaryReactor* InferenceService::ModelMetadata(
    grpc::CallbackServerContext* context, const inference::ModelMetadataRequest* request,
    inference::ModelMetadataResponse* response) {
  return answer_now(*context, GrpcMethod::kModelMetadata, [&] {
    const auto model = named_model(request->name(), request->version());
    response->set_name(model->runtime().name());
    response->add_versions(model->runtime().version());
    response->set_platform("limber");
    const auto describe = [](auto& tensor, const std::string& name, const std::string& datatype) {
      tensor.set_name(name);
      tensor.set_datatype(datatype);
      tensor.add_shape(-1);
    };
    for (const InferenceColumn& column : inference_columns(*model)) {
      describe(*response->add_inputs(), column.name, column.datatype);
    }
    for (const std::string& label : model->runtime().layout.labels) {
      describe(*response->add_outputs(), label, "FP32");
    }
  });
}

void InferenceService::run_infer(const inference::ModelInferRequest& request,
                                 inference::ModelInferResponse& response,
                                 const std::function<bool()>& wanted_still) {
  const auto model = named_model(request.model_name(), request.model_version());
  const auto wanted = wanted_outputs(request, model->runtime().layout.labels);
  const InputColumns columns = read_inputs(request, model->schema(), parts_.limits.most_candidates);
  const auto outputs = infer(parts_.ranking, *model, parts_.limits, columns.tensors, wanted_still);
  response.set_model_name(model->runtime().name());
  response.set_model_version(model->runtime().version());
  response.set_id(request.id());
  write_outputs(outputs, wanted, is_raw(request), response);
}

grpc::ServerUnaryReactor* InferenceService::ModelInfer(grpc::CallbackServerContext* context,
                                                       const inference::ModelInferRequest* request,
                                                       inference::ModelInferResponse* response) {
  auto* call = new Call(parts_.board, GrpcMethod::kModelInfer);
  if (!admits(*context)) {
    call->answer(unauthenticated());
    return call;
  }
  // Request and response live until the call is done.
  const RequestPool::Clock::time_point deadline = deadline_of(*context, call->arrival());
  parts_.pool.submit(
      deadline,
      [this, call, request, response, deadline] {
        if (!call->wanted()) return grpc::Status(grpc::StatusCode::CANCELLED, "cancelled");
        return status_of([&] {
          run_infer(*request, *response, [call, deadline] {
            return call->wanted() && RequestPool::Clock::now() < deadline;
          });
        });
      },
      [call](grpc::Status status) { call->answer(std::move(status)); });
  return call;
}

}  // namespace limber
