#include "limber/training/evaluate/slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/group_index.h"

namespace limber {
namespace {

constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();
constexpr std::array<std::int64_t, 8> support_starts{0, 1, 2, 5, 10, 20, 50, 100};

std::string label_of(std::int64_t from, std::int64_t to) {
  if (to == no_end) return fmt::format("{}+", from);
  return from == to ? fmt::format("{}", from) : fmt::format("{}–{}", from, to);
}

template <class Value>
std::vector<Value> pick(std::span<const Value> values, std::span<const std::uint32_t> rows) {
  std::vector<Value> picked;
  if (values.empty()) return picked;
  picked.reserve(rows.size());
  for (const std::uint32_t row : rows) picked.push_back(values[row]);
  return picked;
}

void check_quantity(const char* name, std::span<const std::int64_t> quantity, std::size_t rows) {
  if (quantity.size() != rows)
    throw Error("{}: {} values for {} rows", name, quantity.size(), rows);
  for (std::size_t i = 0; i < rows; ++i) {
    if (quantity[i] < 0) throw InputError("{}: row {}: {} is negative", name, i, quantity[i]);
  }
}

/// Buckets [starts[b], starts[b + 1] - 1]; the last one ends at `last`.
std::vector<Slice> slice_rows(const Predictions& predictions,
                              std::span<const std::int64_t> quantity,
                              std::span<const std::int64_t> starts, std::int64_t last,
                              const MetricOptions& metric_options,
                              const BootstrapOptions& bootstrap) {
  std::vector<std::vector<std::uint32_t>> rows(starts.size());
  for (std::size_t i = 0; i < quantity.size(); ++i) {
    const auto above = std::upper_bound(starts.begin(), starts.end(), quantity[i]);
    rows[static_cast<std::size_t>(above - starts.begin()) - 1].push_back(
        static_cast<std::uint32_t>(i));
  }
  std::vector<Slice> slices;
  for (std::size_t b = 0; b < starts.size(); ++b) {
    if (rows[b].empty()) continue;
    const std::int64_t to = b + 1 < starts.size() ? starts[b + 1] - 1 : last;
    const std::vector<float> logits = pick(predictions.logits, rows[b]);
    const std::vector<float> labels = pick(predictions.labels, rows[b]);
    const std::vector<float> weights = pick(predictions.weights, rows[b]);
    const std::vector<std::int64_t> groups = pick(predictions.groups, rows[b]);
    const Predictions part{logits, labels, weights, groups};
    slices.push_back({label_of(starts[b], to), starts[b], to,
                      evaluate_predictions(part, metric_options),
                      bootstrap_intervals(part, metric_options, bootstrap)});
  }
  return slices;
}

}  // namespace

std::vector<Slice> slice_by_support(const Predictions& predictions,
                                    std::span<const std::int64_t> support,
                                    const MetricOptions& metric_options,
                                    const BootstrapOptions& bootstrap) {
  check_predictions(predictions);
  check_quantity("support", support, predictions.size());
  return slice_rows(predictions, support, support_starts, no_end, metric_options, bootstrap);
}

std::vector<Slice> slice_by_activity(const Predictions& predictions,
                                     std::span<const std::int64_t> activity, std::size_t quantiles,
                                     const MetricOptions& metric_options,
                                     const BootstrapOptions& bootstrap) {
  check_predictions(predictions);
  if (predictions.size() == 0) return {};
  if (predictions.groups.empty()) throw Error("slices by activity need groups");
  if (quantiles < 1) throw Error("slices by activity: 0 quantiles, expected at least 1");
  const GroupIndex index(predictions.groups);

  std::vector<std::int64_t> of_row(activity.begin(), activity.end());
  if (activity.empty()) {
    for (const std::uint32_t group : index.group_of_row()) {
      of_row.push_back(static_cast<std::int64_t>(index.rows(group).size()));
    }
  }
  check_quantity("activity", of_row, predictions.size());

  std::vector<std::int64_t> of_member;
  for (std::size_t group = 0; group < index.size(); ++group) {
    const std::span<const std::uint32_t> rows = index.rows(group);
    for (const std::uint32_t row : rows) {
      if (of_row[row] != of_row[rows.front()]) {
        throw InputError("activity: row {}: member {} has both {} and {}", row,
                         predictions.groups[row], of_row[rows.front()], of_row[row]);
      }
    }
    of_member.push_back(of_row[rows.front()]);
  }
  std::sort(of_member.begin(), of_member.end());
  std::vector<std::int64_t> starts{of_member.front()};
  for (std::size_t q = 1; q < quantiles; ++q) {
    const std::int64_t start = of_member[q * of_member.size() / quantiles];
    if (start > starts.back()) starts.push_back(start);
  }
  return slice_rows(predictions, of_row, starts, of_member.back(), metric_options, bootstrap);
}

}  // namespace limber
