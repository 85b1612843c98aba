// report_main FILE: writes a report in which every section is present, drawn from made-up members
// and seven made-up models, for report_browser_test.py. "report_main FILE empty" writes one with a
// title only.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/training/evaluate/bootstrap.h"
#include "limber/training/evaluate/calibration.h"
#include "limber/training/evaluate/metrics_json.h"
#include "limber/training/evaluate/ranking_metrics.h"
#include "limber/training/evaluate/report.h"
#include "limber/training/evaluate/slices.h"

namespace limber {
namespace {

using nlohmann::json;

constexpr std::size_t members = 400;

struct Model {
  std::string name;
  double own_taste;  // how much of the member's taste the model learns from a large support
  double noise;
  double tilt;  // 1: calibrated; above: over-confident
};

const std::vector<Model> models{
    {"No personalisation", 0.0, 0.55, 1.0},
    {"Member-ID embedding (wide and deep)", 0.55, 0.55, 1.25},
    {"Support statistics", 0.6, 0.5, 1.0},
    {"History encoder", 0.7, 0.45, 1.1},
    {"LiMAML", 0.85, 0.42, 1.0},
    {"LiMAML + history", 0.9, 0.4, 1.02},
    {"Gradient-boosted trees", 0.6, 0.48, 0.8},
};

struct Rows {
  std::vector<float> labels;
  std::vector<std::int64_t> groups;
  std::vector<std::int64_t> support;
  std::vector<double> item;
  std::vector<double> taste;
};

Rows draw_rows() {
  constexpr std::array<std::int64_t, 8> sizes{0, 1, 3, 7, 15, 30, 70, 150};
  Random random(11);
  Rows rows;
  for (std::size_t member = 0; member < members; ++member) {
    const double taste = random.normal();
    const std::uint64_t count = 8 + random.below(12) * random.below(12);
    for (std::uint64_t i = 0; i < count; ++i) {
      rows.groups.push_back(static_cast<std::int64_t>(member));
      rows.support.push_back(sizes[(member + i / 8) % sizes.size()]);
      rows.item.push_back(random.normal());
      // Taste moves the level and, through the item, the order.
      rows.taste.push_back(0.6 * taste + 0.8 * taste * rows.item.back());
      const double truth = 0.8 * rows.item.back() + rows.taste.back() - 0.7;
      rows.labels.push_back(random.uniform() < sigmoid(truth) ? 1.0F : 0.0F);
    }
  }
  return rows;
}

std::vector<float> predict(const Model& model, const Rows& rows) {
  Random random(static_cast<std::uint64_t>(model.name.size()));
  std::vector<float> logits;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    const auto seen = static_cast<double>(rows.support[i]);
    const double learned = model.own_taste * seen / (seen + 8);
    const double logit =
        0.8 * rows.item[i] + learned * rows.taste[i] - 0.6 + model.noise * random.normal();
    logits.push_back(static_cast<float>(model.tilt * logit));
  }
  return logits;
}

json protocol(const char* name, const char* description, bool full) {
  const Rows rows = draw_rows();
  const BootstrapOptions bootstrap{.resamples = 200, .seed = 1};
  json result{{"name", name}, {"description", description}, {"models", json::array()}};
  json differences{{"baseline", models.front().name}, {"models", json::array()}};
  const std::vector<float> baseline = predict(models.front(), rows);
  for (const Model& model : models) {
    const std::vector<float> logits = predict(model, rows);
    const Predictions predictions{logits, rows.labels, {}, rows.groups};
    const MetricIntervals intervals = bootstrap_intervals(predictions, {}, bootstrap);
    json one{{"name", model.name},
             {"note", "simulated"},
             {"metrics", metrics_to_json(evaluate_predictions(predictions), &intervals)}};
    if (model.name == "LiMAML") one["highlight"] = true;
    if (full) {
      one["support"] = slices_to_json(slice_by_support(predictions, rows.support, {}, bootstrap));
      one["activity"] = slices_to_json(slice_by_activity(predictions, {}, 5, {}, bootstrap));
      one["reliability"] = reliability_to_json(reliability_curve(logits, rows.labels));
    }
    result["models"].push_back(one);
    if (&model != &models.front()) {
      const Predictions first{baseline, rows.labels, {}, rows.groups};
      differences["models"].push_back({{"name", model.name},
                                       {"metrics", difference_to_json(bootstrap_difference(
                                                       first, predictions, {}, bootstrap))}});
    }
  }
  if (full) result["differences"] = differences;
  return result;
}

json training_chart(const char* title, const char* y_label, double start, double end,
                    std::size_t points, double step) {
  json chart{
      {"title", title}, {"x_label", "step"}, {"y_label", y_label}, {"series", json::array()}};
  for (int seed = 1; seed <= 3; ++seed) {
    Random random(static_cast<std::uint64_t>(seed));
    json list = json::array();
    for (std::size_t i = 0; i <= points; ++i) {
      const double progress = static_cast<double>(i) / static_cast<double>(points);
      list.push_back({step * static_cast<double>(i),
                      end + (start - end) * std::exp(-5 * progress) + 0.004 * random.normal()});
    }
    chart["series"].push_back({{"name", fmt::format("LiMAML, seed {}", seed)}, {"points", list}});
  }
  return chart;
}

json example() {
  json report{{"title", "LiMAML on made-up members"}};
  report["lead"] =
      "Seven models scored on the same rows of members whom none of them saw in training. The "
      "numbers come from a simulation and show what a report looks like, nothing else.";
  report["summary"] = {{{"label", "Model"}, {"value", "likes, version 7"}},
                       {{"label", "Data"}, {"value", "simulation, 400 members"}},
                       {{"label", "Protocol"}, {"value", "cold and warm members"}},
                       {{"label", "Seeds"}, {"value", "3 in the training curves"}},
                       {{"label", "Trained"}, {"value", "2,400 steps, 20 epochs"}}};
  report["intervals"] = "95% percentile intervals from 200 resamples of members";
  report["protocols"] = {
      protocol("Cold members",
               "Members unseen in training; some of their interactions are given as support.",
               true),
      protocol("Warm members", "The last interactions of members seen in training.", false)};
  report["training"] = {training_chart("Training loss", "log loss (nats)", 0.69, 0.53, 240, 10),
                        training_chart("Validation", "GAUC", 0.55, 0.745, 20, 120)};
  // Text that would break a page which pastes it unescaped.
  report["notes"] = {"Splits are seeded random: the data has no time column.",
                     "Markup is text: </script><img src=x onerror=alert(1)> \xE2\x80\xA8 {{data}}"};
  return report;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: report_main FILE [empty]\n", stderr);
    return 2;
  }
  try {
    const bool empty = argc > 2 && std::string_view(argv[2]) == "empty";
    std::ofstream stream(argv[1], std::ios::binary);
    stream << limber::render_report(empty ? nlohmann::json{{"title", "Nothing yet"}}
                                          : limber::example());
    stream.close();
    if (!stream) throw std::runtime_error(fmt::format("{}: cannot be written", argv[1]));
  } catch (const std::exception& error) {
    fmt::print(stderr, "report_main: {}\n", error.what());
    return 1;
  }
}
