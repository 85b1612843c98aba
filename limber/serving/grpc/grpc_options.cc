#include "limber/serving/grpc/grpc_options.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/serving/http/tls.h"

namespace limber {
namespace {

/// gRPC takes sizes as int.
void sized(std::size_t value, const char* name) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (value == 0 || value > most) {
    throw InputError("grpc server: {} is {}; give 1 to {}", name, value, most);
  }
}

template <class Duration>
void positive(Duration value, const char* name) {
  if (value.count() <= 0) throw InputError("grpc server: {} is not positive", name);
}

}  // namespace

void check(const GrpcOptions& options) {
  sized(options.most_requests, "most_requests");
  sized(options.message_limit, "message_limit");
  sized(options.metadata_limit, "metadata_limit");
  if (options.memory < options.message_limit) {
    throw InputError("grpc server: memory {} is below message_limit {}; raise the former",
                     options.memory, options.message_limit);
  }
  positive(options.most_wait, "most_wait");
  positive(options.idle_time, "idle_time");
  positive(options.certificate_interval, "certificate_interval");
  if (options.deadline.count() < 0) {
    throw InputError("grpc server: deadline is {} ms; give a positive time, or 0 for none",
                     options.deadline.count());
  }
  if (options.certificate.empty() != options.key.empty()) {
    throw InputError("grpc server: {} is given without {}; TLS needs both",
                     options.key.empty() ? "certificate" : "key",
                     options.key.empty() ? "key" : "certificate");
  }
  // gRPC would only fail each handshake; this says which file is wrong.
  if (!options.certificate.empty()) http::make_tls_context(options.certificate, options.key);
  if (!std::ranges::all_of(options.token, [](unsigned char c) { return std::isgraph(c) != 0; })) {
    throw InputError(
        "grpc server: the token holds spaces or unprintable characters, which no metadata can "
        "carry; give another");
  }
}

}  // namespace limber
