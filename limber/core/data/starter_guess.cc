#include "limber/core/data/starter_guess.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "limber/core/data/column_words.h"

namespace limber {
namespace {

/// Seconds since 1970 of 1973-03-03: smaller whole numbers are hardly times.
constexpr double kEarliestTime = 1e8;

/// The column with the highest positive score, the first of equals.
template <class Score>
const ColumnProfile* best_column(const TableProfile& table, Score&& score) {
  const ColumnProfile* best = nullptr;
  int most = 0;
  for (const ColumnProfile& column : table.columns) {
    if (!column.problem.empty() || column.present() == 0) continue;
    if (const int value = score(column); value > most) {
      most = value;
      best = &column;
    }
  }
  return best;
}

/// The threshold for which "at least that" comes nearest to one half of the rows, and that share.
std::pair<double, double> median_threshold(const ColumnProfile& rating) {
  double threshold = rating.median;
  double share = 0;
  std::int64_t above = 0;
  for (auto place = rating.counts.rbegin(); place != rating.counts.rend(); ++place) {
    above += place->second;
    const double part = static_cast<double>(above) / static_cast<double>(rating.present());
    if (std::next(place) == rating.counts.rend()) break;  // All rows: no label.
    if (share == 0 || std::abs(part - 0.5) < std::abs(share - 0.5)) {
      threshold = place->first;
      share = part;
    }
  }
  return {threshold, share == 0 ? 0.5 : share};
}

double share_of_ones(const ColumnProfile& column) {
  const auto ones = column.counts.find(1.0);
  if (ones == column.counts.end()) return 0;
  return static_cast<double>(ones->second) / static_cast<double>(column.present());
}

std::string in_quotes(std::string_view text) {
  return nlohmann::json(text).dump();
}

int width_for(std::int64_t values) {
  return values <= 10 ? 4 : values <= 200 ? 8 : 16;
}

std::string number_yaml(const ColumnProfile& column, const char* transform) {
  return fmt::format("{{name: {}, kind: number, transform: {}}}", yaml_scalar(column.name),
                     transform);
}

std::string id_yaml(const ColumnProfile& column) {
  return fmt::format("{{name: {}, kind: id, dim: {}}}", yaml_scalar(column.name),
                     width_for(column.distinct));
}

Guess guess_number(const ColumnProfile& column) {
  const std::string range =
      fmt::format("{} {} to {}", column.is_whole ? "whole numbers from" : "numbers from",
                  column.least, column.most);
  if (column.is_whole && is_code_name(column.name)) {
    return {column.name, id_yaml(column), range + ", but the name says that they are codes"};
  }
  const bool is_skewed = column.least >= 0 && column.most > 20 * std::max(column.median, 1.0);
  std::string reason = range + (is_skewed ? ", most of them small" : "");
  if (column.is_whole && !column.counts.empty() && !is_quantity_name(column.name)) {
    reason += "; kind: id if they are codes";
  }
  return {column.name, number_yaml(column, is_skewed ? "log1p" : "standardize"), reason};
}

Guess guess_text(const ColumnProfile& column) {
  if (column.distinct > 100 && column.distinct * 5 > column.present() * 4) {
    return {column.name, "", "free text: nearly every value differs"};
  }
  return {column.name, id_yaml(column), fmt::format("{} values", grouped(column.distinct))};
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  const bool is_plain =
      !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '/') &&
      std::all_of(text.begin(), text.end(), [](char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' ||
               letter == '-' || letter == '.' || letter == '/';
      });
  constexpr std::string_view kSpecial[] = {"true", "false", "null", "yes", "no",
                                           "on",   "off",   "y",    "n"};
  std::string lower(text);
  for (char& letter : lower) letter = static_cast<char>(std::tolower(letter));
  if (is_plain &&
      std::find(std::begin(kSpecial), std::end(kSpecial), lower) == std::end(kSpecial)) {
    return std::string(text);
  }
  return in_quotes(text);
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3) {
    digits.insert(static_cast<std::size_t>(place), ",");
  }
  return digits;
}

Guess guess_task(const TableProfile& interactions) {
  const auto repeats = [](const ColumnProfile& column) {
    return !column.is_list && column.distinct > 1 && column.distinct < column.present();
  };
  const ColumnProfile* task = best_column(interactions, [&](const ColumnProfile& column) {
    return repeats(column) ? person_score(column.name) : 0;
  });
  const bool is_by_name = task != nullptr;
  if (task == nullptr) {
    task = best_column(interactions, [&](const ColumnProfile& column) {
      return repeats(column) && is_id_name(column.name) ? 1 : 0;
    });
  }
  if (task == nullptr) {
    return {"", "CHANGE_ME", "no column is named like a member; name the column that tells them"};
  }
  return {task->name, yaml_scalar(task->name),
          fmt::format("{} values{}", grouped(task->distinct),
                      is_by_name ? "" : "; a guess, for no column is named like a member")};
}

Guess guess_time(const TableProfile& interactions) {
  const ColumnProfile* time = best_column(interactions, [](const ColumnProfile& column) {
    const bool may_be = column.is_time || (column.is_whole && column.least >= kEarliestTime);
    if (!may_be || column.missing > 0) return 0;
    const int score = time_score(column.name);
    return column.is_time ? score + 1 : score;
  });
  if (time == nullptr) return {"", "", ""};
  return {time->name, yaml_scalar(time->name), ""};
}

namespace {

struct LabelGuess {
  int score;
  Guess guess;
};

/// A score of 1 is for a column of zeros and ones whose name says nothing.
LabelGuess guess_label(const ColumnProfile& column) {
  const std::string name = yaml_scalar(column.name);
  if (column.is_truth) {
    const int score = outcome_score(column.name);
    std::string reason = column.is_number
                             ? fmt::format("1 in {:.0f}% of the rows", 100 * share_of_ones(column))
                             : "true or false";
    if (score == 0) reason += "; a guess, for the name does not say";
    return {score > 0 ? 10 + score : 1, {column.name, name + ": " + name, reason}};
  }
  const int score = rating_score(column.name);
  if (!column.is_number || score == 0) return {0, {}};
  const auto [threshold, share] = median_threshold(column);
  return {5 + score,
          {column.name, "like: " + in_quotes(fmt::format("{} >= {}", column.name, threshold)),
           fmt::format("true in {:.0f}% of the rows; {} goes from {} to {}", 100 * share,
                       column.name, column.least, column.most)}};
}

}  // namespace

std::vector<Guess> guess_labels(const TableProfile& interactions) {
  std::vector<LabelGuess> candidates;
  for (const ColumnProfile& column : interactions.columns) {
    if (!column.problem.empty() || column.distinct < 2 || column.is_list) continue;
    LabelGuess candidate = guess_label(column);
    if (candidate.score == 0) continue;
    if (column.missing > 0) {
      candidate.guess.has_gaps = true;
      candidate.guess.reason += fmt::format("; missing in {} rows", grouped(column.missing));
    }
    candidates.push_back(std::move(candidate));
  }
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [](const LabelGuess& one, const LabelGuess& other) { return one.score > other.score; });
  std::vector<Guess> guesses;
  for (LabelGuess& candidate : candidates) {
    // Beside a column that is named like an outcome, one that is not is a feature.
    if (candidate.score == 1 && !guesses.empty()) break;
    guesses.push_back(std::move(candidate.guess));
  }
  return guesses;
}

Guess guess_feature(const ColumnProfile& column, bool is_key, bool in_interactions) {
  const auto left_out = [&](std::string reason) {
    return Guess{column.name, "", std::move(reason)};
  };
  if (!column.problem.empty()) return left_out(column.problem);
  if (column.present() == 0) return left_out("empty");
  if (column.is_list || column.separated * 5 >= column.present()) {
    const std::string separator = column.is_list ? "" : ", separator: \"|\"";
    return {column.name,
            fmt::format("{{name: {}, kind: ids{}, dim: {}}}", yaml_scalar(column.name), separator,
                        width_for(column.distinct)),
            fmt::format("lists of {} different values", grouped(column.distinct))};
  }
  if (column.distinct < 2) return left_out("the same in every row");
  if (is_key || is_id_name(column.name)) {
    if (!is_key && in_interactions && column.is_unique()) {
      return left_out("differs in every row");
    }
    return {column.name, id_yaml(column), fmt::format("{} values", grouped(column.distinct))};
  }
  if (column.is_truth && column.is_number) {
    return {column.name, number_yaml(column, "none"), "zeros and ones"};
  }
  if (column.is_typed_time) return {column.name, number_yaml(column, "standardize"), "times"};
  if (column.is_time) return left_out("times written as text; add a number of days, say");
  return column.is_number ? guess_number(column) : guess_text(column);
}

}  // namespace limber
