#include "limber/serving/ranker/ranker.h"

#include <algorithm>
#include <functional>

#include "limber/core/base/error.h"
#include "limber/serving/rows/member_rows.h"
#include "limber/serving/rows/rank_rows.h"

namespace limber {
namespace {

/// The value as rows hold it: a view.
FieldValue view_of(const Value& value) {
  struct View {
    FieldValue operator()(std::monostate) const { return {}; }
    FieldValue operator()(bool truth) const { return FieldValue::of(truth); }
    FieldValue operator()(std::int64_t number) const { return FieldValue::of(number); }
    FieldValue operator()(double number) const { return FieldValue::of(number); }
    FieldValue operator()(const std::string& text) const {
      return FieldValue::of(std::string_view(text));
    }
    FieldValue operator()(const Value::List& values) const {
      FieldValue list;
      list.kind = FieldValue::Kind::kList;
      list.list.reserve(values.size());
      for (const Value& value : values) list.list.push_back(view_of(value));
      return list;
    }
  };
  return std::visit(View(), value.held());
}

void fill(const Fields& fields, const RequestSchema& schema, FieldRow& row) {
  for (const auto& [name, value] : fields) {
    const int column = schema.find(name);
    if (column >= 0) row[static_cast<std::size_t>(column)] = view_of(value);
  }
}

std::string name_of(const Value& member) {
  std::string room;
  try {
    return member_name(key_of(view_of(member), room));
  } catch (const BadValue& bad) {
    throw InputError("member: {}", bad.what());
  }
}

}  // namespace

class Ranker::Implementation {
 public:
  explicit Implementation(std::shared_ptr<const ServedModel> opened) : model(std::move(opened)) {}

  std::vector<RankedCandidate> rank(const AdaptedMember& member, std::size_t count,
                                    const std::function<void(std::size_t, FieldRow&)>& fill_row,
                                    const RankOptions& options) const;

  const std::shared_ptr<const ServedModel> model;
};

std::vector<RankedCandidate> Ranker::Implementation::rank(
    const AdaptedMember& member, std::size_t count,
    const std::function<void(std::size_t, FieldRow&)>& fill_row, const RankOptions& options) const {
  const RuntimeModel& runtime = model->runtime();
  if (member.model != runtime.name() || member.version != runtime.version()) {
    throw InputError("member {}: adapted by {} version {}; adapt it by {} version {}, which ranks",
                     member.name, member.model, member.version, runtime.name(), runtime.version());
  }
  const RankBy by = rank_by(runtime, options.label);
  if (!(options.explore >= 0)) throw InputError("explore: {} is not 0 or more", options.explore);
  if (options.explore > 0 && !runtime.last_layers) {
    throw InputError(
        "explore: {} version {} does not know how uncertain its last layer is; train it with "
        "explore.enabled: true",
        runtime.name(), runtime.version());
  }
  const auto bench = model->borrow();
  bench->candidates.restart();
  FieldRow common(model->schema());
  fill(options.context, model->schema(), common);
  common[model->schema().task()] = FieldValue::of(std::string_view(member.name));
  for (std::size_t i = 0; i < count; ++i) {
    FieldRow row = common;
    fill_row(i, row);
    row[model->schema().task()] = common[model->schema().task()];
    try {
      bench->candidates.add(row);
    } catch (const BadField& bad) {
      throw InputError("candidates[{}].{}: {}", i, bad.column(), bad.what());
    }
  }
  return rank_rows(*model, *bench, member.vector, member.sequences, by, options.limit,
                   options.explore);
}

Ranker::Ranker(std::shared_ptr<const Implementation> implementation)
    : implementation_(std::move(implementation)) {}

Ranker Ranker::open(const std::filesystem::path& model, const RankerOptions& options) {
  ServedModel::Options served;
  served.tables = options.tables;
  served.base = options.base;
  served.context = options.shared;
  served.precision = options.int8 ? Precision::kInt8 : Precision::kFloat32;
  served.table_option = "RankerOptions::tables";
  return Ranker(std::make_shared<const Implementation>(ServedModel::load(model, served)));
}

AdaptedMember Ranker::adapt(const Value& member, const std::vector<Fields>& interactions) const {
  const ServedModel& model = *implementation_->model;
  AdaptedMember adapted;
  adapted.name = name_of(member);
  adapted.model = name();
  adapted.version = version();
  const auto bench = model.borrow();
  MemberRows rows(model, *bench, adapted.name);
  const auto count = static_cast<std::int64_t>(interactions.size());
  for (auto i = static_cast<std::size_t>(std::max<std::int64_t>(0, count - wanted()));
       i < interactions.size(); ++i) {
    FieldRow row(model.schema());
    fill(interactions[i], model.schema(), row);
    if (!MemberRows::has_label(model.schema(), row)) {
      throw InputError("interactions[{}]: no label can be told; give the field '{}'", i,
                       model.schema().name(model.schema().labels()[0].column));
    }
    try {
      rows.add(row);
    } catch (const BadField& bad) {
      throw InputError("interactions[{}].{}: {}", i, bad.column(), bad.what());
    }
  }
  MemberRows::Result result = rows.adapt(adapted.vector);
  adapted.interactions = result.interactions;
  adapted.sequences = std::move(result.sequences);
  return adapted;
}

std::vector<RankedCandidate> Ranker::rank(const AdaptedMember& member,
                                          const std::vector<Fields>& candidates,
                                          const RankOptions& options) const {
  return implementation_->rank(
      member, candidates.size(),
      [&](std::size_t i, FieldRow& row) {
        fill(candidates[i], implementation_->model->schema(), row);
      },
      options);
}

std::vector<RankedCandidate> Ranker::rank_items(const AdaptedMember& member,
                                                const std::vector<Value>& keys,
                                                const RankOptions& options) const {
  const RequestSchema& schema = implementation_->model->schema();
  if (schema.item_table() < 0) {
    throw InputError(
        "the model {} has not just one item table whose keys could be given; give rows", name());
  }
  const std::size_t column = schema.keys()[static_cast<std::size_t>(schema.item_table())];
  return implementation_->rank(
      member, keys.size(), [&](std::size_t i, FieldRow& row) { row[column] = view_of(keys[i]); },
      options);
}

const std::string& Ranker::name() const {
  return implementation_->model->runtime().name();
}

const std::string& Ranker::version() const {
  return implementation_->model->runtime().version();
}

const std::vector<std::string>& Ranker::labels() const {
  return implementation_->model->runtime().layout.labels;
}

const std::vector<std::string>& Ranker::columns() const {
  return implementation_->model->schema().names();
}

std::int64_t Ranker::wanted() const {
  return implementation_->model->interactions_wanted();
}

}  // namespace limber
