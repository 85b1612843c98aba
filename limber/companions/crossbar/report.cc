#include "limber/companions/crossbar/report.h"

#include <map>
#include <set>

#include "limber/companions/crossbar/cost_constants.h"
#include "limber/companions/crossbar/published.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber::crossbar {
namespace {

nlohmann::json counts_json(const CrossbarCounts& counts) {
  return {{"weights", counts.weights},
          {"kept", counts.kept},
          {"nonzero", counts.nonzero},
          {"crossbars", counts.crossbars},
          {"cells", counts.cells},
          {"used_cells", counts.used_cells},
          {"drivers", counts.drivers},
          {"bit_lines", counts.bit_lines},
          {"converters", counts.converters},
          {"invocations_per_input_bit", counts.invocations},
          {"conversions_per_input_bit", counts.conversions}};
}

nlohmann::json parts_json(const CostParts& parts) {
  return {{"arrays", parts.arrays},
          {"converters", parts.converters},
          {"drivers", parts.drivers},
          {"peripherals", parts.peripherals},
          {"sum", parts.sum()}};
}

nlohmann::json side_json(const CrossbarCounts& counts, const CrossbarCost& cost) {
  nlohmann::json json = counts_json(counts);
  json["area_mm2"] = parts_json(cost.area);
  json["energy_joules"] = parts_json(cost.energy);
  json["power_watts"] = power_of(cost, kInferencesPerSecond);
  return json;
}

nlohmann::json compared_json(const ComparedCounts& compared) {
  return {{"before", side_json(compared.before, compared.cost_before)},
          {"after", side_json(compared.after, compared.cost_after)},
          {"weight_compression", compared.weight_compression()},
          {"area_reduction", compared.area_reduction()},
          {"power_reduction", compared.power_reduction()}};
}

nlohmann::json chips_json(const CrossbarReport& report) {
  const MonteCarloResult& chips = report.chips;
  nlohmann::json quantiles = nlohmann::json::array();
  for (const auto& quantile : chips.quantiles) {
    quantiles.push_back({{"share", quantile.share}, {"value", quantile.value}});
  }
  return {{"metric", report.metric_name},
          {"exact", chips.exact},
          {"values", chips.values},
          {"mean", chips.mean},
          {"deviation", chips.deviation},
          {"minimum", chips.minimum},
          {"maximum", chips.maximum},
          {"quantiles", quantiles},
          {"on_off_ratio", CellFaults{}.on_off_ratio}};
}

void add_costs(ComparedCounts& compared) {
  compared.cost_before = cost_of(compared.before);
  compared.cost_after = cost_of(compared.after);
}

}  // namespace

double ComparedCounts::weight_compression() const {
  if (after.kept == 0) return 0;
  return static_cast<double>(before.weights) / static_cast<double>(after.kept);
}

CrossbarReport compare(const std::vector<DenseLayer>& before, std::int64_t bits_before,
                       const CrossbarMapping& after) {
  std::map<std::string, const LayerMapping*> mapped;
  for (const LayerMapping& layer : after.layers) {
    if (!mapped.emplace(layer.weight.name, &layer).second) {
      throw Error("crossbar report: two layers are named {}", layer.weight.name);
    }
  }
  CrossbarReport report;
  report.options = after.options;
  report.bits_before = bits_before;
  std::set<std::string> seen;
  for (const DenseLayer& dense : before) {
    if (!seen.insert(dense.name).second) {
      throw Error("crossbar report: two layers are named {}", dense.name);
    }
    ComparedLayer layer;
    layer.name = dense.name;
    layer.counts.before = dense_counts(dense, bits_before, after.options);
    if (const auto found = mapped.find(dense.name); found != mapped.end()) {
      layer.bits = found->second->weight.bits;
      layer.counts.after = found->second->counts;
    }
    add_costs(layer.counts);
    report.total.before += layer.counts.before;
    report.total.after += layer.counts.after;
    report.layers.push_back(std::move(layer));
  }
  for (const auto& [name, layer] : mapped) {
    if (!seen.contains(name)) throw Error("crossbar report: no layer before is named {}", name);
  }
  add_costs(report.total);
  return report;
}

nlohmann::json to_json(const CrossbarReport& report) {
  nlohmann::json json = {
      {"title", report.title},
      {"rows", report.options.rows},
      {"columns", report.options.columns},
      {"cell_bits", report.options.cell_bits},
      {"variation", report.options.variation},
      {"stuck_low", report.options.stuck_low},
      {"stuck_high", report.options.stuck_high},
      {"bits_before", report.bits_before},
      {"input_bits", kInputBits},
      {"inferences_per_second", kInferencesPerSecond},
      {"total", compared_json(report.total)},
      {"layers", nlohmann::json::array()},
      {"published", nlohmann::json::array()},
      {"notes", report.notes},
  };
  for (const ComparedLayer& layer : report.layers) {
    nlohmann::json one = compared_json(layer.counts);
    one["name"] = layer.name;
    one["bits"] = layer.bits;
    json["layers"].push_back(std::move(one));
  }
  for (const PublishedResult& published : kPublished) {
    json["published"].push_back({{"network", published.network},
                                 {"source", "arXiv 1908.11691"},
                                 {"weight_compression", published.weight_compression},
                                 {"power_reduction", published.power_reduction},
                                 {"area_reduction", published.area_reduction},
                                 {"accuracy_loss", published.accuracy_loss}});
  }
  if (!report.chips.values.empty()) json["chips"] = chips_json(report);
  return json;
}

void write_crossbar_report(const std::filesystem::path& path, const CrossbarReport& report) {
  write_file_atomic(path, render_crossbar_report(report));
}

}  // namespace limber::crossbar
