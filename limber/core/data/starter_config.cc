#include "limber/core/data/starter_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "limber/core/data/starter_guess.h"
#include "limber/core/data/starter_tables.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kLookedAt = 100000;

struct Line {
  std::string yaml;  ///< empty: a comment on a line of its own
  std::string comment;
};

/// The lines, indented, with their comments one under the other.
std::string aligned(const std::vector<Line>& lines, std::size_t indent) {
  constexpr std::size_t kWidest = 72;
  std::size_t width = 0;
  for (const Line& line : lines) {
    if (line.yaml.size() <= kWidest) width = std::max(width, line.yaml.size());
  }
  std::string text;
  for (const Line& line : lines) {
    text += std::string(indent, ' ');
    if (line.yaml.empty()) {
      text += "# " + line.comment;
    } else if (line.comment.empty()) {
      text += line.yaml;
    } else {
      text += fmt::format("{:<{}}  # {}", line.yaml, width, line.comment);
    }
    text += '\n';
  }
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  return words.size() == 1 ? words.front() : fmt::format("[{}]", fmt::join(words, ", "));
}

class Writer {
 public:
  Writer(const StarterTables& tables, const fs::path& folder) : tables_(tables), folder_(folder) {
    const TableProfile& rows = tables_.interactions.profile;
    task_ = guess_task(rows);
    time_ = guess_time(rows);
    labels_ = guess_labels(rows);
    // Whatever else the member is not: a label.
    std::erase_if(labels_, [&](const Guess& guess) { return guess.column == task_.column; });
  }

  std::string write() const {
    return heading() + data() + features() +
           "\n# The network, meta-learning and optimisation have defaults, for instance:\n"
           "# model: {global_block: {hidden: [128, 64]}}\n"
           "# train: {epochs: 20, seed: 1}\n";
  }

 private:
  std::string paths_of(const TableProfile& table) const {
    std::vector<std::string> patterns = patterns_for(table.files);
    for (std::string& pattern : patterns) {
      const fs::path path(pattern);
      if (path.is_relative()) {
        const fs::path here = fs::absolute(path).lexically_normal();
        pattern = here.lexically_proximate(fs::absolute(folder_).lexically_normal()).string();
      }
      pattern = yaml_scalar(pattern);
    }
    return joined(patterns);
  }

  static std::string rows_of(const TableProfile& table) {
    return (table.is_whole ? "" : "the first ") + grouped(table.rows) + " rows looked at";
  }

  std::string heading() const {
    return fmt::format(
        "# A config to start from, guessed from the first {} rows of each file: look it over,\n"
        "# then give it to:\n"
        "#\n"
        "#     limber train CONFIG\n"
        "#\n"
        "# All options: limber train --help.\n"
        "\n"
        "name: {}\n"
        "\n",
        grouped(kLookedAt), yaml_scalar(tables_.interactions.name));
  }

  std::string data() const {
    const TableProfile& rows = tables_.interactions.profile;
    std::string text = fmt::format("data:\n  # One row per impression; {}.\n  interactions: {}\n",
                                   rows_of(rows), paths_of(rows));
    for (const StarterTable& table : tables_.others) {
      text += fmt::format("  # Left out: {}, which shares no key with the interactions.\n",
                          table.profile.files.front().filename().string());
    }
    if (!tables_.side_tables.empty()) {
      text +=
          "  # Joined by a column of the interactions that has no value twice in the table.\n"
          "  tables:\n";
    }
    for (const StarterTable& table : tables_.side_tables) {
      text += fmt::format("    {}: {{path: {}, key: {}}}\n", table.name, paths_of(table.profile),
                          yaml_scalar(table.key));
    }
    text += fmt::format("  # Whom to personalise for: {}.\n  task: {}\n", task_.reason, task_.yaml);
    text += time_.column.empty()
                ? "  # No column looks like a time, so the split is random (seeded).\n  # time: "
                  "COLUMN\n"
                : fmt::format(
                      "  # Orders a member's rows; the last of them are held out. Values "
                      "are seconds or ISO 8601.\n  time: {}\n",
                      time_.yaml);
    text += labels() +
            "  # Hold out whole members instead, to see how well new ones are served:\n"
            "  # split: members\n";
    const std::int64_t bad = total_bad_rows();
    const bool has_gaps = !labels_.empty() && labels_.front().has_gaps;
    if (bad > 0 || has_gaps) {
      text += fmt::format("  # {}.\n  on_bad_row: skip\n",
                          bad > 0 ? grouped(bad) + " of the rows looked at cannot be read"
                                  : "Rows without a label are left out");
    }
    return text + "\n";
  }

  std::string labels() const {
    if (labels_.empty()) {
      return "  # No column looks like a label: name one of zeros and ones, or write a comparison\n"
             "  # such as \"rating >= 4\".\n"
             "  labels:\n    label: CHANGE_ME\n";
    }
    std::string text = fmt::format("  # Label: {}.\n  labels:\n    {}\n", labels_.front().reason,
                                   labels_.front().yaml);
    for (std::size_t i = 1; i < labels_.size(); ++i) {
      text += fmt::format("    # Also like a label, and so no feature: {}.\n    # {}\n",
                          labels_[i].reason, labels_[i].yaml);
    }
    return text;
  }

  std::int64_t total_bad_rows() const {
    std::int64_t bad = tables_.interactions.profile.bad_rows;
    for (const StarterTable& table : tables_.side_tables) bad += table.profile.bad_rows;
    return bad;
  }

  std::string features() const {
    std::vector<Line> lines;
    std::set<std::string> taken{task_.column, time_.column};
    for (const Guess& label : labels_) taken.insert(label.column);
    std::string sequence;
    bool any = false;
    const auto add_table = [&](const StarterTable& table, bool in_interactions) {
      lines.push_back(
          {"", in_interactions ? "From the interactions." : "From " + table.name + "."});
      for (const ColumnProfile& column : table.profile.columns) {
        if (!taken.insert(column.name).second) {
          if (!in_interactions && column.name != table.key) {
            lines.push_back({"", fmt::format("left out: {} (an earlier column has this name, or it "
                                             "is the member, time or label)",
                                             column.name)});
          }
          continue;
        }
        const bool is_key = is_key_of_side_table(column.name);
        const Guess guess = guess_feature(column, is_key, in_interactions);
        if (guess.yaml.empty()) {
          lines.push_back({"", fmt::format("left out: {} ({})", guess.column, guess.reason)});
          continue;
        }
        any = true;
        if (sequence.empty() && in_interactions &&
            guess.yaml.find("kind: id,") != std::string::npos) {
          sequence = column.name;
        }
        lines.push_back({"- " + guess.yaml, guess.reason});
      }
    };
    add_table(tables_.interactions, true);
    for (const StarterTable& table : tables_.side_tables) add_table(table, false);
    if (!sequence.empty() && !time_.column.empty()) {
      lines.push_back({"", fmt::format("- {{name: latest, kind: sequence, of: {}, length: 50}}  # "
                                       "the member's latest ones",
                                       yaml_scalar(sequence))});
    }
    if (!any) {
      lines.push_back({"- {name: CHANGE_ME, kind: id}", "no column is left to be a feature"});
    }
    return "# number: standardize, log1p, bucketize or none; id: one value; ids: several.\n"
           "features:\n" +
           aligned(lines, 2);
  }

  bool is_key_of_side_table(const std::string& column) const {
    return std::any_of(tables_.side_tables.begin(), tables_.side_tables.end(),
                       [&](const StarterTable& table) { return table.key == column; });
  }

  const StarterTables& tables_;
  fs::path folder_;
  Guess task_;
  Guess time_;
  std::vector<Guess> labels_;
};

}  // namespace

std::string starter_config(std::span<const std::string> paths, const fs::path& folder) {
  return Writer(find_tables(paths, kLookedAt), folder).write();
}

}  // namespace limber
