#pragma once

#include "limber/serving/http/handler.h"
#include "limber/serving/serve/http_api.h"

namespace limber {

/// POST /rank: {"member", "candidates": [{...} or key, ...], "context"?: {...}, "label"?,
/// "limit"?}.
http::Response answer_rank(RankingService& service, const ApiLimits& limits, std::string_view body);

/// POST /feedback: {"member", "interaction": {...}} or {"member", "interactions": [{...}, ...]}. Of
/// an interaction's fields, "event_id" names it (a name is stored once), "time_ms" says when,
/// "labels" gives labels by name where no column does.
http::Response answer_feedback(RankingService& service, const ApiLimits& limits,
                               std::string_view body);

/// GET /members/{id}.
http::Response answer_member(RankingService& service, const std::string& member);

/// Reads a member's key of a request: a text or a whole number.
std::string read_member(http::JsonValue& value);

}  // namespace limber
