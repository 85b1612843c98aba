#pragma once

#include <cstdint>
#include <string>

namespace limber {

/// What one unit of each kind of work costs on one machine, as measured there. Seconds are those of
/// one processor unless they say otherwise.
struct UnitCosts {
  double rank_request = 0;    ///< seconds of a ranking, whatever its candidates
  double rank_candidate = 0;  ///< and of each of these
  double event = 0;           ///< seconds of an interaction: stored, flushed, the member adapted
  double event_wait = 0;      ///< seconds that its sender waits, when it is alone
  double load = 0;            ///< seconds to store an interaction among many
  double load_wait = 0;       ///< seconds that pass for one, waiting for the disk included
  double load_growth = 0;     ///< by which load_wait grows whenever there are twice as many
  double loaded = 0;          ///< interactions that load and load_wait are the means of
  double adapt = 0;           ///< seconds to adapt a stored member among many
  double disk_interaction = 0, disk_member = 0;  ///< bytes in the store
  double memory_server = 0;                      ///< bytes of a server that knows no member
  double memory_member = 0;                      ///< bytes of a member that it keeps in memory
};

/// What is asked for.
struct Demand {
  double members = 1e6;
  double interactions = 50;  ///< that a member has in the store, on average
  double events = 0;         ///< a second
  double ranks = 0;          ///< a second
  double candidates = 200;   ///< of a ranking
  double table_rows = 0;     ///< of all embedding tables; 0: as they are
  double table_width = 16;
  double cached_members = 1e5;    ///< that a server keeps in memory
  double refresh_seconds = 3600;  ///< in which all members are adapted anew
  double utilisation = 0.5;       ///< share of a processor that is used in the busiest hour
};

struct Machine {
  double processors = 1, memory = 0, disk = 0;  ///< bytes
};

/// What follows from both.
struct Capacity {
  double rank_processors = 0, event_processors = 0;  ///< before the margin
  std::int64_t servers = 0;                          ///< by processors and by disk
  std::string servers_bound;                         ///< which of the two decides
  double store_bytes = 0;                            ///< of all members
  double server_memory = 0, server_disk = 0;         ///< bytes of one of these servers
  bool fits_memory = true;  ///< a server's tables and members into its memory
  double refresh_processor_seconds = 0, load_seconds = 0;
  std::int64_t refresh_machines = 0;
  double table_bytes_serving = 0, table_bytes_training = 0;
  std::int64_t training_machines_by_memory = 0;
};

/// Members and requests divide evenly over servers, each with its own store and all tables.
///
///     processors = (ranks (r_0 + candidates r_1) + events e) / utilisation
///     store      = members (m + interactions i)
///     refresh    = members a
///     loading    = n (l + g log2(n / n_0)), n = members interactions, of which n_0 were measured
///     tables     = 4 rows width in a server; with the optimizer's number a row 4 rows (width + 1)
///
/// Of a machine's memory a quarter is left to the system, of its disk three tenths to compaction.
Capacity plan_capacity(const UnitCosts& costs, const Demand& demand, const Machine& machine);

}  // namespace limber
