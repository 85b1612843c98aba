#pragma once

#include "limber/serving/http/handler.h"
#include "limber/serving/serve/http_api.h"

namespace limber {

/// POST /rank: {"member", "candidates": [{...} or key, ...], "context"?: {...}, "label"?,
/// "limit"?}.
http::Response answer_rank(RankingService& service, const ApiLimits& limits, std::string_view body);

/// POST /feedback: what read_feedback() reads (service/feedback_body.h).
http::Response answer_feedback(RankingService& service, const ApiLimits& limits,
                               std::string_view body);

/// GET /members/{id}.
http::Response answer_member(RankingService& service, const std::string& member);

}  // namespace limber
