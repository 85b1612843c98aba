#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace limber {

struct ServeArguments {
  std::string model;
  std::string store = "rocksdb:limber-store";
  std::vector<std::string> tables;   ///< NAME=PATH
  std::vector<std::string> context;  ///< interaction features that candidates share
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  int grpc_port = -1;  ///< -1: no gRPC; 0: any free one
  std::size_t workers = 0;
  bool int8 = false;
  std::int64_t most_wait_ms = 30;
  std::string token_file, certificate, key;
  std::optional<std::size_t> cached_members;  ///< 100,000; with Redis, which others may share, 0
  std::int64_t most_interactions = 0;         ///< 0: as many as the model looks back on
  std::int64_t interaction_days = 0;          ///< 0: forever
  std::string stream;                         ///< address of a stream of events; empty: none
  std::string stream_consumer;                ///< empty: the host's name and the port
  std::optional<double> explore;  ///< deviations that rankings draw; the model's without it
  std::string title;              ///< column of the item table that the console page shows
  double watch_seconds = 1;
  std::int64_t drain_seconds = 30;
};
int run_serve(const ServeArguments& arguments);

struct AdaptArguments {
  std::string model;
  std::vector<std::string> settings;
  std::string output;  ///< .parquet or .csv file, or a folder of parts
  std::string store;
  bool load = false;                   ///< puts the interactions into the store first
  bool all = false;                    ///< of the store: also members whose embedding is up to date
  std::string shard = "1/1";           ///< I/N: of the members the I-th of N shares alone
  std::int64_t most_interactions = 0;  ///< as the server's
  std::int64_t interaction_days = 0;   ///< as the server's
  std::vector<std::string> tables;
  std::size_t threads = 0;
};
int run_adapt(const AdaptArguments& arguments);

struct PredictArguments {
  std::string model;
  std::vector<std::string> inputs;
  std::string output;
  std::string store;
  std::vector<std::string> tables;
  bool skip_bad_rows = false;
};
int run_predict(const PredictArguments& arguments);

struct PopularityArguments {
  std::string model;
  std::vector<std::string> inputs;
  std::string by;
  double prior_deviation = 0;  ///< 0: estimated
  double half_life_days = 0;   ///< 0: all rows count alike
  double days = 0;             ///< 0: all rows are fitted on
  std::vector<std::string> tables;
  bool skip_bad_rows = false;
  std::size_t threads = 0;
};
int run_popularity(const PopularityArguments& arguments);

struct PlanArguments {
  std::string model;
  std::string members = "1M", events = "100", ranks = "100", table_rows = "0";
  std::string interactions;  ///< a member's; empty: the sample's
  std::int64_t candidates = 200, table_width = 16;
  double utilisation = 0.5, refresh_minutes = 60;
  std::int64_t processors = 0;        ///< of a server; 0: this machine's
  double memory_gb = 0, disk_gb = 0;  ///< the same
  std::int64_t sample_members = 20000;
  double seconds = 2;
  bool json = false;
  std::vector<std::string> settings, tables;
};
int run_plan(const PlanArguments& arguments);

/// NAME=PATH, ... by name. Throws InputError that names `option`.
std::map<std::string, std::string> named_paths(const std::vector<std::string>& given,
                                               const std::string& option);

/// Throws InputError for a setting of anything but data.*: the rest is the model's.
void check_data_settings(const std::vector<std::string>& settings, const std::string& verb);

/// Throws InputError where `url` names a RocksDB folder that is not there: a verb that only reads
/// would make an empty store of a slip of the pen.
void check_store_is_there(const std::string& url);

}  // namespace limber
