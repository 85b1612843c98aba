#pragma once

#include <filesystem>
#include <vector>

#include "limber/serving/plan/capacity.h"
#include "limber/serving/rows/served_model.h"
#include "limber/serving/store/member_store.h"

namespace limber {

/// How many of the interactions a store keeps that keeps `most` of a member.
std::int64_t kept_interactions(const std::vector<MemberInteraction>& sample, std::int64_t most);

struct CostOptions {
  double seconds = 2;             ///< of requests, of each kind
  std::int64_t candidates = 200;  ///< of a ranking
  double share = 1;               ///< that the sample is of all members, at most 1
  StoreOptions store;
};

/// Real work of each kind on this machine: `sample` goes into a store in `folder`, its members are
/// adapted, and a server of `model`, in this process, answers rankings and interactions over HTTP.
/// Processor seconds are those of the process less the client's.
///
/// `memory_server`: what the process took up before the sample was read, with the model in it.
/// Throws what the model, the store or the server throws.
UnitCosts measure_unit_costs(const std::filesystem::path& model, const ServedModel::Options& served,
                             const std::vector<MemberInteraction>& sample,
                             const std::filesystem::path& folder, double memory_server,
                             const CostOptions& options);

}  // namespace limber
