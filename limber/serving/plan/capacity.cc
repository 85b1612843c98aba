#include "limber/serving/plan/capacity.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

// What of a machine's memory and disk is left to others: the system, page cache, compaction.
constexpr double kUsableMemory = 0.75, kUsableDisk = 0.7;

std::int64_t machines(double need, double each) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(need / each - 1e-9)));
}

}  // namespace

Capacity plan_capacity(const UnitCosts& costs, const Demand& demand, const Machine& machine) {
  Capacity plan;
  plan.rank_processors =
      demand.ranks * (costs.rank_request + demand.candidates * costs.rank_candidate);
  plan.event_processors = demand.events * costs.event;
  plan.store_bytes =
      demand.members * (costs.disk_member + demand.interactions * costs.disk_interaction);
  plan.table_bytes_serving = 4 * demand.table_rows * demand.table_width;
  plan.table_bytes_training = 4 * demand.table_rows * (demand.table_width + 1);

  const std::int64_t by_processors = machines(
      (plan.rank_processors + plan.event_processors) / demand.utilisation, machine.processors);
  const std::int64_t by_disk = machines(plan.store_bytes, kUsableDisk * machine.disk);
  const double fixed = costs.memory_server + plan.table_bytes_serving;
  plan.servers = std::max(by_processors, by_disk);
  plan.servers_bound = by_disk > by_processors ? "disk" : "processors";
  const double shared = static_cast<double>(plan.servers);
  plan.server_memory =
      fixed + costs.memory_member * std::min(demand.cached_members, demand.members / shared);
  plan.server_disk = plan.store_bytes / shared;
  plan.fits_memory = plan.server_memory <= kUsableMemory * machine.memory;

  plan.refresh_processor_seconds = demand.members * costs.adapt;
  plan.refresh_machines =
      machines(plan.refresh_processor_seconds / demand.refresh_seconds, machine.processors);
  const double interactions = demand.members * demand.interactions;
  const double doublings =
      costs.loaded > 0 ? std::max(0.0, std::log2(interactions / costs.loaded)) : 0.0;
  plan.load_seconds = interactions * (costs.load_wait + costs.load_growth * doublings);
  plan.training_machines_by_memory =
      machines(plan.table_bytes_training, kUsableMemory * machine.memory);
  return plan;
}

}  // namespace limber
