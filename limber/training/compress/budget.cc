#include "limber/training/compress/budget.h"

#include <algorithm>

#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"

namespace limber {
namespace {

/// What no single option can say.
void check_options(const CompressOptions& options) {
  if (options.block.size() != 2) {
    throw InputError("compress.block: has {} numbers, not the rows and the columns of a tile",
                     options.block.size());
  }
  if (options.bits == 1) {
    throw InputError("compress.bits: 1 leaves a weight nothing but 0; use 2 or more, or 0");
  }
  for (const auto& [name, share] : options.keep_of) {
    if (share <= 0)
      throw InputError("compress.keep_of: {} would keep nothing; use more than 0", name);
  }
  if (options.keep <= 0) throw InputError("compress.keep: nothing would stay; use more than 0");
  if (options.target_ratio > 0 && options.target_ratio <= 1) {
    throw InputError("compress.target_ratio: {} times fewer weights is no fewer; use more than 1",
                     options.target_ratio);
  }
  if (options.target_ratio > 0 && options.target_loss > 0) {
    throw InputError(
        "compress.target_loss: chooses the shares, and so does compress.target_ratio; set one of "
        "them to 0");
  }
  if (options.keep < 1 && (options.target_ratio > 0 || options.target_loss > 0)) {
    throw InputError(
        "compress.keep: the shares are chosen by compress.{}; leave it at 1, or set that to 0",
        options.target_ratio > 0 ? "target_ratio" : "target_loss");
  }
  const CrossbarOptions& crossbar = options.crossbar;
  if (crossbar.stuck_low + crossbar.stuck_high > 1) {
    throw InputError("compress.crossbar: stuck_low and stuck_high are {} together, more than 1",
                     crossbar.stuck_low + crossbar.stuck_high);
  }
}

std::size_t find_weight(const std::vector<CompressibleWeight>& weights, const std::string& name,
                        const std::string& option) {
  for (std::size_t w = 0; w < weights.size(); ++w) {
    if (weights[w].name == name) return w;
  }
  throw InputError("{}: no weight is called {}{}", option, name, known_weights(name, weights));
}

/// Lines that go of each weight: rows, columns.
struct LinesGone {
  std::int64_t rows = 0, columns = 0;
};

template <class Weights>
std::vector<std::int64_t> without_units(const Weights& weights,
                                        const std::vector<std::int64_t>& inputs,
                                        const std::vector<std::int64_t>& outputs,
                                        std::vector<std::int64_t> removed) {
  std::map<std::string, std::int64_t> fewest;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    const auto [found, first] = fewest.emplace(weights[w].tied, removed[w]);
    if (!first) found->second = std::min(found->second, removed[w]);
  }
  for (std::size_t w = 0; w < weights.size(); ++w) {
    if (!weights[w].tied.empty()) removed[w] = fewest.at(weights[w].tied);
  }
  std::map<std::string, LinesGone> gone;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    gone[weights[w].name].columns += removed[w];
    for (const UnitReader& reader : weights[w].readers) {
      LinesGone& lines = gone[reader.name];
      (reader.rows ? lines.rows : lines.columns) += removed[w] * reader.lines;
    }
  }
  std::vector<std::int64_t> left;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    const LinesGone& lines = gone[weights[w].name];
    left.push_back(std::max<std::int64_t>(inputs[w] - lines.rows, 0) *
                   std::max<std::int64_t>(outputs[w] - lines.columns, 0));
  }
  return left;
}

}  // namespace

std::string known_weights(const std::string& name, const std::vector<CompressibleWeight>& weights) {
  std::vector<std::string> names;
  for (const CompressibleWeight& weight : weights) {
    if (weight.name.ends_with("." + name)) return fmt::format("; did you mean {}?", weight.name);
    names.push_back(weight.name);
  }
  const std::string near = did_you_mean(name, names);
  return near.empty() ? "; `limber compress --list` shows all" : near;
}

std::vector<std::int64_t> elements_without_units(const std::vector<CompressibleWeight>& weights,
                                                 const std::vector<std::int64_t>& removed) {
  std::vector<std::int64_t> inputs, outputs;
  for (const CompressibleWeight& weight : weights) {
    inputs.push_back(weight.matrix.size(0));
    outputs.push_back(weight.matrix.size(1));
  }
  return without_units(weights, inputs, outputs, removed);
}

Budget::Budget(const std::vector<CompressibleWeight>& weights, const CompressOptions& options)
    : units_(options.structure == "units"),
      noun_(units_                          ? "unit"
            : options.structure == "blocks" ? "tile"
                                            : "line") {
  const bool prunes = options.keep < 1 || !options.keep_of.empty() || options.target_ratio > 0 ||
                      options.target_loss > 0;
  check_options(options);
  for (const CompressibleWeight& weight : weights) {
    weights_.push_back({weight.name, weight.matrix.size(0), weight.matrix.size(1), weight.readers,
                        weight.tied, false, -1});
    elements_ += weight.matrix.numel();
    weights_.back().selected = options.layers.empty() && weight.hidden;
    // Where units go, hidden layers whose units are summed with those of others keep theirs.
    if (units_ && !weight.removable) weights_.back().own_share = 1;
  }
  for (const std::string& name : options.layers) {
    Weight& weight = weights_[find_weight(weights, name, "compress.layers")];
    weight.selected = true;
    weight.own_share = -1;
  }
  for (const auto& [name, share] : options.keep_of) {
    Weight& weight = weights_[find_weight(weights, name, "compress.keep_of")];
    if (!weight.selected) {
      throw InputError(
          "compress.keep_of: {} is not among the weights that are compressed; name it "
          "in compress.layers",
          name);
    }
    weight.own_share = share;
  }
  for (std::size_t w = 0; w < weights_.size(); ++w) {
    if (!weights_[w].selected) continue;
    selected_.push_back(w);
    if (units_ && prunes && !weights[w].removable && weights_[w].own_share != 1) {
      throw InputError(
          "compress.layers: the units of {} cannot be removed; choose another compress.structure",
          weights_[w].name);
    }
    const bool with_bias = units_ && weights[w].bias.defined();
    groups_.emplace(
        w, PruningGroups(options.structure, options.block, weights_[w].inputs + (with_bias ? 1 : 0),
                         weights_[w].outputs));
  }
  if (selected_.empty()) {
    throw InputError(
        "compress.layers: the network has no hidden layer; name weights that `limber compress "
        "--list` shows");
  }
  const bool chosen = options.target_ratio > 0 || options.target_loss > 0;
  if (prunes && !chosen && most_left(options.keep) == elements_) {
    throw InputError(
        "compress.keep: {:g} takes nothing away: every layer has too few {}s for that share, or "
        "shares its width with one that keeps it",
        options.keep, noun_);
  }
}

std::vector<double> Budget::shares(double share) const {
  std::vector<double> shares;
  for (const Weight& weight : weights_) {
    shares.push_back(!weight.selected ? 1 : weight.own_share >= 0 ? weight.own_share : share);
  }
  return shares;
}

std::vector<std::int64_t> Budget::left_by_weight(double share) const {
  const std::vector<double> by_weight = shares(share);
  std::vector<std::int64_t> inputs, outputs, removed(weights_.size(), 0);
  for (std::size_t w = 0; w < weights_.size(); ++w) {
    inputs.push_back(weights_[w].inputs);
    outputs.push_back(weights_[w].outputs);
  }
  if (units_) {
    for (const std::size_t w : selected_) {
      const PruningGroups& groups = groups_.at(w);
      if (by_weight[w] < 1) removed[w] = groups.groups() - groups.kept_groups(by_weight[w]);
    }
    return without_units(weights_, inputs, outputs, removed);
  }
  std::vector<std::int64_t> left = without_units(weights_, inputs, outputs, removed);
  for (const std::size_t w : selected_) {
    if (by_weight[w] < 1) left[w] = groups_.at(w).kept_elements(by_weight[w]);
  }
  return left;
}

std::int64_t Budget::most_left(double share) const {
  std::int64_t sum = 0;
  for (const std::int64_t left : left_by_weight(share)) sum += left;
  return sum;
}

double Budget::highest_ratio() const {
  return static_cast<double>(elements_) /
         static_cast<double>(std::max<std::int64_t>(most_left(0), 1));
}

double Budget::share_for(double ratio) const {
  const auto fits = [&](double share) {
    return static_cast<double>(most_left(share)) * ratio <= static_cast<double>(elements_);
  };
  if (fits(1)) return 1;
  if (!fits(0)) refuse(ratio);
  double low = 0, high = 1;
  // Shares differ where a rounded number of groups does: far fewer than 2^40 steps.
  for (int turn = 0; turn < 40; ++turn) {
    const double middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

void Budget::refuse(double ratio) const {
  const std::vector<std::int64_t> left = left_by_weight(0);
  const auto most =
      static_cast<std::size_t>(std::max_element(left.begin(), left.end()) - left.begin());
  const Weight& weight = weights_[most];
  std::string why;
  if (!weight.selected) {
    why = fmt::format(
        "{} is not among compress.layers: {} (name it there, in another compress.structure where "
        "its units cannot be removed)",
        weight.name, counted(left[most], "weight"));
  } else {
    const PruningGroups& groups = groups_.at(most);
    const double share = weight.own_share >= 0 ? weight.own_share : 0;
    why = fmt::format("{} keeps at least {} of {}, {}", weight.name, groups.kept_groups(share),
                      counted(groups.groups(), noun_), counted(left[most], "weight"));
  }
  throw InputError(
      "compress.target_ratio: {:g} times fewer weights cannot be met: {}; {:.4g} times fewer is "
      "the most",
      ratio, why, highest_ratio());
}

}  // namespace limber
