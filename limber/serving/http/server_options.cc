#include "limber/serving/http/server_options.h"

#include <algorithm>
#include <cctype>

#include "limber/core/base/error.h"

namespace limber::http {
namespace {

void at_least_one(std::size_t value, const char* name) {
  if (value == 0) throw InputError("http server: {} is 0; give at least 1", name);
}

void positive(std::chrono::milliseconds value, const char* name) {
  if (value.count() <= 0) {
    throw InputError("http server: {} is {} ms; give a positive time", name, value.count());
  }
}

}  // namespace

void check(const ServerOptions& options) {
  at_least_one(options.io_threads, "io_threads");
  at_least_one(options.queue_capacity, "queue_capacity");
  at_least_one(options.most_connections, "most_connections");
  at_least_one(options.header_limit, "header_limit");
  at_least_one(options.body_memory, "body_memory");
  positive(options.header_time, "header_time");
  positive(options.body_time, "body_time");
  positive(options.write_time, "write_time");
  positive(options.idle_time, "idle_time");
  positive(options.most_wait, "most_wait");
  if (options.deadline.count() < 0) {
    throw InputError("http server: deadline is {} ms; give a positive time, or 0 for none",
                     options.deadline.count());
  }
  if (options.retry_after.count() < 0) {
    throw InputError("http server: retry_after is negative; give seconds from 0");
  }
  if (options.header_limit > (1U << 30)) {
    throw InputError("http server: header_limit is {}; give at most 1 GiB", options.header_limit);
  }
  if (options.body_limit > options.body_memory) {
    throw InputError("http server: body_limit {} is above body_memory {}; raise the latter",
                     options.body_limit, options.body_memory);
  }
  if (options.certificate.empty() != options.key.empty()) {
    throw InputError("http server: {} is given without {}; TLS needs both",
                     options.key.empty() ? "certificate" : "key",
                     options.key.empty() ? "key" : "certificate");
  }
  if (!std::ranges::all_of(options.token, [](unsigned char c) { return std::isgraph(c) != 0; })) {
    throw InputError(
        "http server: the token holds spaces or unprintable characters, which no header can carry; "
        "give another");
  }
}

}  // namespace limber::http
