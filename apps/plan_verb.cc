#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmath>
#include <set>
#include <thread>

#include "apps/log_interactions.h"
#include "apps/plan_report.h"
#include "apps/serve_verbs.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/config/config.h"
#include "limber/core/data/member_shard.h"
#include "limber/serving/http/process_metrics.h"
#include "limber/serving/plan/unit_costs.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

/// 100000000, 1e8, 100M: how people write such numbers.
double amount(const std::string& text, const std::string& option) {
  std::size_t read = 0;
  double value = -1;
  try {
    value = std::stod(text, &read);
  } catch (const std::exception&) {
    read = 0;
  }
  const std::string unit = text.substr(read);
  const double factor = unit.empty()                 ? 1
                        : unit == "k" || unit == "K" ? 1e3
                        : unit == "M"                ? 1e6
                        : unit == "G" || unit == "B" ? 1e9
                                                     : 0;
  constexpr double kMost = 1e15;
  if (read == 0 || factor == 0 || !(value >= 0) || !(value * factor <= kMost)) {
    throw InputError("{} {}: expected a number up to 1e15, such as 100000000, 1e8 or 100M", option,
                     text);
  }
  return value * factor;
}

Machine this_machine(const fs::path& folder) {
  Machine machine;
  machine.processors = std::max(1U, std::thread::hardware_concurrency());
  machine.memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) == 0) {
    machine.disk = static_cast<double>(disk.f_blocks) * static_cast<double>(disk.f_frsize);
  }
  return machine;
}

/// All interactions of some members.
struct Sample {
  std::vector<MemberInteraction> interactions;
  std::set<std::string, std::less<>> members;
};

/// At most `most_members`, drawn by a hash of their keys: whoever comes first in a log is there
/// more often than others. The share is halved whenever it turns out too large.
Sample read_sample(const ServedModel& model, const Config& config, std::int64_t most_members) {
  Sample sample;
  MemberShard share;
  for_each_interaction(
      model, config, [&](const Key& member) { return share.has(member); },
      [&](MemberInteraction one) {
        sample.members.insert(one.member);
        sample.interactions.push_back(std::move(one));
        while (static_cast<std::int64_t>(sample.members.size()) > most_members) {
          share.count *= 2;
          std::erase_if(sample.members,
                        [&](const std::string& name) { return !share.has(key_of(name)); });
          std::erase_if(sample.interactions, [&](const MemberInteraction& other) {
            return !share.has(key_of(other.member));
          });
        }
      });
  if (sample.interactions.empty()) throw InputError("data.interactions: holds no usable row");
  return sample;
}

/// The interactions of so many copies of each member that there are enough of them: of a few, what
/// they need of a disk is not to be seen, and seconds are noise.
std::vector<MemberInteraction> repeated(const Sample& sample, std::int64_t most_members) {
  constexpr std::int64_t kEnoughInteractions = 400000, kEnoughOfMember = 20;
  const std::int64_t enough = std::min(kEnoughInteractions, kEnoughOfMember * most_members);
  const std::int64_t copies =
      std::max<std::int64_t>(1, enough / static_cast<std::int64_t>(sample.interactions.size()));
  std::vector<MemberInteraction> all;
  all.reserve(sample.interactions.size() * static_cast<std::size_t>(copies));
  // Side by side in time, and apart in the order of names.
  for (const MemberInteraction& one : sample.interactions) {
    all.push_back(one);
    for (std::int64_t copy = 1; copy < copies; ++copy) {
      all.push_back(one);
      all.back().member = fmt::format("copy {} of {}", copy, one.member);
    }
  }
  return all;
}

}  // namespace

int run_plan(const PlanArguments& arguments) {
  PlanReport report;
  Demand& demand = report.demand;
  demand.members = amount(arguments.members, "--members");
  demand.events = amount(arguments.events, "--events");
  demand.ranks = amount(arguments.ranks, "--ranks");
  demand.table_rows = amount(arguments.table_rows, "--table-rows");
  demand.table_width = static_cast<double>(arguments.table_width);
  demand.candidates = static_cast<double>(arguments.candidates);
  demand.utilisation = arguments.utilisation;
  demand.refresh_seconds = 60 * arguments.refresh_minutes;
  check_data_settings(arguments.settings, "plan");
  if (demand.members < 1) throw InputError("--members {}: expected 1 or more", arguments.members);

  ServedModel::Options served;
  served.tables = named_paths(arguments.tables, "--table");
  const double before = http::resident_memory_bytes();
  const auto model = ServedModel::load(arguments.model, served);
  const double loaded = http::resident_memory_bytes() - before;
  if (!model->runtime().uses_support()) {
    throw InputError("{}: the model has no part that is adapted to members", arguments.model);
  }
  const Config config =
      parse_config(config_to_yaml(model->runtime().config), arguments.model, arguments.settings);
  const Sample sample = read_sample(*model, config, arguments.sample_members);

  const TemporaryFolder folder;
  report.machine = this_machine(folder.path());
  if (arguments.processors > 0)
    report.machine.processors = static_cast<double>(arguments.processors);
  if (arguments.memory_gb > 0) report.machine.memory = 1e9 * arguments.memory_gb;
  if (arguments.disk_gb > 0) report.machine.disk = 1e9 * arguments.disk_gb;
  report.sample_members = static_cast<double>(sample.members.size());
  report.sample = fmt::format(
      "{} of {}", counted(static_cast<std::int64_t>(sample.interactions.size()), "interaction"),
      counted(static_cast<std::int64_t>(sample.members.size()), "member"));

  CostOptions costs;
  costs.seconds = arguments.seconds;
  costs.candidates = arguments.candidates;
  costs.store.most_interactions = std::max<std::int64_t>(200, 2 * model->interactions_wanted());
  const std::vector<MemberInteraction> interactions = repeated(sample, arguments.sample_members);
  const double there = report.sample_members * static_cast<double>(interactions.size()) /
                       static_cast<double>(sample.interactions.size());
  costs.share = std::min(1.0, there / demand.members);
  // A store that pauses under this load, with buffers made small, is measured and no news.
  spdlog::set_level(spdlog::level::err);
  report.costs = measure_unit_costs(arguments.model, served, interactions, folder.path(),
                                    before + loaded, costs);
  demand.interactions =
      static_cast<double>(kept_interactions(sample.interactions, costs.store.most_interactions)) /
      report.sample_members;
  if (!arguments.interactions.empty()) {
    demand.interactions = amount(arguments.interactions, "--interactions");
  }
  if (arguments.json) {
    fmt::print("{}\n", plan_as_json(report).dump(2));
  } else {
    fmt::print("{}", plan_as_text(report));
  }
  return 0;
}

}  // namespace limber
