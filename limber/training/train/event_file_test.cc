#include "limber/training/train/event_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

template <class T>
T take(std::string_view& bytes) {
  T value{};
  if (bytes.size() < sizeof(T)) throw std::runtime_error("cut off");
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return value;
}

std::string_view take_bytes(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) throw std::runtime_error("cut off");
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<std::uint8_t>(bytes);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

/// A protocol buffer as its fields: numbers as their bits, bytes as they are.
struct Message {
  std::map<int, std::uint64_t> numbers;
  std::map<int, std::string> bytes;

  explicit Message(std::string_view rest) {
    while (!rest.empty()) {
      const std::uint64_t key = take_varint(rest);
      const int field = static_cast<int>(key >> 3);
      switch (key & 7) {
        case 0:
          numbers[field] = take_varint(rest);
          break;
        case 1:
          numbers[field] = take<std::uint64_t>(rest);
          break;
        case 2: {
          const std::uint64_t size = take_varint(rest);
          bytes[field] = take_bytes(rest, size);
          break;
        }
        case 5:
          numbers[field] = take<std::uint32_t>(rest);
          break;
        default:
          throw std::runtime_error("unknown wire type");
      }
    }
  }
};

/// The events of a file; both checksums of every frame must hold.
std::vector<Message> read_events(const fs::path& path) {
  const std::string file = read_file(path);
  std::string_view rest = file;
  std::vector<Message> events;
  while (!rest.empty()) {
    const std::string_view head = rest.substr(0, 8);
    const auto size = take<std::uint64_t>(rest);
    EXPECT_EQ(take<std::uint32_t>(rest), masked_crc32c(head));
    const std::string_view bytes = take_bytes(rest, size);
    EXPECT_EQ(take<std::uint32_t>(rest), masked_crc32c(bytes));
    events.emplace_back(bytes);
  }
  return events;
}

float float_of(std::uint64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

TEST(Crc32c, MatchesRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(EventFile, ScalarsComeBack) {
  const TemporaryFolder folder;
  EventFile file(folder.path() / "new/folder");
  const std::string long_tag(300, 't');  // its length takes two bytes
  file.add_scalar("train/loss", 0.5, 1);
  file.add_scalar(long_tag, -1e30, 5000000000);
  file.add_scalar("nan", std::numeric_limits<double>::quiet_NaN(), 0);
  file.flush();

  const std::vector<Message> events = read_events(file.path());
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].bytes.at(3), "brain.Event:2");
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto point = [&](int i) { return Message(Message(events[i].bytes.at(5)).bytes.at(1)); };
  for (int i = 1; i < 4; ++i) {
    EXPECT_NEAR(std::bit_cast<double>(events[i].numbers.at(1)), now, 60);
  }
  EXPECT_EQ(events[1].numbers.at(2), 1u);
  EXPECT_EQ(point(1).bytes.at(1), "train/loss");
  EXPECT_EQ(float_of(point(1).numbers.at(2)), 0.5f);
  EXPECT_EQ(events[2].numbers.at(2), 5000000000u);
  EXPECT_EQ(point(2).bytes.at(1), long_tag);
  EXPECT_EQ(float_of(point(2).numbers.at(2)), -1e30f);
  EXPECT_TRUE(std::isnan(float_of(point(3).numbers.at(2))));
}

TEST(EventFile, AResumedRunSaysWhereItStarts) {
  const TemporaryFolder folder;
  const EventFile first(folder.path()), resumed(folder.path(), 120);
  EXPECT_NE(first.path(), resumed.path());
  EXPECT_EQ(first.path().filename().string().rfind("events.out.tfevents.", 0), 0u);
  EXPECT_EQ(read_events(first.path()).size(), 1u);
  const std::vector<Message> events = read_events(resumed.path());
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].numbers.at(2), 120u);
  EXPECT_EQ(Message(events[1].bytes.at(7)).numbers.at(1), 1u);
}

TEST(EventFile, WhatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  write_file_durable(folder.path() / "file", "");
  EXPECT_THROW(EventFile(folder.path() / "file"), Error);

  EventFile file(folder.path());
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{100, before.rlim_max};  // writes beyond fail as on a full disk
  ::setrlimit(RLIMIT_FSIZE, &limit);
  file.add_scalar(std::string(200, 't'), 1, 1);
  EXPECT_THROW(file.flush(), Error);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
}

}  // namespace
}  // namespace limber
