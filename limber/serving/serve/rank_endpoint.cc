#include "limber/serving/serve/rank_endpoint.h"

#include <chrono>

#include "limber/core/base/progress.h"
#include "limber/serving/service/feedback_body.h"
#include "limber/serving/service/row_json.h"

namespace limber {
namespace {

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void append_model(const ServedModel& model, std::string& to) {
  to += "\"model\":";
  append_json_text(model.runtime().name(), to);
  to += ",\"version\":";
  append_json_text(model.runtime().version(), to);
}

/// One candidate: an object of fields, or the key of the one item table.
void read_candidate(http::JsonValue& value, const RequestSchema& schema, FieldRow& row) {
  if (value.type() == http::JsonType::kObject) {
    read_fields(value, schema, row);
    return;
  }
  if (schema.item_table() < 0) {
    value.fail(
        "expected an object: the model has not just one item table whose keys could be given");
  }
  row[schema.keys()[static_cast<std::size_t>(schema.item_table())]] = read_field(value);
}

/// What a request to rank says, in the workbench's rows.
struct RankBody {
  std::string member, label;
  std::size_t limit = 0, candidates = 0;
  bool explore = true;
};

}  // namespace

http::Response answer_rank(RankingService& service, const ApiLimits& limits,
                           std::string_view text) {
  const Stopwatch time;
  RankBody body;
  bool has_member = false;
  // Parsed once, before the model is asked for: fields wait in rows of the model's schema.
  const auto model = service.host().current();
  const RequestSchema& schema = model->schema();
  static thread_local std::vector<FieldRow> rows;
  std::vector<std::pair<std::size_t, FieldValue>> context;
  const auto bench = model->borrow();
  // Texts are views of the document, so rows are encoded before it is let go.
  http::read_json(text, [&](http::JsonValue& root) {
    root.object([&](std::string_view key, http::JsonValue& value) {
      if (key == "member") {
        body.member = read_member(value);
        has_member = true;
      } else if (key == "label") {
        body.label = value.string();
      } else if (key == "limit") {
        const std::int64_t limit = value.integer();
        if (limit < 1) value.fail("expected 1 or more");
        body.limit = static_cast<std::size_t>(limit);
      } else if (key == "explore") {
        body.explore = value.boolean();
      } else if (key == "context") {
        value.object([&](std::string_view name, http::JsonValue& field) {
          const int column = schema.find(name);
          if (column >= 0) context.emplace_back(column, read_field(field));
        });
      } else if (key == "candidates") {
        value.array([&](http::JsonValue& candidate) {
          if (body.candidates == limits.most_candidates) {
            value.fail("more than " + std::to_string(limits.most_candidates) + " candidates");
          }
          if (body.candidates == rows.size()) rows.emplace_back(schema);
          rows[body.candidates] = FieldRow(schema);
          read_candidate(candidate, schema, rows[body.candidates]);
          ++body.candidates;
        });
      } else {
        value.fail_unknown({"member", "candidates", "context", "label", "limit", "explore"});
      }
    });
    if (!has_member) root.fail("\"member\" is missing");
    if (body.candidates == 0) root.fail("\"candidates\" is missing or empty");
    bench->candidates.restart();
    for (std::size_t i = 0; i < body.candidates; ++i) {
      FieldRow& row = rows[i];
      for (const auto& [column, value] : context) {
        if (row[column].kind == FieldValue::Kind::kMissing) row[column] = value;
      }
      row[schema.task()] = FieldValue::of(std::string_view(body.member));
      try {
        bench->candidates.add(row);
      } catch (const BadField& bad) {
        throw http::HttpError(400, "candidates[{}].{}: {}", i, bad.column(), bad.what());
      }
    }
  });
  const Ranking ranking =
      service.rank(*model, *bench, body.member, body.label, body.limit, body.explore);

  std::string json = "{";
  append_model(*model, json);
  json += ",\"member\":";
  append_json_text(body.member, json);
  const auto& labels = model->runtime().layout.labels;
  fmt::format_to(std::back_inserter(json), ",\"interactions\":{}{}{},\"ranking\":[",
                 ranking.member->interactions, ranking.member->unknown ? ",\"unknown\":true" : "",
                 ranking.explored ? ",\"explored\":true" : "");
  bool first = true;
  for (const RankedCandidate& candidate : ranking.order) {
    fmt::format_to(std::back_inserter(json), "{}{{\"index\":{},\"score\":{:.7g}", first ? "" : ",",
                   candidate.index, candidate.score);
    first = false;
    if (labels.size() > 1) {
      json += ",\"scores\":{";
      for (std::size_t l = 0; l < labels.size(); ++l) {
        if (l > 0) json += ',';
        append_json_text(labels[l], json);
        fmt::format_to(std::back_inserter(json), ":{:.7g}", candidate.scores[l]);
      }
      json += '}';
    }
    json += '}';
  }
  fmt::format_to(std::back_inserter(json), "],\"milliseconds\":{:.3f}}}", 1e3 * time.seconds());
  return http::Response::json(std::move(json));
}

http::Response answer_feedback(RankingService& service, const ApiLimits& limits,
                               std::string_view text) {
  const Stopwatch time;
  const auto model = service.host().current();
  const auto [member, prepared] =
      read_feedback(service, *model, text, limits.most_interactions, {now_ms(), ""});
  const std::size_t count = prepared.size();
  const FeedbackResult result = service.feedback(*model, member, prepared);
  std::size_t stored = 0, expired = 0;
  std::int64_t sequence = 0;
  for (const AppendResult& one : result.results) {
    stored += one.stored() ? 1 : 0;
    expired += one.outcome == AppendOutcome::kExpired ? 1 : 0;
    sequence = std::max(sequence, one.sequence);
  }
  std::string json = "{";
  append_model(*model, json);
  json += ",\"member\":";
  append_json_text(member, json);
  fmt::format_to(std::back_inserter(json),
                 ",\"stored\":{},\"duplicates\":{},\"expired\":{},\"sequence\":{},"
                 "\"interactions\":{},\"refreshed\":{},\"milliseconds\":{:.3f}}}",
                 stored, count - stored - expired, expired, sequence,
                 result.member ? result.member->interactions : 0, result.member != nullptr,
                 1e3 * time.seconds());
  return http::Response::json(std::move(json));
}

http::Response answer_member(RankingService& service, const std::string& given) {
  const std::string member = member_name(key_of(std::string_view(given)));
  const auto model = service.host().current();
  const auto entry = service.member(*model, member);
  if (entry->unknown) throw StoreUnavailable("the store cannot be used: try again later");
  std::string json = "{";
  append_model(*model, json);
  json += ",\"member\":";
  append_json_text(member, json);
  fmt::format_to(std::back_inserter(json),
                 ",\"sequence\":{},\"interactions\":{},\"meta_embedding\":[", entry->sequence,
                 entry->interactions);
  for (std::int64_t c = 0; c < model->runtime().embedding_width(); ++c) {
    fmt::format_to(std::back_inserter(json), "{}{:.7g}", c > 0 ? "," : "",
                   entry->vector.known[static_cast<std::size_t>(c)]);
  }
  json += "]}";
  return http::Response::json(std::move(json));
}

}  // namespace limber
