#include "limber/serving/service/personaliser.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cmath>

#include "limber/core/base/error.h"
#include "limber/serving/service/field_json.h"

namespace limber {
namespace {

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The labels of an interaction: as named under "labels", else from its columns. NaN = absent.
void append_labels(const RequestSchema& schema, const RuntimeModel& model, const FieldRow& row,
                   const std::vector<std::pair<std::string, double>>& named,
                   std::vector<float>& labels) {
  std::string room;
  for (std::size_t l = 0; l < schema.labels().size(); ++l) {
    const RequestSchema::Label& label = schema.labels()[l];
    float value = std::nanf("");
    for (const auto& [name, given] : named) {
      if (name == model.layout.labels[l]) value = static_cast<float>(given);
    }
    const FieldValue& field = row[label.column];
    if (std::isnan(value) && !field.missing()) {
      value = label.expression.wants_number() ? label.expression.evaluate_number(number_of(field))
                                              : label.expression.evaluate_key(key_of(field, room));
    }
    labels.push_back(value);
  }
}

}  // namespace

std::string member_name(const Key& key) {
  return key.is_number ? std::to_string(key.number) : std::string(key.text);
}

std::shared_ptr<const MemberEntry> Personaliser::entry(const ServedModel& model, Workbench& bench,
                                                       std::string_view member) {
  if (auto cached = cache_.find(member, &model)) return cached;
  const RuntimeModel& runtime = model.runtime();
  // What a sequence holds is not part of the stored vector.
  if (!model.has_sequences() && runtime.uses_support()) {
    const auto state = store_.get_state(member, runtime.name(), runtime.version());
    if (state && static_cast<std::int64_t>(state->values.size()) >= runtime.known_width()) {
      auto entry = std::make_shared<MemberEntry>();
      const auto known = state->values.begin() + runtime.known_width();
      entry->vector.known.assign(state->values.begin(), known);
      entry->vector.slots.assign(known, state->values.end());
      entry->sequence = state->sequence;
      entry->interactions = std::min(state->sequence, model.interactions_wanted());
      entry->model = &model;
      cache_.put(member, entry);
      return entry;
    }
  }
  return refresh(model, bench, member);
}

std::shared_ptr<const MemberEntry> Personaliser::refresh(const ServedModel& model, Workbench& bench,
                                                         std::string_view member) {
  auto entry = adapt(model, bench, member, store_.recent(member, model.interactions_wanted()));
  cache_.put(member, entry);
  if (entry->sequence > 0 && model.runtime().uses_support()) {
    store_.put_state(member, {entry->vector.joined(), model.runtime().name(),
                              model.runtime().version(), now_ms(), entry->sequence});
  }
  return entry;
}

void Personaliser::refresh_many(const ServedModel& model, Workbench& bench,
                                std::span<const std::string> members) {
  const auto recent = store_.recent_many(members, model.interactions_wanted());
  std::vector<NamedState> states;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const auto entry = adapt(model, bench, members[m], recent[m]);
    if (entry->sequence == 0) continue;
    // Only what is in memory is renewed there: a refresh of all must not push out the few in use.
    states.push_back({members[m],
                      {entry->vector.joined(), model.runtime().name(), model.runtime().version(),
                       now_ms(), entry->sequence}});
  }
  store_.put_states(states);
}

void Personaliser::forget(std::string_view member) {
  store_.forget(member);
  cache_.forget(member);
}

std::shared_ptr<const MemberEntry> Personaliser::adapt(
    const ServedModel& model, Workbench& bench, std::string_view member,
    const std::vector<StoredInteraction>& interactions) {
  const RuntimeModel& runtime = model.runtime();
  const RequestSchema& schema = model.schema();
  RowEncoder& encoder = bench.interactions;
  encoder.restart();
  bench.labels.clear();
  bench.weights.clear();
  auto entry = std::make_shared<MemberEntry>();
  entry->model = &model;
  for (const StoredInteraction& stored : interactions) {
    try {
      http::read_json(stored.interaction.body, [&](http::JsonValue& root) {
        FieldRow row(schema);
        std::vector<std::pair<std::string, double>> named;
        root.object([&](std::string_view key, http::JsonValue& value) {
          const int column = schema.find(key);
          if (key == "labels" && value.type() == http::JsonType::kObject) {
            value.object([&](std::string_view label, http::JsonValue& given) {
              named.emplace_back(std::string(label), given.number());
            });
          } else if (column >= 0) {
            row[static_cast<std::size_t>(column)] = read_field(value);
          }
        });
        row[schema.task()] = FieldValue::of(member);
        // All that can fail before anything is kept.
        std::vector<float> labels;
        append_labels(schema, runtime, row, named, labels);
        const double weight =
            schema.weight() < 0 ? 1.0 : number_of(row[static_cast<std::size_t>(schema.weight())]);
        encoder.add(row);
        bench.labels.insert(bench.labels.end(), labels.begin(), labels.end());
        bench.weights.push_back(std::isnan(weight) || weight < 0 ? 1.0F
                                                                 : static_cast<float>(weight));
      });
    } catch (const std::exception& error) {
      // A model that reads a column differently from the one that accepted the interaction.
      spdlog::warn("member {}: interaction {} is left out: {}", member, stored.sequence,
                   error.what());
    }
    entry->sequence = stored.sequence;
  }
  encoder.chain_sequences();
  entry->sequences = encoder.latest_values();
  const std::int64_t rows = std::min(encoder.rows(), runtime.config.meta.support);
  const auto skipped = static_cast<std::size_t>(encoder.rows() - rows);
  entry->interactions = rows;
  SupportRows support;
  support.rows = &encoder.tail(rows);
  support.labels = bench.labels.data() + skipped * schema.labels().size();
  if (schema.weight() >= 0) support.weights = bench.weights.data() + skipped;
  RowSet member_row;
  if (rows == 0 && runtime.meta_block && runtime.member_level()) {
    FieldRow row(schema);
    row[schema.task()] = FieldValue::of(member);
    encoder.add(row);
    encoder.set_sequences({});
    member_row = encoder.set();
    support.member = &member_row;
    support.rows = &encoder.tail(0);
  }
  bench.adapter.adapt(support, runtime.config.meta.adaptation_steps, entry->vector);
  return entry;
}

}  // namespace limber
