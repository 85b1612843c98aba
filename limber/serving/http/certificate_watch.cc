#include "limber/serving/http/certificate_watch.h"

#include <spdlog/spdlog.h>

#include <system_error>

namespace limber::http {

CertificateWatch::CertificateWatch(const ServerOptions& options, std::chrono::milliseconds interval)
    : files_{options.certificate, options.key},
      interval_(interval),
      next_(std::chrono::steady_clock::now() + interval),
      seen_(changed()) {}

void CertificateWatch::look(Server& server) {
  const auto now = std::chrono::steady_clock::now();
  if (files_[0].empty() || now < next_) return;
  next_ = now + interval_;
  const Times times = changed();
  if (times == seen_) return;
  try {
    server.reload_certificate();
    seen_ = times;
    failed_.clear();
    spdlog::info("{}: renewed", files_[0].string());
  } catch (const std::exception& error) {
    // Perhaps half written.
    if (failed_ != error.what()) spdlog::error("{}; the old certificate stays", error.what());
    failed_ = error.what();
  }
}

CertificateWatch::Times CertificateWatch::changed() const {
  Times times{};
  std::error_code code;
  for (std::size_t f = 0; f < files_.size() && !files_[f].empty(); ++f) {
    times[f] = std::filesystem::last_write_time(files_[f], code);
  }
  return times;
}

}  // namespace limber::http
