#include "limber/serving/grpc/grpc_server.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/server_credentials.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <future>
#include <limits>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/serving/grpc/inference_service.h"

namespace limber {
namespace {

GrpcOptions checked(GrpcOptions options) {
  check(options);
  if (options.workers == 0) options.workers = std::max(1U, std::thread::hardware_concurrency());
  return options;
}

/// What gRPC would print to stderr goes to our log; not what any stranger who connects can cause.
void take_log() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function([](gpr_log_func_args* line) {
      const bool handshake =
          std::string_view(line->file).find("transport_security") != std::string_view::npos;
      const bool loud = line->severity == GPR_LOG_SEVERITY_ERROR && !handshake;
      spdlog::log(loud ? spdlog::level::warn : spdlog::level::debug, "grpc: {}", line->message);
    });
  });
}

std::shared_ptr<grpc::ServerCredentials> credentials(const GrpcOptions& options) {
  if (options.certificate.empty()) return grpc::InsecureServerCredentials();
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions given(std::make_shared<tls::FileWatcherCertificateProvider>(
      options.key.string(), options.certificate.string(),
      static_cast<unsigned>(options.certificate_interval.count())));
  given.watch_identity_key_cert_pairs();
  given.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return tls::TlsServerCredentials(given);
}

}  // namespace

class GrpcServer::Implementation {
 public:
  Implementation(GrpcOptions options, RankingService& service, const ApiLimits& limits,
                 http::Metrics& metrics, std::function<bool()> ready)
      : options_(checked(std::move(options))),
        board_(metrics),
        pool_(options_.workers, options_.most_requests, options_.most_wait),
        service_({service, limits, http::BearerToken(options_.token), options_.deadline,
                  [this, ready = std::move(ready)] { return !draining_ && ready(); }, board_,
                  pool_}) {}
  ~Implementation() { drain(std::chrono::milliseconds(0)); }

  void start();
  bool drain(std::chrono::milliseconds patience);
  std::uint16_t port() const { return port_; }

 private:
  void disconnect_idle_peers(const std::future<void>& shut_down);

  const GrpcOptions options_;
  std::atomic<bool> draining_ = false;
  std::atomic<std::uint16_t> port_ = 0;
  CallBoard board_;
  RequestPool pool_;
  InferenceService service_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex drain_mutex_;
  std::optional<bool> drained_;
};

void GrpcServer::Implementation::start() {
  if (server_) throw Error("grpc server: started twice");
  take_log();
  boost::system::error_code code;
  const auto address = boost::asio::ip::make_address(options_.address, code);
  if (code) {
    throw InputError("grpc server: {} is no address; give one such as 127.0.0.1, 0.0.0.0 or ::1",
                     options_.address);
  }
  grpc::ResourceQuota quota("limber");
  quota.Resize(options_.memory);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options_.message_limit));
  // Beyond what the pool accepts there is room for probes and for refusals; a client that wants
  // more streams waits at its own end.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(std::min<std::size_t>(
                                 options_.most_requests + 64, std::numeric_limits<int>::max())));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(options_.metadata_limit));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             static_cast<int>(options_.idle_time.count()));
  // Peers that are gone without a word are found out, and may find us out.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Otherwise two servers could share a port, and neither would know.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(&service_);
  const std::string host =
      address.is_v6() ? fmt::format("[{}]", options_.address) : options_.address;
  int port = 0;
  builder.AddListeningPort(fmt::format("{}:{}", host, options_.port), credentials(options_), &port);
  server_ = builder.BuildAndStart();
  if (!server_ || port == 0) {
    throw InputError("grpc server: cannot listen on {} port {}; give another address or port",
                     options_.address, options_.port);
  }
  port_ = static_cast<std::uint16_t>(port);
}

bool GrpcServer::Implementation::drain(std::chrono::milliseconds patience) {
  const std::lock_guard lock(drain_mutex_);
  draining_ = true;
  if (drained_) return *drained_;
  if (server_) {
    board_.cut_after = CallBoard::Clock::now() + patience;
    // Returns when all calls are done, the handlers of those that were cut off among them, and all
    // connections closed.
    auto shut_down = std::async(std::launch::async, [&] {
      server_->Shutdown(std::chrono::system_clock::now() + patience);
    });
    disconnect_idle_peers(shut_down);
  }
  pool_.stop();
  drained_ = board_.cut_off == 0;
  return *drained_;
}

void GrpcServer::Implementation::disconnect_idle_peers(const std::future<void>& shut_down) {
  // A client that was told to go may be slow to do so, or be gone without a word; once nothing runs
  // that would be waiting for nothing.
  constexpr std::chrono::milliseconds kPause(10);
  constexpr int kPausesForGoodbye = 30;
  for (int idle = 0; shut_down.wait_for(kPause) != std::future_status::ready;) {
    idle = board_.running == 0 ? idle + 1 : 0;
    if (idle == kPausesForGoodbye) grpc_server_cancel_all_calls(server_->c_server());
  }
}

GrpcServer::GrpcServer(GrpcOptions options, RankingService& service, const ApiLimits& limits,
                       http::Metrics& metrics, std::function<bool()> ready)
    : implementation_(std::make_unique<Implementation>(std::move(options), service, limits, metrics,
                                                       std::move(ready))) {}

GrpcServer::~GrpcServer() = default;

void GrpcServer::start() {
  implementation_->start();
}

std::uint16_t GrpcServer::port() const {
  return implementation_->port();
}

bool GrpcServer::drain(std::chrono::milliseconds patience) {
  return implementation_->drain(patience);
}

}  // namespace limber
