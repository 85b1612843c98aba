#pragma once

#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string>

namespace limber {

/// What RocksDB warns of joins the server's log. Its own log file would not only lie apart: builds
/// of RocksDB with assertions, such as Debian's, abort when a write to it fails on a full disk.
class RocksdbLog final : public rocksdb::Logger {
 public:
  explicit RocksdbLog(std::string folder)
      : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), folder_(std::move(folder)) {}

  using Logger::Logv;
  void Logv(const char* format, va_list values) override {
    Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, values);
  }
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list values) override {
    if (level < GetInfoLogLevel() || level == rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    std::array<char, 1024> text{};
    std::vsnprintf(text.data(), text.size(), format, values);
    spdlog::warn("{}: {}", folder_, text.data());
  }

 private:
  std::string folder_;
};

/// Keeps RocksDB from mending itself after a failed write: its log file refuses all writes from
/// then on (RocksDB's issue 11643), so that only opening it anew helps.
class NoSelfRepair final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* repair) override {
    *repair = false;
  }
};

}  // namespace limber
