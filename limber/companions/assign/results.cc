#include "limber/companions/assign/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "limber/companions/assign/assignment_state.h"
#include "limber/companions/assign/measure_table.h"
#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

using nlohmann::json;

std::size_t at(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

/// For each point of the front the trade-offs whose best it is.
std::vector<std::vector<double>> trade_offs_of(const Results& results) {
  const auto& points = results.solution->front.points();
  std::vector<std::vector<double>> result(points.size());
  for (const SweepPoint& swept : results.solution->sweep) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].assignment == swept.assignment) result[i].push_back(swept.trade_off);
    }
  }
  return result;
}

json score_json(const Score& score) {
  return {{"fitness", score.fitness}, {"diversity", score.diversity}};
}

const SweepPoint& swept(const Solution& solution, double trade_off) {
  for (const SweepPoint& point : solution.sweep) {
    if (point.trade_off == trade_off) return point;
  }
  throw Error("results: trade-off {} was not swept", trade_off);
}

}  // namespace

Results make_results(const Instance& instance, const MeasureDescription& measure,
                     const Solution& solution, double trade_off, const Assignment& given) {
  Results results;
  results.instance = &instance;
  results.measure = &measure;
  results.solution = &solution;
  results.chosen = swept(solution, trade_off);
  results.given = given;
  MeasureTable measured(instance);
  const auto add = [&](std::string name, const Assignment& assignment,
                       std::optional<double> fitness) {
    results.table.push_back(
        {std::move(name), fitness, over_attributes(measured.values(assignment))});
  };
  const auto add_swept = [&](std::string name, double weight) {
    const SweepPoint& point = swept(solution, weight);
    add(std::move(name), point.assignment, point.score.fitness);
  };
  add("positions open", Assignment(instance.positions.size(), kNone), std::nullopt);
  add_swept("fitness alone", 0);
  add_swept(fmt::format("trade-off {} (written)", trade_off), trade_off);
  add_swept("diversity alone", 1);
  if (!given.empty()) {
    const Score score = exact_score(instance, measure, given);
    results.comparison = compare_given(score, solution.front);
    add("given", given, score.fitness);
  }
  return results;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

std::string assignment_csv(const Results& results) {
  const Instance& instance = *results.instance;
  std::string text = "position,candidate,fitness";
  for (const Attribute& attribute : instance.attributes) text += "," + csv_field(attribute.name);
  text += "\n";
  for (Position p = 0; p < instance.position_count(); ++p) {
    const Candidate candidate = results.chosen.assignment[at(p)];
    text += fmt::format("{},{},{}", csv_field(instance.position_name(p)),
                        csv_field(instance.candidate_names[at(candidate)]),
                        instance.find(p, candidate)->fitness);
    for (std::size_t a = 0; a < instance.attributes.size(); ++a) {
      const Group group = instance.profiles[at(instance.profile_of[at(candidate)])][a];
      text += "," + csv_field(instance.attributes[a].groups[at(group)]);
    }
    text += "\n";
  }
  return text;
}

std::string front_csv(const Results& results) {
  const Instance& instance = *results.instance;
  std::string text = "point,fitness,mean_fitness,diversity,best_for_trade_offs";
  for (const MeasureDescription& measure : measures()) {
    for (const Attribute& attribute : instance.attributes) {
      text += "," + csv_field(fmt::format("{} {}", measure.name, attribute.name));
    }
  }
  text += "\n";
  MeasureTable measured(instance);
  const auto trade_offs = trade_offs_of(results);
  const auto& points = results.solution->front.points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Score& score = points[i].score;
    text += fmt::format("{},{},{},{},{}", i + 1, score.fitness,
                        score.fitness / static_cast<double>(instance.position_count()),
                        score.diversity, fmt::join(trade_offs[i], " "));
    for (const auto& by_attribute : measured.values(points[i].assignment)) {
      for (const double value : by_attribute) text += fmt::format(",{}", value);
    }
    text += "\n";
  }
  return text;
}

std::string front_assignments_csv(const Results& results) {
  const Instance& instance = *results.instance;
  std::string text = "point,position,candidate\n";
  const auto& points = results.solution->front.points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (Position p = 0; p < instance.position_count(); ++p) {
      text += fmt::format("{},{},{}\n", i + 1, csv_field(instance.position_name(p)),
                          csv_field(instance.candidate_names[at(points[i].assignment[at(p)])]));
    }
  }
  return text;
}

std::string summary_json(const Results& results) {
  const Instance& instance = *results.instance;
  const Solution& solution = *results.solution;
  json summary = {{"nodes", instance.network.size()},
                  {"ties", instance.network.ties()},
                  {"positions", instance.position_count()},
                  {"candidates", instance.candidate_count()},
                  {"eligible_pairs", instance.pairs.size()},
                  {"measure", results.measure->name},
                  {"trade_off", results.chosen.trade_off},
                  {"fitness_unit", solution.fitness_unit},
                  {"diversity_unit", solution.diversity_unit},
                  {"cut_short", solution.cut_short},
                  {"front_points", solution.front.points().size()}};
  for (const Attribute& attribute : instance.attributes) {
    summary["attributes"].push_back(attribute.name);
  }
  for (const SweepPoint& point : solution.sweep) {
    json entry = score_json(point.score);
    entry["trade_off"] = point.trade_off;
    entry["reward"] =
        Objective{point.trade_off, solution.fitness_unit, solution.diversity_unit}.reward(
            point.score);
    entry["proven"] = point.proven;
    summary["sweep"].push_back(std::move(entry));
  }
  for (const ComparedAssignment& row : results.table) {
    json entry = {{"name", row.name}};
    entry["fitness"] = row.fitness ? json(*row.fitness) : json(nullptr);
    for (std::size_t m = 0; m < row.measures.size(); ++m) {
      entry[std::string(measures()[m].name)] = row.measures[m];
    }
    summary["compared"].push_back(std::move(entry));
  }
  for (const Score& score : solution.random) summary["random"].push_back(score_json(score));
  if (results.comparison) {
    const GivenComparison& comparison = *results.comparison;
    json given = score_json(comparison.score);
    given["on_front"] = comparison.on_front;
    given["dominated_by"] = comparison.dominated_by;
    const auto optional = [](const std::optional<Score>& score) {
      return score ? score_json(*score) : json(nullptr);
    };
    given["no_less_fit"] = optional(comparison.no_less_fit);
    given["no_less_diverse"] = optional(comparison.no_less_diverse);
    summary["given"] = std::move(given);
  }
  summary["notes"] = results.notes;
  return summary.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string table_text(const Results& results) {
  std::size_t width = 0;
  for (const ComparedAssignment& row : results.table) width = std::max(width, row.name.size());
  std::string text = fmt::format("{:<{}} {:>10}", "", width, "fitness");
  for (const MeasureDescription& measure : measures()) text += fmt::format("  {}", measure.name);
  text += "\n";
  for (const ComparedAssignment& row : results.table) {
    text += fmt::format("{:<{}} {:>10}", row.name, width,
                        row.fitness ? fmt::format("{:.4f}", *row.fitness) : "-");
    for (std::size_t m = 0; m < row.measures.size(); ++m) {
      text += fmt::format("  {:>{}.4f}", row.measures[m], measures()[m].name.size());
    }
    text += "\n";
  }
  return text;
}

}  // namespace limber::assign
