#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "limber/serving/http/json_reader.h"
#include "limber/serving/service/ranking_service.h"

namespace limber {

/// Reads a member's key of a request: a text or a whole number.
std::string read_member(http::JsonValue& value);

/// What holds of interactions that say nothing else.
struct FeedbackDefaults {
  std::int64_t time_ms = 0;  ///< when it was, in milliseconds since 1970
  /// Names the first interaction; the others get /1, /2, ... behind it. Empty: none has a name.
  std::string event_id;
};

/// What a member did, ready for the store.
struct FeedbackBody {
  std::string member;
  std::vector<MemberInteraction> interactions;
};

/// Reads {"member", "interaction": {...}} or {"member", "interactions": [{...}, ...]}, at most
/// `most_interactions`. Of an interaction's fields, "event_id" names it (a name is stored once),
/// "time_ms" says when, "labels" gives labels by name where no column does. Throws InputError that
/// names the place for a text that is no such thing, or from which `model` could learn nothing.
FeedbackBody read_feedback(const RankingService& service, const ServedModel& model,
                           std::string_view text, std::size_t most_interactions,
                           const FeedbackDefaults& defaults);

}  // namespace limber
