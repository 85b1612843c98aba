#include "limber/serving/service/feedback_body.h"

#include <utility>

#include "limber/serving/service/field_json.h"

namespace limber {

std::string read_member(http::JsonValue& value) {
  std::string room;
  try {
    return member_name(key_of(read_field(value), room));
  } catch (const BadValue& bad) {
    value.fail(bad.what());
  }
}

FeedbackBody read_feedback(const RankingService& service, const ServedModel& model,
                           std::string_view text, std::size_t most_interactions,
                           const FeedbackDefaults& defaults) {
  FeedbackBody body;
  bool has_member = false;
  std::vector<SentInteraction> sent;
  const auto read_interaction = [&](http::JsonValue& value) {
    if (sent.size() == most_interactions) {
      value.fail("more than " + std::to_string(most_interactions) + " interactions");
    }
    SentInteraction& interaction = sent.emplace_back();
    interaction.time_ms = defaults.time_ms;
    value.object([&](std::string_view key, http::JsonValue& field) {
      if (key == "event_id") {
        interaction.event_id = field.id();
      } else if (key == "time_ms") {
        interaction.time_ms = field.integer();
      } else if (key == "labels") {
        field.object([&](std::string_view label, http::JsonValue& given) {
          interaction.labels.emplace_back(std::string(label), given.number());
        });
      } else {
        interaction.fields.emplace_back(std::string(key), read_field(field));
      }
    });
    if (interaction.event_id.empty() && !defaults.event_id.empty()) {
      interaction.event_id = defaults.event_id;
      if (sent.size() > 1) interaction.event_id += "/" + std::to_string(sent.size() - 1);
    }
  };
  http::read_json(text, [&](http::JsonValue& root) {
    root.object([&](std::string_view key, http::JsonValue& value) {
      if (key == "member") {
        body.member = read_member(value);
        has_member = true;
      } else if (key == "interaction") {
        read_interaction(value);
      } else if (key == "interactions") {
        value.array(read_interaction);
      } else {
        value.fail_unknown({"member", "interaction", "interactions"});
      }
    });
    if (!has_member) root.fail("\"member\" is missing");
    if (sent.empty()) root.fail("\"interactions\" is missing or empty");
    // Texts are views of the document.
    body.interactions = service.prepare(model, body.member, std::move(sent));
  });
  return body;
}

}  // namespace limber
