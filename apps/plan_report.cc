#include "apps/plan_report.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace limber {
namespace {

constexpr double kFewMembers = 1000;

/// 1,234,567 and the like: a count to three digits, in words from a million up.
std::string count(double value) {
  if (value >= 1e9) return fmt::format("{:.3g} billion", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.3g} million", value / 1e6);
  return fmt::format("{:.0f}", value);
}

std::string bytes(double value) {
  constexpr std::array<const char*, 5> units{"bytes", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} bytes", value)
                   : fmt::format("{:.3g} {}", value, units[unit]);
}

std::string duration(double seconds) {
  if (seconds >= 2 * 86400) return fmt::format("{:.3g} days", seconds / 86400);
  if (seconds >= 2 * 3600) return fmt::format("{:.3g} hours", seconds / 3600);
  if (seconds >= 120) return fmt::format("{:.3g} minutes", seconds / 60);
  if (seconds >= 1) return fmt::format("{:.3g} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.3g} ms", 1e3 * seconds);
  return fmt::format("{:.3g} us", 1e6 * seconds);
}

std::string line(const std::string& head, const std::string& text) {
  return fmt::format("  {:<11}{}\n", head, text);
}

std::string measured(const PlanReport& report) {
  const UnitCosts& c = report.costs;
  const Demand& d = report.demand;
  std::string text = fmt::format("measured on this machine, with {}\n", report.sample);
  text += line("ranking", fmt::format("{} of one processor: {} and {} for each of {} candidates",
                                      duration(c.rank_request + d.candidates * c.rank_candidate),
                                      duration(c.rank_request), duration(c.rank_candidate),
                                      count(d.candidates)));
  text += line("event", fmt::format("{} of one processor: stored, flushed, the member adapted; its "
                                    "sender waits {}",
                                    duration(c.event), duration(c.event_wait)));
  text += line("in bulk",
               fmt::format("{} of one processor to adapt a member; {} to store an "
                           "interaction ({} with the waits for the disk, {} more whenever there "
                           "are twice as many)",
                           duration(c.adapt), duration(c.load), duration(c.load_wait),
                           duration(c.load_growth)));
  if (report.sample_members < kFewMembers) {
    text +=
        line("", fmt::format("of so few members ({}) bytes and seconds are rough; a larger log or "
                             "--sample-members shows more",
                             count(report.sample_members)));
  }
  text += line("store", fmt::format("{} an interaction, {} a member", bytes(c.disk_interaction),
                                    bytes(c.disk_member)));
  text += line("memory", fmt::format("{} a server, {} a member that it keeps in memory",
                                     bytes(c.memory_server), bytes(c.memory_member)));
  return text;
}

std::string planned(const PlanReport& report, const Capacity& plan) {
  const UnitCosts& c = report.costs;
  const Demand& d = report.demand;
  const Machine& m = report.machine;
  std::string text =
      fmt::format("\nfor {} members of {} interactions, {} rankings and {} events a second\n",
                  count(d.members), count(d.interactions), count(d.ranks), count(d.events));
  text += line(
      "processors",
      fmt::format("{:.3g} for rankings ({} x {}), {:.3g} for events ({} x {}); used to {:.0f} %: "
                  "{:.3g}",
                  plan.rank_processors, count(d.ranks),
                  duration(c.rank_request + d.candidates * c.rank_candidate), plan.event_processors,
                  count(d.events), duration(c.event), 100 * d.utilisation,
                  (plan.rank_processors + plan.event_processors) / d.utilisation));
  text += line("store",
               fmt::format("{} ({} x ({} + {} x {}))", bytes(plan.store_bytes), count(d.members),
                           bytes(c.disk_member), count(d.interactions), bytes(c.disk_interaction)));
  text += line(
      "servers",
      fmt::format("{} of {} processors, {} of memory and {} of disk; {} decide{}; each holds {} on "
                  "disk and {} in memory",
                  plan.servers, count(m.processors), bytes(m.memory), bytes(m.disk),
                  plan.servers_bound, plan.servers_bound == "disk" ? "s" : "",
                  bytes(plan.server_disk), bytes(plan.server_memory)));
  if (!plan.fits_memory) {
    text +=
        line("", fmt::format("TOO LARGE for the memory of one of them: fewer rows or narrower ones "
                             "(docs/vocabularies.md, docs/compress.md), or machines of {} and more",
                             bytes(plan.server_memory / 0.75)));
  }
  text += line("refresh", fmt::format("{} of one processor for all members; within {}: {} machines "
                                      "(limber adapt --shard, docs/refresh.md)",
                                      duration(plan.refresh_processor_seconds),
                                      duration(d.refresh_seconds), plan.refresh_machines));
  text +=
      line("loading", fmt::format("{} for all {} interactions into one store ({} each)",
                                  duration(plan.load_seconds), count(d.members * d.interactions),
                                  duration(plan.load_seconds / (d.members * d.interactions))));
  if (d.table_rows > 0) {
    text +=
        line("tables",
             fmt::format("{} rows x {} numbers: {} to serve, {} to train with a row-wise "
                         "optimizer, which is the memory of {} of these machines",
                         count(d.table_rows), count(d.table_width), bytes(plan.table_bytes_serving),
                         bytes(plan.table_bytes_training), plan.training_machines_by_memory));
  }
  return text;
}

/// The same at other sizes, traffic and members in step.
std::string curve(const PlanReport& report) {
  std::string text = "\nmembers and traffic in step\n";
  text += fmt::format("  {:>14} {:>12} {:>10} {:>9} {:>12} {:>17}\n", "members", "rankings/s",
                      "events/s", "servers", "store", "refresh, 1 proc.");
  for (const double factor : {0.01, 0.1, 0.5, 1.0, 2.0, 10.0}) {
    Demand demand = report.demand;
    demand.members *= factor;
    demand.events *= factor;
    demand.ranks *= factor;
    const Capacity plan = plan_capacity(report.costs, demand, report.machine);
    text += fmt::format("  {:>14} {:>12} {:>10} {:>9} {:>12} {:>17}\n", count(demand.members),
                        count(demand.ranks), count(demand.events), plan.servers,
                        bytes(plan.store_bytes), duration(plan.refresh_processor_seconds));
  }
  return text;
}

std::string caveats(const PlanReport& report) {
  std::string text = "\nextrapolated, not measured\n";
  text += fmt::format(
      "  - from {} members to {}: a member is taken to need the same bytes and seconds.\n",
      count(report.sample_members), count(report.demand.members));
  text +=
      "  - Loading is taken to get dearer by as much whenever the store doubles; a larger\n"
      "    --sample-members shows more of it.\n"
      "  - A store larger than memory is read from the disk: rankings of members that are not kept "
      "in\n"
      "    memory wait for it, which takes time but hardly a processor.\n"
      "  - Servers share nothing but the load: members divide among them evenly.\n";
  if (report.demand.table_rows > 0) {
    text +=
        "  - Tables of that size were computed, not made; a row of a larger one is looked up more "
        "slowly.\n";
  }
  return text;
}

}  // namespace

std::string plan_as_text(const PlanReport& report) {
  const Capacity plan = plan_capacity(report.costs, report.demand, report.machine);
  return measured(report) + planned(report, plan) + curve(report) + caveats(report);
}

nlohmann::json plan_as_json(const PlanReport& report) {
  const UnitCosts& c = report.costs;
  const Demand& d = report.demand;
  const Machine& m = report.machine;
  const Capacity p = plan_capacity(c, d, m);
  return {{"unit_costs",
           {{"rank_request_seconds", c.rank_request},
            {"rank_candidate_seconds", c.rank_candidate},
            {"event_seconds", c.event},
            {"event_wait_seconds", c.event_wait},
            {"load_seconds", c.load},
            {"load_wait_seconds", c.load_wait},
            {"load_growth_seconds", c.load_growth},
            {"loaded_interactions", c.loaded},
            {"adapt_seconds", c.adapt},
            {"disk_interaction_bytes", c.disk_interaction},
            {"disk_member_bytes", c.disk_member},
            {"memory_server_bytes", c.memory_server},
            {"memory_member_bytes", c.memory_member}}},
          {"demand",
           {{"members", d.members},
            {"interactions_a_member", d.interactions},
            {"events_a_second", d.events},
            {"rankings_a_second", d.ranks},
            {"candidates", d.candidates},
            {"table_rows", d.table_rows},
            {"table_width", d.table_width},
            {"refresh_seconds", d.refresh_seconds},
            {"utilisation", d.utilisation}}},
          {"machine",
           {{"processors", m.processors}, {"memory_bytes", m.memory}, {"disk_bytes", m.disk}}},
          {"plan",
           {{"rank_processors", p.rank_processors},
            {"event_processors", p.event_processors},
            {"servers", p.servers},
            {"servers_bound", p.servers_bound},
            {"fits_memory", p.fits_memory},
            {"store_bytes", p.store_bytes},
            {"server_disk_bytes", p.server_disk},
            {"server_memory_bytes", p.server_memory},
            {"refresh_processor_seconds", p.refresh_processor_seconds},
            {"refresh_machines", p.refresh_machines},
            {"load_seconds", p.load_seconds},
            {"table_bytes_serving", p.table_bytes_serving},
            {"table_bytes_training", p.table_bytes_training},
            {"training_machines_by_memory", p.training_machines_by_memory}}}};
}

}  // namespace limber
