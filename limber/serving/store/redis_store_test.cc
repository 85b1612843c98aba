// What holds for Redis alone: a server that goes and comes back, several clients, lifetimes of
// keys.
#include "limber/serving/store/redis_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/serving/store/redis_address.h"
#include "limber/serving/store/redis_server_for_test.h"

namespace limber {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kTime = 1'700'000'000'000;

StoreOptions patient() {
  StoreOptions options;
  options.timeout = 20s;
  return options;
}

/// Calls until it succeeds; what it threw until then must all be Error that names the server.
template <class Call>
void until_it_succeeds(const RedisServerForTest& server, const Call& call) {
  for (int i = 0; i < 1000; ++i) {
    try {
      call();
      return;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(server.url()), std::string::npos) << error.what();
      std::this_thread::sleep_for(20ms);
    }
  }
  FAIL() << "never succeeded";
}

TEST(RedisAddress, HasAllItsParts) {
  const RedisAddress plain = RedisAddress::parse("redis://example.org");
  EXPECT_EQ(plain.host, "example.org");
  EXPECT_EQ(plain.port, 6379);
  EXPECT_EQ(plain.database, 0);
  EXPECT_TRUE(plain.password.empty());
  const RedisAddress whole = RedisAddress::parse("redis://ann:p%40:ss@[::1]:7000/3");
  EXPECT_EQ(whole.user, "ann");
  EXPECT_EQ(whole.password, "p@:ss");
  EXPECT_EQ(whole.host, "::1");
  EXPECT_EQ(whole.port, 7000);
  EXPECT_EQ(whole.database, 3);
  EXPECT_EQ(whole.without_password(), "redis://[::1]:7000/3");
  EXPECT_EQ(RedisAddress::parse("redis://:x@h/").password, "x");
}

TEST(RedisStore, IsRefusedWithoutItsPasswordAndNeverRepeatsIt) {
  const RedisServerForTest server("secret");
  const std::string place = "127.0.0.1:" + std::to_string(server.port());
  EXPECT_NO_THROW(open_redis_store("redis://:secret@" + place, patient())->append("ann", {}));
  for (const std::string login : {"", ":sesame@", "ann:sesame@"}) {
    try {
      open_redis_store(fmt::format("redis://{}{}", login, place), patient());
      FAIL() << login;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(place), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find("sesame"), std::string::npos) << error.what();
    }
  }
}

TEST(RedisStore, KeepsDatabasesApart) {
  const RedisServerForTest server;
  const auto zero = open_redis_store(server.url(), patient());
  const auto two = open_redis_store(server.url() + "/2", patient());
  zero->append("ann", {});
  EXPECT_TRUE(two->recent("ann", 1).empty());
  EXPECT_THROW(open_redis_store(server.url() + "/99", patient()), Error);
}

TEST(RedisStore, GivesEveryKeyALifetime) {
  const RedisServerForTest server;
  StoreOptions options = patient();
  options.interaction_ttl = 100s;
  options.state_ttl = 1000s;
  const auto store = open_redis_store(server.url(), options);
  const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  for (int i = 0; i < 5; ++i) store->append("ann", {now, std::to_string(i), "{}"});
  store->put_state("ann", {{1}, "m", "1", now, 5});
  store->put_state("bob", {{1}, "m", "1", now, 0});
  const auto lifetime = [&](const std::string& key) {
    return std::stoll(server.ask({"PTTL", key}).front());
  };
  const auto keys = server.ask({"KEYS", "*"});
  EXPECT_EQ(keys.size(), 6u);
  for (const std::string& key : keys) {
    EXPECT_GT(lifetime(key), 0) << key;
    EXPECT_LE(lifetime(key), key.starts_with("limber:i:") ? 100'000 : 1'000'000) << key;
  }
  // Heads outlive what refers to their numbers.
  const auto end = [&](const std::string& key) {
    return std::stoll(server.ask({"PEXPIRETIME", key}).front());
  };
  EXPECT_GE(end("limber:h:ann"), end("limber:s:ann"));
  EXPECT_GE(end("limber:h:ann"), end("limber:i:ann"));
  EXPECT_GE(end("limber:members"), end("limber:h:ann"));

  // Redis has let a member go: scan skips it and tidies up the index.
  server.ask({"DEL", "limber:h:ann", "limber:i:ann", "limber:s:ann"});
  EXPECT_TRUE(store->scan("", 10, "m", "2").entries.empty());
  EXPECT_EQ(server.ask({"ZRANGE", "limber:members", "0", "-1"}), std::vector<std::string>{"bob"});
}

TEST(RedisStore, ForeverMeansNoLifetime) {
  const RedisServerForTest server;
  const auto store = open_redis_store(server.url(), patient());
  store->append("ann", {kTime, "", ""});
  store->put_state("ann", {{1}, "m", "1", kTime, 1});
  for (const std::string& key : server.ask({"KEYS", "*"})) {
    EXPECT_EQ(server.ask({"PTTL", key}).front(), "-1") << key;
  }
}

TEST(RedisStore, SeveralServersShareOne) {
  constexpr std::int64_t kServers = 4, kAppends = 200;
  const RedisServerForTest redis;
  StoreOptions options = patient();
  options.most_interactions = kServers * kAppends;
  std::vector<std::unique_ptr<MemberStore>> stores;
  stores.reserve(kServers);
  for (int i = 0; i < kServers; ++i) stores.push_back(open_redis_store(redis.url(), options));
  std::vector<std::map<std::int64_t, std::string>> told(kServers);
  std::atomic<int> raced = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kServers);
    for (int t = 0; t < kServers; ++t) {
      threads.emplace_back([&, t] {
        MemberStore& store = *stores[static_cast<std::size_t>(t)];
        for (int i = 0; i < kAppends; ++i) {
          const std::string body = std::to_string(t) + "/" + std::to_string(i);
          told[static_cast<std::size_t>(t)][store.append("ann", {kTime, "", body}).sequence] = body;
          if (store.append("bob", {kTime, std::to_string(i), ""}).stored()) ++raced;
        }
      });
    }
  }
  EXPECT_EQ(raced, kAppends);
  std::map<std::int64_t, std::string> acknowledged, stored;
  for (auto& one : told) acknowledged.merge(one);
  std::int64_t expected = 0;
  for (const auto& one : stores[0]->recent("ann", 100'000)) {
    EXPECT_EQ(one.sequence, ++expected);
    stored[one.sequence] = one.interaction.body;
  }
  EXPECT_EQ(std::ssize(stored), kServers * kAppends);
  EXPECT_EQ(stored, acknowledged);
}

TEST(RedisStore, ComesBackWithItsServer) {
  RedisServerForTest server;
  const auto store = open_redis_store(server.url(), patient());
  store->append("ann", {kTime, "1", "one"});
  server.stop();
  for (int i = 0; i < 3; ++i) {
    try {
      store->append("ann", {kTime, "2", "two"});
      FAIL() << "appended to a Redis that is gone";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(server.url()), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("cannot be reached"), std::string::npos)
          << error.what();
    }
  }
  EXPECT_FALSE(store->health().usable);
  EXPECT_THROW(store->recent("ann", 1), Error);
  EXPECT_THROW(store->scan("", 10, "m", "1"), Error);

  ASSERT_TRUE(server.start());
  until_it_succeeds(server, [&] { store->append("ann", {kTime, "2", "two"}); });
  EXPECT_TRUE(store->health().usable);
  const auto kept = store->recent("ann", 10);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].interaction.body, "one");
  EXPECT_EQ(kept[1].sequence, 2);
}

TEST(RedisStore, NoticesARestartBetweenTwoCalls) {
  RedisServerForTest server;
  const auto store = open_redis_store(server.url(), patient());
  store->append("ann", {kTime, "", "one"});
  server.stop();
  ASSERT_TRUE(server.start());
  // Neither its dead connection nor the scripts that Redis forgot are the caller's concern.
  EXPECT_EQ(store->append("ann", {kTime, "", "two"}).sequence, 2);
  server.ask({"SCRIPT", "FLUSH"});
  EXPECT_EQ(store->append("ann", {kTime, "", "three"}).sequence, 3);
}

TEST(RedisStore, DoesNotWaitForeverForASilentServer) {
  const RedisServerForTest server;
  StoreOptions options;
  options.timeout = 100ms;
  options.most_connections = 2;
  const auto store = open_redis_store(server.url(), options);
  until_it_succeeds(server, [&] { store->append("ann", {kTime, "", "one"}); });
  server.freeze();
  {
    // More callers than connections: all come back with an Error.
    std::vector<std::jthread> callers;
    callers.reserve(6);
    for (int i = 0; i < 6; ++i) {
      callers.emplace_back([&] { EXPECT_THROW(store->recent("ann", 1), Error); });
    }
  }
  EXPECT_FALSE(store->health().usable);
  server.thaw();
  until_it_succeeds(server, [&] { EXPECT_EQ(store->recent("ann", 1).size(), 1u); });
}

TEST(RedisStore, LosesNothingAcknowledgedWhileItsServerComesAndGoes) {
  constexpr int kThreads = 4;
  RedisServerForTest server;
  StoreOptions options = patient();
  options.most_interactions = 1'000'000;
  const auto store = open_redis_store(server.url(), options);
  std::atomic<bool> stop = false;
  std::atomic<int> appended = 0;
  std::vector<std::set<std::string>> acknowledged(kThreads);
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        const std::string event = std::to_string(t) + "/" + std::to_string(i);
        try {
          store->append("ann", {kTime, event, event});
          acknowledged[static_cast<std::size_t>(t)].insert(event);
          ++appended;
        } catch (const Error&) {
          std::this_thread::sleep_for(5ms);
        }
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    const int before = appended;
    while (appended < before + 50) std::this_thread::sleep_for(5ms);
    server.stop();
    EXPECT_TRUE(server.start());
  }
  const int before = appended;
  while (appended < before + 50) std::this_thread::sleep_for(5ms);
  stop = true;
  threads.clear();
  std::multiset<std::string> stored;
  std::int64_t expected = 0;
  for (const auto& one : store->recent("ann", 1'000'000)) {
    EXPECT_EQ(one.sequence, ++expected);
    stored.insert(one.interaction.event_id);
  }
  for (const auto& by_thread : acknowledged) {
    for (const std::string& event : by_thread) EXPECT_EQ(stored.count(event), 1u) << event;
  }
}

TEST(RedisStore, CannotBeOpenedWithoutAServer) {
  RedisServerForTest server;
  server.stop();
  EXPECT_THROW(open_redis_store(server.url(), patient()), Error);
}

}  // namespace
}  // namespace limber
