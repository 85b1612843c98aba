#include "limber/serving/service/ranking_service.h"

#include <spdlog/spdlog.h>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/serving/rows/rank_rows.h"

namespace limber {
namespace {

/// Throws InputError for an interaction that the served model could learn nothing from.
void check(const ServedModel& model, std::string_view member, Workbench& bench,
           const SentInteraction& sent, std::size_t place) {
  const RequestSchema& schema = model.schema();
  FieldRow row(schema);
  bool labelled = false;
  for (const auto& [name, value] : sent.labels) {
    try {
      label_index(model.runtime(), name);
    } catch (const InputError& error) {
      throw InputError("interactions[{}].labels: {}", place, error.what());
    }
    if (value != 0 && value != 1) {
      throw InputError("interactions[{}].labels.{}: {} is not 0 or 1", place, name, value);
    }
    labelled = true;
  }
  for (const auto& [name, value] : sent.fields) {
    const int column = schema.find(name);
    if (column >= 0) row[static_cast<std::size_t>(column)] = value;
  }
  row[schema.task()] = FieldValue::of(member);
  for (const RequestSchema::Label& label : schema.labels()) {
    if (row[label.column].missing()) continue;
    std::size_t at = label.column;
    try {
      label.evaluate(row, at);
    } catch (const BadValue& bad) {
      throw InputError("interactions[{}].{}: {}", place, schema.name(at), bad.what());
    }
    labelled = true;
  }
  if (!labelled) {
    throw InputError(
        "interactions[{}]: no label can be told; give the field '{}', or labels: {{\"{}\": 0 or "
        "1}}",
        place, schema.name(schema.labels()[0].column), model.runtime().layout.labels[0]);
  }
  if (schema.weight() >= 0) {
    const auto column = static_cast<std::size_t>(schema.weight());
    try {
      const double weight = row[column].missing() ? 1.0 : number_of(row[column]);
      if (weight < 0) throw BadValue("the weight is negative");
    } catch (const BadValue& bad) {
      throw InputError("interactions[{}].{}: {}", place, schema.name(column), bad.what());
    }
  }
  try {
    bench.interactions.restart();
    bench.interactions.add(row);
  } catch (const BadField& bad) {
    throw InputError("interactions[{}].{}: {}", place, bad.column(), bad.what());
  }
}

}  // namespace

Ranking RankingService::rank(const ServedModel& model, Workbench& bench, std::string_view member,
                             std::string_view label, std::size_t limit, bool explore) {
  const RuntimeModel& runtime = model.runtime();
  const double scale = explore ? explore_.value_or(runtime.config.explore.scale) : 0.0;
  Ranking ranking;
  ranking.explored = scale > 0 && runtime.last_layers.has_value();
  ranking.member = personaliser_.entry(model, bench, member);
  ranking.order = rank_rows(model, bench, ranking.member->vector, ranking.member->sequences,
                            rank_by(runtime, label), limit, scale);
  return ranking;
}

std::vector<MemberInteraction> RankingService::prepare(
    const ServedModel& model, std::string_view member,
    std::vector<SentInteraction> interactions) const {
  const auto bench = model.borrow();
  std::vector<MemberInteraction> prepared;
  for (std::size_t i = 0; i < interactions.size(); ++i) {
    SentInteraction& sent = interactions[i];
    check(model, member, *bench, sent, i);
    prepared.push_back(
        {std::string(member),
         {sent.time_ms, std::move(sent.event_id), to_json(sent.fields, sent.labels)}});
  }
  return prepared;
}

FeedbackResult RankingService::feedback(const ServedModel& model, std::string_view member,
                                        const std::vector<MemberInteraction>& interactions) {
  FeedbackResult result;
  result.results = personaliser_.append(interactions);
  const auto bench = model.borrow();
  result.member = adapted(model, *bench, member);
  return result;
}

std::vector<AppendResult> RankingService::store(
    const std::vector<MemberInteraction>& interactions) {
  std::vector<AppendResult> results = personaliser_.append(interactions);
  for (const MemberInteraction& one : interactions) personaliser_.drop(one.member);
  return results;
}

void RankingService::adapt_members(const ServedModel& model, const std::set<std::string>& members) {
  if (members.empty()) return;
  const auto bench = model.borrow();
  if (personaliser_.keeps_members()) {
    for (const std::string& member : members) adapted(model, *bench, member);
    return;
  }
  try {
    personaliser_.refresh_many(model, *bench,
                               std::vector<std::string>(members.begin(), members.end()));
  } catch (const Error& error) {
    spdlog::warn("{} members are not adapted yet: {}", members.size(), one_line(error.what()));
  }
}

std::shared_ptr<const MemberEntry> RankingService::adapted(const ServedModel& model,
                                                           Workbench& bench,
                                                           std::string_view member) {
  try {
    return personaliser_.refresh(model, bench, member);
  } catch (const StoreUnavailable& error) {
    // What was acknowledged stays so; the next ranking that can ask the store adapts.
    spdlog::warn("member {} is not adapted yet: {}", one_line(member), one_line(error.what()));
    return nullptr;
  }
}

std::shared_ptr<const MemberEntry> RankingService::member(const ServedModel& model,
                                                          std::string_view member) {
  const auto bench = model.borrow();
  return personaliser_.entry(model, *bench, member);
}

}  // namespace limber
