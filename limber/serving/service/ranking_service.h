#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "limber/serving/rows/ranked_candidate.h"
#include "limber/serving/service/field_json.h"
#include "limber/serving/service/model_host.h"
#include "limber/serving/service/personaliser.h"

namespace limber {

/// What is asked for: a member's candidates, best first.
struct Ranking {
  std::shared_ptr<const MemberEntry> member;
  bool explored = false;               ///< the scores are those of a draw
  std::vector<RankedCandidate> order;  ///< best first; of equals the earlier one
};

/// An interaction as it was sent.
struct SentInteraction {
  std::string event_id;
  std::int64_t time_ms = 0;
  NamedFields fields;
  /// Labels by name, 0 or 1, where they do not follow from the fields.
  std::vector<std::pair<std::string, double>> labels;
};

struct FeedbackResult {
  std::shared_ptr<const MemberEntry> member;
  std::vector<AppendResult> results;
};

/// Ranking and feedback, whatever the transport. Thread-safe. Errors of the caller are InputError.
class RankingService {
 public:
  /// `explore`: deviations that rankings draw, where the model knows how uncertain its last layers
  /// are; by default those of the model's config.
  RankingService(ModelHost& host, Personaliser& personaliser,
                 std::optional<double> explore = std::nullopt)
      : host_(host), personaliser_(personaliser), explore_(explore) {}

  /// Scores the rows in the bench's `candidates` as those of one member, by `model`, which is the
  /// host's current one or was until a moment ago. `label` empty: the model's score, or its first
  /// label. `limit`: most candidates returned; 0: all. `explore`: where the model can, by a draw.
  Ranking rank(const ServedModel& model, Workbench& bench, std::string_view member,
               std::string_view label, std::size_t limit, bool explore);

  /// Interactions ready for the store, which hold nothing of what they were read from. Throws
  /// InputError for one that `model` could learn nothing from.
  std::vector<MemberInteraction> prepare(const ServedModel& model, std::string_view member,
                                         std::vector<SentInteraction> interactions) const;

  /// Stores a member's interactions and, once they are durable, adapts the member to them.
  FeedbackResult feedback(const ServedModel& model, std::string_view member,
                          const std::vector<MemberInteraction>& interactions);

  /// The same in two steps for interactions of any members: all stored in one write, with a result
  /// for each, and then their members adapted. What the second step does not do, the next ranking
  /// of the member does.
  std::vector<AppendResult> store(const std::vector<MemberInteraction>& interactions);
  void adapt_members(const ServedModel& model, const std::set<std::string>& members);

  std::shared_ptr<const MemberEntry> member(const ServedModel& model, std::string_view member);
  ModelHost& host() { return host_; }
  Personaliser& personaliser() { return personaliser_; }

 private:
  /// Adapts a member to what was stored; nothing where the store cannot be asked just now.
  std::shared_ptr<const MemberEntry> adapted(const ServedModel& model, Workbench& bench,
                                             std::string_view member);

  ModelHost& host_;
  Personaliser& personaliser_;
  std::optional<double> explore_;
};

}  // namespace limber
