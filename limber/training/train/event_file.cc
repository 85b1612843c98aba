#include "limber/training/train/event_file.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "limber/core/base/error.h"

namespace limber {
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "records are little-endian");

namespace {

constexpr std::array<std::uint32_t, 256> kCrcOfByte = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[byte] = crc;
  }
  return table;
}();

template <class T>
void append_fixed(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Wire types of protocol buffers.
constexpr int kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

void append_key(std::string& out, int field, int wire_type) {
  append_varint(out, static_cast<std::uint64_t>(field << 3 | wire_type));
}

void append_bytes(std::string& out, int field, std::string_view bytes) {
  append_key(out, field, kBytes);
  append_varint(out, bytes.size());
  out += bytes;
}

/// Event: double wall_time = 1, int64 step = 2, string file_version = 3, Summary summary = 5,
/// SessionLog session_log = 7.
constexpr int kFileVersion = 3, kSummary = 5, kSessionLog = 7;

std::string make_event(std::int64_t step, int field, std::string_view content) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string event;
  append_key(event, 1, kFixed64);
  append_fixed(event, now.count());
  append_key(event, 2, kVarint);
  append_varint(event, static_cast<std::uint64_t>(step));
  append_bytes(event, field, content);
  return event;
}

fs::path make_path(const fs::path& folder) {
  // Two files of one process within a second must not share a name.
  static std::atomic<int> count = 0;
  char host[256] = "localhost";
  ::gethostname(host, sizeof(host) - 1);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return folder / fmt::format("events.out.tfevents.{:010}.{}.{}-{}",
                              std::chrono::duration_cast<std::chrono::seconds>(now).count(), host,
                              ::getpid(), count++);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ kCrcOfByte[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

EventFile::EventFile(const fs::path& folder, std::int64_t first_step) : path_(make_path(folder)) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw Error("{}: cannot be created: {}", folder.string(), code.message());
  file_.reset(std::fopen(path_.c_str(), "wxe"));
  if (!file_) throw Error("{}: cannot be created: {}", path_.string(), std::strerror(errno));
  write_record(make_event(0, kFileVersion, "brain.Event:2"));
  if (first_step > 0) {
    std::string started;  // SessionLog: SessionStatus status = 1, with START = 1
    append_key(started, 1, kVarint);
    append_varint(started, 1);
    write_record(make_event(first_step, kSessionLog, started));
  }
  flush();
}

void EventFile::add_scalar(std::string_view tag, double value, std::int64_t step) {
  // Summary: repeated Value value = 1. Value: string tag = 1, float simple_value = 2.
  std::string point, summary;
  append_bytes(point, 1, tag);
  append_key(point, 2, kFixed32);
  append_fixed(point, static_cast<float>(value));
  append_bytes(summary, 1, point);
  write_record(make_event(step, kSummary, summary));
}

void EventFile::flush() {
  if (std::fflush(file_.get()) != 0) {
    throw Error("{}: cannot be written: {}", path_.string(), std::strerror(errno));
  }
}

void EventFile::write_record(std::string_view bytes) {
  std::string record;
  append_fixed(record, static_cast<std::uint64_t>(bytes.size()));
  append_fixed(record, masked_crc32c(record));
  record += bytes;
  append_fixed(record, masked_crc32c(bytes));
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) {
    throw Error("{}: cannot be written: {}", path_.string(), std::strerror(errno));
  }
}

}  // namespace limber
