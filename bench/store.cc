// The member stores: appends a second by threads, reads a second, bytes a member, seconds to open.
//
// RocksDB lies in a temporary folder (TMPDIR says where), Redis is started for the purpose, with
// appendfsync always. Beside our group commit stands RocksDB's own: the same changes, each thread
// writing for itself.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/base/random.h"
#include "limber/serving/store/member_store.h"
#include "limber/serving/store/redis_server_for_test.h"
#include "limber/serving/store/rocksdb_batch.h"

namespace limber {
namespace {

constexpr std::int64_t kTime = 1'700'000'000'000;
constexpr std::uint64_t kMembers = 10'000;

std::string member_name(std::uint64_t i) {
  return fmt::format("member-{:08}", i);
}

Interaction interaction(std::uint64_t i) {
  return {kTime, fmt::format("{:032x}", mix64(i)),
          fmt::format(R"({{"item_id":"{}","surface":"feed","position":{},"device":"phone",)"
                      R"("labels":{{"click":{}}},"dwell_ms":{}}})",
                      mix64(i) % 1'000'000, i % 20, i % 2, mix64(i + 1) % 60'000)};
}

/// Calls a second of `call(thread, i)`, by `threads` threads for about `seconds`.
double rate(int threads, double seconds, const std::function<void(int, std::uint64_t)>& call) {
  std::atomic<std::uint64_t> calls = 0;
  std::atomic<bool> stop = false;
  const Stopwatch watch;
  {
    std::vector<std::jthread> workers;
    workers.reserve(static_cast<std::size_t>(threads));
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        std::uint64_t i = 0;
        for (; !stop; ++i) call(t, i);
        calls += i;
      });
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    stop = true;
  }
  return static_cast<double>(calls) / watch.seconds();
}

std::uint64_t number_of(int thread, std::uint64_t i) {
  return static_cast<std::uint64_t>(thread) << 56 | i;
}

struct Appender {
  std::string name;
  std::function<void(int, std::uint64_t)> append;
};

/// All in turns, several times, so that a disk that is busy with other things is so for all; the
/// medians.
nlohmann::json append_rates(const std::vector<Appender>& appenders, double seconds) {
  constexpr int kRounds = 7;
  nlohmann::json result;
  std::uint64_t begin = 0;  // Of the numbers of a measurement: no event may come twice.
  for (const int threads : {1, 4, 16}) {
    std::vector<std::vector<double>> rates(appenders.size());
    for (int round = 0; round < kRounds; ++round) {
      begin += std::uint64_t{1} << 32;
      for (std::size_t k = 0; k < appenders.size(); ++k) {
        rates[k].push_back(rate(threads, seconds / kRounds, [&](int thread, std::uint64_t i) {
          appenders[k].append(thread, begin + i);
        }));
      }
    }
    for (std::size_t k = 0; k < appenders.size(); ++k) {
      std::ranges::sort(rates[k]);
      const double median = rates[k][kRounds / 2];
      fmt::print("{:<28} {:>7} {:>12.0f}\n", appenders[k].name, threads, median);
      result[appenders[k].name][std::to_string(threads)] = median;
    }
  }
  return result;
}

Appender appender(const std::string& name, MemberStore& store) {
  return {name, [&store](int thread, std::uint64_t i) {
            const std::uint64_t number = number_of(thread, i);
            store.append(member_name(mix64(number) % kMembers), interaction(number));
          }};
}

/// The same changes, but no group of ours: threads have members of their own, so that no two read
/// and write one head at a time.
Appender appender_by_itself(const RocksdbFolder& folder, const StoreOptions& options) {
  return {"rocksdb, its own groups", [&](int thread, std::uint64_t i) {
            const std::uint64_t number = number_of(thread, i);
            RocksdbBatch batch(folder, options);
            batch.append(member_name(mix64(number) % kMembers) + std::to_string(thread),
                         interaction(number));
            rocksdb::WriteOptions durable;
            durable.sync = true;
            folder.check(folder.database().Write(durable, batch.changes()), "write");
          }};
}

nlohmann::json measure_reads(const std::string& name, MemberStore& store, double seconds) {
  nlohmann::json result;
  const auto row = [&](const std::string& what, int threads, double reads) {
    fmt::print("{:<28} {:>7} {:>12.0f}  {}\n", name, threads, reads, what);
    result[what + " " + std::to_string(threads)] = reads;
  };
  for (const int threads : {1, 4}) {
    row("members' latest 50, one by one", threads,
        rate(threads, seconds, [&](int thread, std::uint64_t i) {
          store.recent(member_name(mix64(number_of(thread, i)) % kMembers), 50);
        }));
    constexpr std::uint64_t kMany = 100;
    const auto many = [&](int thread, std::uint64_t i) {
      std::vector<std::string> members;
      for (std::uint64_t k = 0; k < kMany; ++k) {
        members.push_back(member_name(mix64(number_of(thread, i * kMany + k)) % kMembers));
      }
      return members;
    };
    row("embeddings, 100 a call", threads,
        kMany * rate(threads, seconds, [&](int thread, std::uint64_t i) {
          store.get_states(many(thread, i), "ranker", "1");
        }));
    row("members' latest 50, 100 a call", threads,
        kMany * rate(threads, seconds,
                     [&](int thread, std::uint64_t i) { store.recent_many(many(thread, i), 50); }));
  }
  return result;
}

/// Gives members `each` interactions and an embedding of 64 values.
void fill(MemberStore& store, std::uint64_t members, std::uint64_t each) {
  constexpr std::uint64_t kBatch = 500;
  for (std::uint64_t begin = 0; begin < members; begin += kBatch) {
    std::vector<MemberInteraction> interactions;
    std::vector<NamedState> states;
    for (std::uint64_t i = begin; i < std::min(members, begin + kBatch); ++i) {
      for (std::uint64_t k = 0; k < each; ++k) {
        interactions.push_back({member_name(i), interaction(i * each + k)});
      }
      MemberState state{std::vector<float>(64), "ranker", "1", kTime, 0};
      Random random(i);
      for (float& value : state.values) value = static_cast<float>(random.normal());
      states.push_back({member_name(i), std::move(state)});
    }
    store.append_many(interactions);
    store.put_states(states);
  }
}

std::uint64_t folder_bytes(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) bytes += entry.file_size();
  return bytes;
}

nlohmann::json measure_size(std::uint64_t members, std::uint64_t each) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "store").string();
  fill(*open_member_store("rocksdb:" + path), members, each);
  const Stopwatch watch;
  const auto store = open_member_store("rocksdb:" + path);
  const double seconds = watch.seconds();
  const double bytes = static_cast<double>(folder_bytes(path)) / static_cast<double>(members);
  fmt::print("rocksdb: {} members of {} interactions: {:.0f} bytes each, opened in {:.2f} s\n",
             members, each, bytes, seconds);
  return {{"members", members}, {"interactions", each}, {"bytes", bytes}, {"open_s", seconds}};
}

nlohmann::json measure_redis_size(const std::string& url, std::uint64_t members,
                                  std::uint64_t each) {
  const auto store = open_member_store(url);
  const std::int64_t before = store->counts().bytes;
  fill(*store, members, each);
  const double bytes =
      static_cast<double>(store->counts().bytes - before) / static_cast<double>(members);
  fmt::print("redis: {} members of {} interactions: {:.0f} bytes of memory each\n", members, each,
             bytes);
  return {{"members", members}, {"interactions", each}, {"bytes", bytes}};
}

int run(int argc, char** argv) {
  CLI::App app("Measures the member stores.");
  double seconds = 4;
  std::uint64_t members = 1'000'000, each = 5;
  app.add_option("--seconds", seconds, "of each measurement")->capture_default_str();
  app.add_option("--members", members, "of the store whose size is measured")
      ->capture_default_str();
  app.add_option("--interactions", each, "of each of these")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }

  RedisServerForTest redis;
  const TemporaryFolder folder;
  StoreOptions options;
  options.timeout = std::chrono::seconds(20);
  const auto on_disk = open_member_store("rocksdb:" + (folder.path() / "store").string(), options);
  const auto shared = open_member_store(redis.url(), options);
  nlohmann::json result;
  fmt::print("{:<28} {:>7} {:>12}\n", "appends", "threads", "a second");
  options.now_ms = [] { return kTime; };
  const RocksdbFolder by_itself(folder.path() / "by_itself", options);
  result["appends"] =
      append_rates({appender("rocksdb", *on_disk), appender_by_itself(by_itself, options),
                    appender("redis", *shared)},
                   seconds);
  fmt::print("{:<28} {:>7} {:>12}\n", "reads", "threads", "a second");
  fill(*on_disk, kMembers, 60);
  fill(*shared, kMembers, 60);
  result["reads"]["rocksdb"] = measure_reads("rocksdb", *on_disk, seconds);
  result["reads"]["redis"] = measure_reads("redis", *shared, seconds);
  redis.ask({"FLUSHALL"});
  result["size"]["redis"] = measure_redis_size(redis.url(), std::min(members, kMembers), each);
  result["size"]["rocksdb"] = measure_size(members, each);
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  return limber::run_main(argc, argv, limber::run);
}
