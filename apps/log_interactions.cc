#include "apps/log_interactions.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "limber/core/base/files.h"
#include "limber/core/data/log_columns.h"
#include "limber/core/data/reader.h"
#include "limber/serving/rows/log_rows.h"
#include "limber/serving/rows/row_encoder.h"
#include "limber/serving/service/field_json.h"

namespace limber {
namespace {

std::int64_t time_ms_of(const FieldValue& value, const std::string& column) {
  if (value.missing()) throw BadField(column, "the time is missing");
  const double seconds = value.kind == FieldValue::Kind::kText
                             ? static_cast<double>(time_of(value.text))
                             : number_of(value);
  // What a store keeps expires by this time, so milliseconds must not pass for seconds.
  constexpr double year_3000 = 32503680000;
  if (!(std::abs(seconds) < year_3000)) {
    throw BadField(column, fmt::format("{} is no time in seconds since 1970", seconds));
  }
  return static_cast<std::int64_t>(1000 * seconds);
}

}  // namespace

std::int64_t for_each_interaction(const ServedModel& model, const Config& config,
                                  const std::function<bool(const Key& member)>& wanted,
                                  const std::function<void(MemberInteraction)>& use) {
  check_log_columns(config.data, model.runtime().encoders);
  const RequestSchema& schema = model.schema();
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  const int time_column = config.data.time.empty() ? -1 : schema.find(config.data.time);
  std::string room;
  return for_each_log_row(
      expand_paths(config.data.interactions), schema, config.data.on_bad_row == "skip", "loading",
      [&](FieldRow& row, const LogPlace& place) {
        const Key member = key_of(row[schema.task()], room);
        if (!wanted(member)) return;
        MemberInteraction one;
        one.member = member_name(member);
        one.interaction.event_id = fmt::format("{}:{}", place.file->filename().string(), place.row);
        one.interaction.time_ms = now_ms;
        if (time_column >= 0) {
          one.interaction.time_ms =
              time_ms_of(row[static_cast<std::size_t>(time_column)], config.data.time);
        }
        NamedFields fields;
        for (std::size_t c = 0; c < schema.columns(); ++c) {
          if (c != schema.task() && !row[c].missing()) fields.emplace_back(schema.name(c), row[c]);
        }
        one.interaction.body = to_json(fields);
        use(std::move(one));
      });
}

}  // namespace limber
