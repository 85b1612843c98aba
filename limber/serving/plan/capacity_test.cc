#include "limber/serving/plan/capacity.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

UnitCosts costs() {
  UnitCosts costs;
  costs.rank_request = 1e-4;
  costs.rank_candidate = 1e-6;
  costs.event = 5e-4;
  costs.adapt = 2e-4;
  costs.load_wait = 1e-5;
  costs.disk_interaction = 100;
  costs.disk_member = 200;
  costs.memory_server = 1e8;
  costs.memory_member = 1000;
  return costs;
}

constexpr Machine kMachine{.processors = 4, .memory = 16e9, .disk = 100e9};

TEST(Capacity, LoadingGetsDearerByAsMuchWheneverTheStoreDoubles) {
  UnitCosts measured = costs();
  measured.loaded = 1e6;
  measured.load_growth = 2e-6;
  Demand demand;
  demand.members = 1e6;
  demand.interactions = 8;
  EXPECT_NEAR(plan_capacity(measured, demand, kMachine).load_seconds, 8e6 * (1e-5 + 3 * 2e-6),
              1e-6);
  // Of fewer than were measured nothing is known to be cheaper.
  demand.interactions = 0.5;
  EXPECT_NEAR(plan_capacity(measured, demand, kMachine).load_seconds, 0.5e6 * 1e-5, 1e-6);
}

TEST(Capacity, ByHand) {
  Demand demand;
  demand.members = 1e6;
  demand.interactions = 50;
  demand.ranks = 10000;
  demand.candidates = 200;
  demand.events = 2000;
  demand.table_rows = 1e6;
  demand.table_width = 16;
  demand.refresh_seconds = 10;
  const Capacity plan = plan_capacity(costs(), demand, kMachine);
  EXPECT_NEAR(plan.rank_processors, 10000 * (1e-4 + 200e-6), 1e-9);
  EXPECT_NEAR(plan.event_processors, 1, 1e-9);
  // (3 + 1) / 0.5 = 8 processors, four a machine.
  EXPECT_EQ(plan.servers, 2);
  EXPECT_EQ(plan.servers_bound, "processors");
  EXPECT_NEAR(plan.store_bytes, 1e6 * 5200, 1);
  EXPECT_NEAR(plan.server_disk, 2.6e9, 1);
  EXPECT_NEAR(plan.server_memory, 1e8 + 64e6 + 1e5 * 1000, 1);
  EXPECT_TRUE(plan.fits_memory);
  EXPECT_NEAR(plan.refresh_processor_seconds, 200, 1e-9);
  EXPECT_EQ(plan.refresh_machines, 5);
  EXPECT_NEAR(plan.load_seconds, 500, 1e-9);
  EXPECT_NEAR(plan.table_bytes_training, 68e6, 1);
  EXPECT_EQ(plan.training_machines_by_memory, 1);
}

TEST(Capacity, DiskOrTablesMayDecide) {
  Demand demand;
  demand.members = 100e6;
  demand.interactions = 50;
  demand.table_rows = 10e9;
  const Capacity plan = plan_capacity(costs(), demand, kMachine);
  EXPECT_EQ(plan.servers, 8);  // 520 GB in 70 GB each
  EXPECT_EQ(plan.servers_bound, "disk");
  EXPECT_FALSE(plan.fits_memory);
  EXPECT_EQ(plan.training_machines_by_memory, 57);  // 680 GB in 12 GB each
}

TEST(Capacity, TwiceTheLoadIsTwiceTheProcessors) {
  Demand demand;
  demand.ranks = 123;
  demand.events = 45;
  const Capacity once = plan_capacity(costs(), demand, kMachine);
  demand.ranks *= 2;
  demand.events *= 2;
  const Capacity twice = plan_capacity(costs(), demand, kMachine);
  EXPECT_NEAR(twice.rank_processors, 2 * once.rank_processors, 1e-12);
  EXPECT_NEAR(twice.event_processors, 2 * once.event_processors, 1e-12);
}

}  // namespace
}  // namespace limber
