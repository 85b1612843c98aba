#include "limber/serving/plan/unit_costs.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "limber/core/base/progress.h"
#include "limber/core/base/random.h"
#include "limber/serving/http/process_metrics.h"
#include "limber/serving/plan/loopback_client.h"
#include "limber/serving/serve/http_api.h"
#include "limber/serving/service/field_json.h"
#include "limber/serving/service/load_interactions.h"

namespace limber {
namespace {

constexpr std::int64_t kCopiesOfStates = 4;

double client_seconds() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Work on this very thread.
struct Spent {
  double processor = 0, wall = 0;
};
Spent spent_on(const std::function<void()>& work) {
  const double before = http::processor_seconds();
  const Stopwatch time;
  work();
  return {http::processor_seconds() - before, time.seconds()};
}

/// Asks for `seconds`, after a tenth as many to warm up: processor seconds of the server for one
/// request, and the median of what the client waited.
struct Asked {
  double processor = 0, wait = 0;
};
Asked ask_for(double seconds, const std::function<void()>& ask) {
  for (const Stopwatch time; time.seconds() < seconds / 10;) ask();
  std::vector<double> waits;
  const double before = http::processor_seconds() - client_seconds();
  for (const Stopwatch time; time.seconds() < seconds;) {
    const Stopwatch one;
    ask();
    waits.push_back(one.seconds());
  }
  const double spent = http::processor_seconds() - client_seconds() - before;
  const auto middle = waits.begin() + static_cast<std::ptrdiff_t>(waits.size() / 2);
  std::nth_element(waits.begin(), middle, waits.end());
  return {spent / static_cast<double>(waits.size()), *middle};
}

/// Bodies of requests, of the sample's members and of what the model ranks.
class Requests {
 public:
  Requests(const ServedModel& model, const std::vector<MemberInteraction>& sample)
      : sample_(sample) {
    const int item = model.schema().item_table();
    if (item < 0) return;
    const CatalogueTable& table = model.catalogue().tables()[static_cast<std::size_t>(item)];
    for (std::int64_t row = 0; row < table.rows.rows; ++row) {
      append_json_text(table.keys.text(static_cast<std::int32_t>(row + 1)), keys_.emplace_back());
    }
  }

  std::string rank(std::int64_t candidates) {
    std::string body = "{\"member\":";
    append_json_text(any().member, body);
    body += ",\"candidates\":[";
    for (std::int64_t c = 0; c < candidates; ++c) {
      if (c > 0) body += ',';
      body += keys_.empty() ? any().interaction.body : keys_[random_.below(keys_.size())];
    }
    return body + "]}";
  }

  std::string feedback() {
    const MemberInteraction& one = any();
    std::string body = "{\"member\":";
    append_json_text(one.member, body);
    body += ",\"interaction\":{\"event_id\":\"plan-" + std::to_string(++events_) + '"';
    const std::string& fields = one.interaction.body;  // an object
    body += fields.size() > 2 ? "," + fields.substr(1) : "}";
    return body + "}";
  }

 private:
  const MemberInteraction& any() { return sample_[random_.below(sample_.size())]; }

  const std::vector<MemberInteraction>& sample_;
  std::vector<std::string> keys_;  ///< of the item table, as JSON
  Random random_{1};
  std::int64_t events_ = 0;
};

/// Bytes of a store on the disk, once it has tidied up: no change for a second, or half a minute of
/// them. Opened anew, it has written what it held in memory.
double settled_bytes(const std::string& address, const StoreOptions& kept) {
  const auto opened = open_member_store(address, kept);
  MemberStore& store = *opened;
  constexpr auto kPause = std::chrono::milliseconds(200);
  std::int64_t bytes = store.counts().bytes;
  int same = 0;
  for (int tries = 0; same < 5 && tries < 150; ++tries) {
    std::this_thread::sleep_for(kPause);
    const std::int64_t now = store.counts().bytes;
    same = now == bytes ? same + 1 : 0;
    bytes = now;
  }
  return static_cast<double>(bytes);
}

/// Loading in bulk, as `limber adapt --store --load` does it: the first quarter and the rest apart,
/// since it gets dearer as the store grows. With c(n) = a + b log2(n) for the n-th interaction the
/// mean of the last three quarters is above that of the first by 8 b / 3.
void measure_load(const std::string& address, const StoreOptions& kept,
                  std::vector<MemberInteraction> sample, UnitCosts& costs) {
  const auto store = open_member_store(address, kept);
  const auto count = static_cast<double>(sample.size());
  std::ranges::stable_sort(sample, {},
                           [](const MemberInteraction& one) { return one.interaction.time_ms; });
  const auto quarter = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 4);
  std::vector<MemberInteraction> first(sample.begin(), quarter), rest(quarter, sample.end());
  const auto early = static_cast<double>(first.size()), late = static_cast<double>(rest.size());
  const Spent begin = spent_on([&] { load_in_order(*store, std::move(first)); });
  const Spent end = spent_on([&] { load_in_order(*store, std::move(rest)); });
  costs.load = (begin.processor + end.processor) / count;
  costs.load_wait = (begin.wall + end.wall) / count;
  costs.loaded = count;
  // Of a few interactions the difference is noise.
  constexpr double kFewInteractions = 10000;
  if (early < kFewInteractions) return;
  costs.load_growth = std::max(0.0, 3.0 / 8 * (end.wall / late - begin.wall / early));
}

/// Adapting all members of the store in bulk, as `limber adapt --store` does it; how many there
/// are.
std::int64_t measure_adapt(const ServedModel& model, MemberStore& store, Personaliser& personaliser,
                           UnitCosts& costs) {
  std::int64_t members = 0;
  const auto bench = model.borrow();
  const Spent adapting = spent_on([&] {
    std::string cursor;
    do {
      ScanPage page = store.scan(cursor, 256, model.runtime().name(), model.runtime().version());
      std::vector<std::string> names;
      for (ScanEntry& entry : page.entries) names.push_back(std::move(entry.member));
      personaliser.refresh_many(model, *bench, names);
      members += static_cast<std::int64_t>(names.size());
      cursor = page.next_cursor;
    } while (!cursor.empty());
  });
  costs.adapt = adapting.processor / static_cast<double>(std::max<std::int64_t>(members, 1));
  return members;
}

/// Many more embeddings, as those of other versions: how many. Each has another member's numbers,
/// so that they compress as embeddings do.
std::int64_t put_more_states(const ServedModel& model, MemberStore& store,
                             const std::vector<MemberInteraction>& sample) {
  std::set<std::string_view> names;
  for (const MemberInteraction& one : sample) names.insert(one.member);
  const std::vector<std::string> members(names.begin(), names.end());
  const std::string &name = model.runtime().name(), &version = model.runtime().version();
  const auto states = store.get_states(members, name, version);
  std::int64_t written = 0;
  for (std::int64_t copy = 1; copy <= kCopiesOfStates; ++copy) {
    std::vector<NamedState> more;
    for (std::size_t m = 0; m < members.size(); ++m) {
      const auto& own = states[m];
      const auto& other = states[(m + static_cast<std::size_t>(copy) * 7919) % members.size()];
      if (!own || !other) continue;
      more.push_back({members[m], *own});
      more.back().state.values = other->values;
      more.back().state.version = fmt::format("{:06}", 900000 + copy);
    }
    store.put_states(more);
    written += static_cast<std::int64_t>(more.size());
  }
  return written;
}

/// What loads and adapts members in bulk, and the bytes that they take up on the disk.
void measure_store(const ServedModel& model, const std::vector<MemberInteraction>& sample,
                   const std::string& address, const StoreOptions& kept, UnitCosts& costs) {
  load_in_order(*open_member_store(address, kept), sample);
  const double loaded = settled_bytes(address, kept);
  costs.disk_interaction =
      loaded / static_cast<double>(kept_interactions(sample, kept.most_interactions));
  std::int64_t states = 0;
  {
    const auto store = open_member_store(address, kept);
    Personaliser personaliser(*store, 0);
    states = measure_adapt(model, *store, personaliser, costs);
    states += put_more_states(model, *store, sample);
  }
  const double grown = std::max(0.0, settled_bytes(address, kept) - loaded);
  // No sample is so small that an embedding would take less than its numbers, which do not
  // compress.
  costs.disk_member = std::max(grown / static_cast<double>(std::max<std::int64_t>(states, 1)),
                               4.0 * static_cast<double>(model.runtime().known_width()));
}

/// Bytes of a member in memory, from as many as the sample has.
double memory_of_member(const ServedModel& model, MemberStore& store,
                        const std::vector<MemberInteraction>& sample) {
  std::set<std::string_view> names;
  for (const MemberInteraction& one : sample) names.insert(one.member);
  Personaliser keeping(store, 2 * names.size());
  const auto bench = model.borrow();
  // Bytes in use, of which the process may have had enough already.
  const auto in_use = [] {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
  };
  const double before = in_use();
  for (const std::string_view name : names) keeping.entry(model, *bench, name);
  return std::max(0.0, in_use() - before) / static_cast<double>(names.size());
}

}  // namespace

std::int64_t kept_interactions(const std::vector<MemberInteraction>& sample, std::int64_t most) {
  std::map<std::string_view, std::int64_t> counts;
  std::int64_t kept = 0;
  for (const MemberInteraction& one : sample) {
    if (++counts[one.member] <= most) ++kept;
  }
  return kept;
}

UnitCosts measure_unit_costs(const std::filesystem::path& path, const ServedModel::Options& served,
                             const std::vector<MemberInteraction>& sample,
                             const std::filesystem::path& folder, double memory_server,
                             const CostOptions& options) {
  UnitCosts costs;
  costs.memory_server = memory_server;
  {
    const std::filesystem::path alone = folder / "loaded";
    measure_load("rocksdb:" + alone.string(), options.store, sample, costs);
    std::filesystem::remove_all(alone);
  }
  // What is small here for being a sample must not be all in memory: buffer and cache hold the
  // share of it that they would hold of all members.
  StoreOptions kept = options.store;
  const auto shrunk = [&](std::size_t bytes, std::size_t least) {
    return std::max(least, static_cast<std::size_t>(options.share * static_cast<double>(bytes)));
  };
  kept.write_buffer_bytes = shrunk(kept.write_buffer_bytes, 2u << 20);
  kept.cache_bytes = shrunk(kept.cache_bytes, 256u << 10);
  kept.most_states = kCopiesOfStates + 1;
  const std::string address = "rocksdb:" + (folder / "store").string();
  measure_store(*ServedModel::load(path, served), sample, address, kept, costs);
  const auto store = open_member_store(address, kept);
  // Of many members most are asked of the store, not of memory.
  Personaliser personaliser(*store, 0);
  ModelHost host(path, served, personaliser);
  const auto model = host.current();
  costs.memory_member = memory_of_member(*model, *store, sample);

  RankingService service(host, personaliser, 0);
  http::ServerOptions listening;
  listening.port = 0;
  http::Server server(listening);
  const ConsoleData console;
  add_endpoints(server, service, console, ApiLimits{});
  server.start();
  LoopbackClient client(server.port());
  Requests requests(*model, sample);
  const std::int64_t few = std::max<std::int64_t>(1, options.candidates / 4);
  const auto rank = [&](std::int64_t candidates) {
    return ask_for(options.seconds, [&] { client.post("/rank", requests.rank(candidates)); });
  };
  const double some = rank(few).processor, many = rank(options.candidates).processor;
  if (options.candidates > few) {
    costs.rank_candidate =
        std::max(0.0, (many - some) / static_cast<double>(options.candidates - few));
  }
  costs.rank_request =
      std::max(0.0, many - static_cast<double>(options.candidates) * costs.rank_candidate);
  const Asked event =
      ask_for(options.seconds, [&] { client.post("/feedback", requests.feedback()); });
  costs.event = event.processor;
  costs.event_wait = event.wait;
  server.drain(std::chrono::seconds(10));
  return costs;
}

}  // namespace limber
