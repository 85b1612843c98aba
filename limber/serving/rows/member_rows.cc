#include "limber/serving/rows/member_rows.h"

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

/// The labels of an interaction: as named, else from its columns. NaN = absent.
void append_labels(const ServedModel& model, const FieldRow& row, const NamedLabels& named,
                   std::vector<float>& labels) {
  const RequestSchema& schema = model.schema();
  for (std::size_t l = 0; l < schema.labels().size(); ++l) {
    const RequestSchema::Label& label = schema.labels()[l];
    float value = std::nanf("");
    for (const auto& [name, given] : named) {
      if (name == model.runtime().layout.labels[l]) value = static_cast<float>(given);
    }
    if (std::isnan(value) && !row[label.column].missing()) {
      std::size_t at = label.column;
      try {
        value = label.evaluate(row, at);
      } catch (const BadValue& bad) {
        throw BadField(schema.name(at), bad.what());
      }
    }
    labels.push_back(value);
  }
}

/// 1 where the weight is missing or makes no sense.
float weight_of(const RequestSchema& schema, const FieldRow& row) {
  if (schema.weight() < 0) return 1;
  const auto column = static_cast<std::size_t>(schema.weight());
  try {
    const double weight = number_of(row[column]);
    return std::isnan(weight) || weight < 0 ? 1.0F : static_cast<float>(weight);
  } catch (const BadValue& bad) {
    throw BadField(schema.name(column), bad.what());
  }
}

}  // namespace

MemberRows::MemberRows(const ServedModel& model, Workbench& bench, std::string_view member)
    : model_(model), bench_(bench), member_(member) {
  bench_.interactions.restart();
  bench_.labels.clear();
  bench_.weights.clear();
}

bool MemberRows::has_label(const RequestSchema& schema, const FieldRow& row) {
  return std::ranges::any_of(schema.labels(), [&](const RequestSchema::Label& label) {
    return !row[label.column].missing();
  });
}

void MemberRows::add(FieldRow& row, const NamedLabels& named) {
  row[model_.schema().task()] = FieldValue::of(member_);
  // All that can fail before anything is kept.
  std::vector<float> labels;
  append_labels(model_, row, named, labels);
  const float weight = weight_of(model_.schema(), row);
  bench_.interactions.add(row);
  bench_.labels.insert(bench_.labels.end(), labels.begin(), labels.end());
  bench_.weights.push_back(weight);
}

MemberRows::Result MemberRows::adapt(MemberVector& vector) {
  const RuntimeModel& runtime = model_.runtime();
  const RequestSchema& schema = model_.schema();
  RowEncoder& encoder = bench_.interactions;
  Result result;
  encoder.chain_sequences();
  result.sequences = encoder.latest_values();
  const std::int64_t rows = std::min(encoder.rows(), runtime.config.meta.support);
  const auto skipped = static_cast<std::size_t>(encoder.rows() - rows);
  result.interactions = rows;
  SupportRows support;
  support.rows = &encoder.tail(rows);
  support.labels = bench_.labels.data() + skipped * schema.labels().size();
  if (schema.weight() >= 0) support.weights = bench_.weights.data() + skipped;
  RowSet member_row;
  if (rows == 0 && runtime.meta_block && runtime.member_level()) {
    FieldRow row(schema);
    row[schema.task()] = FieldValue::of(member_);
    encoder.add(row);
    encoder.set_sequences({});
    member_row = encoder.set();
    support.member = &member_row;
    support.rows = &encoder.tail(0);
  }
  bench_.adapter.adapt(support, runtime.config.meta.adaptation_steps, vector);
  return result;
}

}  // namespace limber
