#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <string>

#include "limber/serving/http/server.h"

namespace limber::http {

/// Takes certificates that were renewed on disk, without a restart.
class CertificateWatch {
 public:
  /// To be made before the server reads the files, so that no renewal falls in between.
  CertificateWatch(const ServerOptions& options, std::chrono::milliseconds interval);

  /// Lets the server read the files again if `interval` has passed since the last look and they
  /// have changed. Files that cannot be used change nothing, are logged once, and are tried again.
  void look(Server& server);

 private:
  using Times = std::array<std::filesystem::file_time_type, 2>;
  Times changed() const;

  const std::array<std::filesystem::path, 2> files_;
  const std::chrono::milliseconds interval_;
  std::chrono::steady_clock::time_point next_;
  Times seen_;
  std::string failed_;
};

}  // namespace limber::http
