#pragma once

#include <string>

#include "limber/serving/http/server.h"
#include "limber/serving/service/ranking_service.h"

namespace limber {

/// What GET / shows beside keys: texts of the item table's rows, by row; may be empty.
struct ConsoleData {
  std::string item_table;           ///< name; empty where there is not just one
  std::vector<std::string> keys;    ///< of the item table's first rows
  std::vector<std::string> titles;  ///< as many, or none
};

struct ApiLimits {
  std::size_t most_candidates = 5000;    ///< of a request
  std::size_t most_interactions = 1000;  ///< of a request
};

/// Puts the service's endpoints on a server that has not started (docs/serving.md):
///
///     POST /rank                candidates of a member -> scores, best first
///     POST /feedback            interactions of a member -> stored, the member adapted
///     GET, DELETE /members/{id}
///     /v2/...                   the Open Inference Protocol, version 2
///     GET /health/live, /health/ready, /metrics
///     GET /                     the console page
///
/// Service and console must outlive the server.
void add_endpoints(http::Server& server, RankingService& service, const ConsoleData& console,
                   const ApiLimits& limits);

}  // namespace limber
