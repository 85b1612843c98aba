#include "apps/adapt_store.h"

#include <mutex>
#include <thread>

#include "apps/log_interactions.h"
#include "apps/thread_count.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/member_shard.h"
#include "limber/serving/service/load_interactions.h"
#include "limber/serving/service/ranking_service.h"
#include "limber/serving/store/redis_address.h"

namespace limber {
namespace {

/// Puts the interactions of the log's members in `shard` into the store: in the order of time where
/// the config knows it, for which all of them are held in memory at once; else in the order of the
/// files.
void load_log(const ServedModel& model, const Config& config, const MemberShard& shard,
              MemberStore& store) {
  std::vector<MemberInteraction> waiting;
  constexpr std::size_t together = 4096;
  LoadedInteractions all;
  const auto add = [&](const LoadedInteractions& some) {
    all.stored += some.stored;
    all.known += some.known;
    waiting.clear();
  };
  const bool timed = !config.data.time.empty();
  const Stopwatch time;
  const std::int64_t skipped = for_each_interaction(
      model, config, [&](const Key& member) { return shard.has(member); },
      [&](MemberInteraction one) {
        waiting.push_back(std::move(one));
        if (!timed && waiting.size() == together) add(load_interactions(store, waiting));
      });
  add(timed ? load_in_order(store, std::move(waiting)) : load_interactions(store, waiting));
  fmt::print("loaded {}{}{} in {:.2f} s\n", counted(all.stored, "interaction"),
             all.known > 0 ? fmt::format(", {} were there already", all.known) : "",
             skipped > 0 ? fmt::format(", {} bad rows skipped", skipped) : "", time.seconds());
}

}  // namespace

int adapt_store(const AdaptArguments& arguments) {
  ServedModel::Options options;
  options.tables = named_paths(arguments.tables, "--table");
  const auto model = ServedModel::load(arguments.model, options);
  const RuntimeModel& runtime = model->runtime();
  const Config config =
      parse_config(config_to_yaml(runtime.config), arguments.model, arguments.settings);
  StoreOptions kept;
  kept.most_interactions = arguments.most_interactions > 0
                               ? arguments.most_interactions
                               : std::max<std::int64_t>(200, 2 * model->interactions_wanted());
  kept.interaction_ttl = std::chrono::hours(24) * arguments.interaction_days;
  const MemberShard shard = parse_member_shard(arguments.shard, "--shard");
  if (!shard.all() && arguments.store.starts_with("rocksdb:")) {
    throw InputError(
        "--shard: one process at a time opens a RocksDB folder, with all its processors; shards "
        "are for Redis, or for --output");
  }
  const auto store = open_member_store(arguments.store, kept);
  if (arguments.load) load_log(*model, config, shard, *store);
  if (!runtime.uses_support()) {
    throw InputError("{}: the model has no part that is adapted to members", arguments.model);
  }
  Personaliser personaliser(*store, 0);
  Progress progress("adapting", 0, "members");
  const Stopwatch time;
  std::mutex mutex;
  std::string cursor;
  bool finished = false;
  std::exception_ptr failure;
  std::int64_t adapted = 0;
  // An unknown version has no embeddings, so that all members count as changed.
  const std::string version = arguments.all ? "" : runtime.version();
  const auto adapt_pages = [&] {
    const auto bench = model->borrow();
    while (true) {
      std::vector<std::string> members;
      {
        const std::lock_guard lock(mutex);
        if (finished || failure || stop_requested()) return;
        const ScanPage page = store->scan(cursor, 256, runtime.name(), version);
        cursor = page.next_cursor;
        finished = cursor.empty();
        for (const ScanEntry& entry : page.entries) {
          if (shard.has(key_of(entry.member))) members.push_back(entry.member);
        }
      }
      if (!members.empty()) personaliser.refresh_many(*model, *bench, members);
      const std::lock_guard lock(mutex);
      adapted += static_cast<std::int64_t>(members.size());
      progress.set(static_cast<std::uint64_t>(adapted));
    }
  };
  const auto work = [&] {
    try {
      adapt_pages();
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t t = 0; t < thread_count(arguments.threads); ++t) pool.emplace_back(work);
  for (std::thread& thread : pool) thread.join();
  progress.finish();
  if (failure) std::rethrow_exception(failure);
  fmt::print("adapted {} in {:.2f} s ({:.0f} members/s) under {} version {}: {}{}\n",
             counted(adapted, "member"), time.seconds(),
             static_cast<double>(adapted) / time.seconds(), runtime.name(), runtime.version(),
             store_without_password(arguments.store),
             finished ? "" : "; stopped, start again to go on");
  return finished ? 0 : 1;
}

}  // namespace limber
