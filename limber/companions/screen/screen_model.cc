#include "limber/companions/screen/screen_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "limber/companions/screen/framed_file.h"
#include "limber/core/base/error.h"
#include "limber/core/base/random.h"
#include "limber/core/data/text_check.h"

namespace limber::screen {
namespace {

using nlohmann::json;

json mixture_to_json(const Mixture& mixture) {
  json atoms = json::array();
  for (const Atom& atom : mixture.atoms) {
    atoms.push_back({atom.log_weight, atom.slab, atom.mean, atom.variance, atom.features});
  }
  return {{"null_sd", mixture.null_sd},     {"concentration", mixture.concentration},
          {"zero_mass", mixture.zero_mass}, {"slab_variance", mixture.slab_variance},
          {"bound", mixture.bound},         {"passes", mixture.passes},
          {"converged", mixture.converged}, {"atoms", atoms}};
}

/// JSON knows no infinity, and writes null for it.
double finite(const json& value) {
  const double number = value.get<double>();
  if (!std::isfinite(number)) throw InputError("a number is not finite");
  return number;
}

Mixture mixture_from_json(const json& from) {
  Mixture mixture;
  mixture.null_sd = finite(from.at("null_sd"));
  mixture.concentration = finite(from.at("concentration"));
  mixture.zero_mass = finite(from.at("zero_mass"));
  mixture.slab_variance = finite(from.at("slab_variance"));
  mixture.bound = finite(from.at("bound"));
  mixture.passes = from.at("passes").get<std::int64_t>();
  mixture.converged = from.at("converged").get<bool>();
  for (const json& atom : from.at("atoms")) {
    mixture.atoms.push_back({.log_weight = finite(atom.at(0)),
                             .slab = finite(atom.at(1)),
                             .mean = finite(atom.at(2)),
                             .variance = finite(atom.at(3)),
                             .features = finite(atom.at(4))});
  }
  const auto whole = [](const Atom& atom) {
    return atom.slab >= 0 && atom.slab <= 1 && atom.variance >= 0 && atom.features >= 0;
  };
  if (mixture.atoms.empty() || mixture.atoms.size() > kMostAtoms || !(mixture.null_sd > 0) ||
      !(mixture.slab_variance > 0) ||
      !std::all_of(mixture.atoms.begin(), mixture.atoms.end(), whole) ||
      std::none_of(mixture.atoms.begin(), mixture.atoms.end(),
                   [](const Atom& atom) { return atom.features > 0; })) {
    throw InputError("a mixture is spoilt");
  }
  return mixture;
}

/// Throws InputError unless all of `values` are finite.
void check_finite(std::span<const double> values) {
  if (!std::all_of(values.begin(), values.end(),
                   [](double value) { return std::isfinite(value); })) {
    throw InputError("a number is not finite");
  }
}

std::int64_t count_of(const json& value) {
  const auto number = value.get<std::int64_t>();
  if (number < 0) throw InputError("a count is negative");
  return number;
}

json candidates_to_json(const std::vector<Candidate>& candidates) {
  json result = json::array();
  for (const Candidate& candidate : candidates) {
    result.push_back({candidate.features, candidate.share});
  }
  return result;
}

std::vector<Candidate> candidates_from_json(const json& from) {
  std::vector<Candidate> result;
  for (const json& candidate : from) {
    result.push_back({candidate.at(0).get<std::int64_t>(), finite(candidate.at(1))});
    if (result.back().features < Candidate::kFdr || !(result.back().share > 0) ||
        result.back().share > 1) {
      throw InputError("a candidate of the tuning is spoilt");
    }
  }
  return result;
}

json estimate_to_json(const Estimate& estimate) {
  json mixtures = json::array();
  json histograms = json::array();
  for (const Mixture& mixture : estimate.mixtures) mixtures.push_back(mixture_to_json(mixture));
  for (const ZHistogram& histogram : estimate.histograms) {
    json bins = json::array();
    for (const auto& bin : histogram.bins()) bins.push_back({bin.z, bin.features});
    histograms.push_back(bins);
  }
  return {
      {"prior_degrees", std::isinf(estimate.prior.degrees) ? json() : json(estimate.prior.degrees)},
      {"prior_variance", estimate.prior.variance},
      {"features", estimate.features},
      {"constant", estimate.constant},
      {"too_few", estimate.too_few},
      {"mixtures", mixtures},
      {"histograms", histograms}};
}

Estimate estimate_from_json(const json& from, std::size_t directions) {
  Estimate estimate;
  // Before anything is built: a histogram is large even where it is empty.
  if (from.at("mixtures").size() != directions || from.at("histograms").size() != directions) {
    throw InputError("it has another number of mixtures or histograms than of directions");
  }
  const json& degrees = from.at("prior_degrees");
  estimate.prior.degrees =
      degrees.is_null() ? std::numeric_limits<double>::infinity() : finite(degrees);
  estimate.prior.variance = finite(from.at("prior_variance"));
  estimate.features = count_of(from.at("features"));
  estimate.constant = count_of(from.at("constant"));
  estimate.too_few = count_of(from.at("too_few"));
  constexpr std::int64_t kMostFeatures = std::int64_t{1} << 48;
  if (estimate.prior.degrees < 0 || (!degrees.is_null() && estimate.prior.degrees > 1e12) ||
      !(estimate.prior.variance > 0) || estimate.features > kMostFeatures ||
      estimate.constant > estimate.features || estimate.too_few > estimate.features ||
      estimate.usable() < 1) {
    throw InputError("its estimate is spoilt");
  }
  for (const json& mixture : from.at("mixtures")) {
    estimate.mixtures.push_back(mixture_from_json(mixture));
  }
  for (const json& bins : from.at("histograms")) {
    ZHistogram& histogram = estimate.histograms.emplace_back();
    for (const json& bin : bins) {
      const std::int64_t features = count_of(bin.at(1));
      if (features > estimate.usable() - histogram.features()) {
        throw InputError("a histogram holds more features than the model");
      }
      histogram.add(finite(bin.at(0)), features);
    }
    if (histogram.features() != estimate.usable()) {
      throw InputError("a histogram holds fewer features than the model");
    }
  }
  return estimate;
}

/// What both a model to be written and one that was read must be. Throws InputError.
void check_numbers(const ScreenModel& model) {
  for (const auto* values :
       {&model.intercepts, &model.priors, &model.centers, &model.scales, &model.weights,
        &model.offsets, &model.effects, &model.zs, &model.zeros, &model.tuning.divisors}) {
    check_finite(*values);
  }
  const auto positive = [](double value) { return value > 0; };
  const auto count_positive = [](std::int64_t value) { return value > 0; };
  if (!std::all_of(model.scales.begin(), model.scales.end(), positive) ||
      !std::all_of(model.priors.begin(), model.priors.end(), positive) ||
      !std::all_of(model.tuning.divisors.begin(), model.tuning.divisors.end(), positive) ||
      !std::all_of(model.class_samples.begin(), model.class_samples.end(), count_positive)) {
    throw InputError("a scale, a share or a count is not above 0");
  }
  if (!(model.tuning.sharpness > 0) || !std::isfinite(model.tuning.sharpness)) {
    throw InputError("the sharpness of its probabilities is not above 0");
  }
  if (!(model.fdr >= 0 && model.fdr <= 1)) throw InputError("its false-discovery rate is spoilt");
}

}  // namespace

void NameFingerprint::add(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a, then mixed: sums of raw ones cancel
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3ULL;
  }
  sum_ += mix64(hash);
}

std::string_view rule_name(RuleKind kind) {
  if (kind == RuleKind::kTwoClasses) return "two-classes";
  return kind == RuleKind::kJoint ? "joint" : "one-versus-rest";
}

RuleKind rule_kind_of(const std::string& word) {
  if (word == "joint") return RuleKind::kJoint;
  if (word == "one-versus-rest") return RuleKind::kOneVersusRest;
  throw InputError("multiclass '{}': expected joint or one-versus-rest", word);
}

std::string size_name(std::int64_t features) {
  if (features == Candidate::kAll) return "all";
  if (features == Candidate::kFdr) return "fdr";
  return std::to_string(features);
}

void save_model(const ScreenModel& model, const std::filesystem::path& path) {
  try {
    check_numbers(model);
  } catch (const InputError& error) {
    throw Error("{}: the model cannot be written: {}", path.string(), error.what());
  }
  FramedWriter writer(path, kModelKind, kModelVersion);
  std::string text;
  std::vector<std::uint64_t> ends;
  for (const std::string& name : model.names) {
    text += name;
    ends.push_back(text.size());
  }
  writer.section(std::span<const char>(text));
  writer.section(std::span<const std::uint64_t>(ends));
  for (const auto* values : {&model.centers, &model.scales, &model.weights, &model.offsets,
                             &model.effects, &model.zs, &model.zeros}) {
    writer.section(std::span<const double>(*values));
  }
  writer.finish({{"classes", model.classes},
                 {"class_samples", model.class_samples},
                 {"rule", rule_name(model.kind)},
                 {"transform", to_json(model.transform)},
                 {"intercepts", model.intercepts},
                 {"priors", model.priors},
                 {"fdr", model.fdr},
                 {"selected", model.selected},
                 {"fingerprint", model.fingerprint},
                 {"tuned", model.tuned},
                 {"tuning",
                  {{"candidates", candidates_to_json(model.tuning.candidates)},
                   {"divisors", model.tuning.divisors},
                   {"sharpness", model.tuning.sharpness},
                   {"error", model.tuning.error},
                   {"tried", candidates_to_json(model.tuning.tried)},
                   {"wrong", model.tuning.wrong},
                   {"samples", model.tuning.samples}}},
                 {"estimate", estimate_to_json(model.estimate)}});
}

ScreenModel load_model(const std::filesystem::path& path) {
  const FramedReader file(path, kModelKind, kModelVersion);
  ScreenModel model;
  try {
    const json& header = file.header();
    model.classes = header.at("classes").get<std::vector<std::string>>();
    model.class_samples = header.at("class_samples").get<std::vector<std::int64_t>>();
    const std::string rule = header.at("rule").get<std::string>();
    model.kind = rule == "two-classes" ? RuleKind::kTwoClasses : rule_kind_of(rule);
    model.transform = transform_from_json(header.at("transform"));
    model.intercepts = header.at("intercepts").get<std::vector<double>>();
    model.priors = header.at("priors").get<std::vector<double>>();
    model.fdr = finite(header.at("fdr"));
    model.selected = count_of(header.at("selected"));
    model.fingerprint = header.at("fingerprint").get<std::uint64_t>();
    model.tuned = header.at("tuned").get<bool>();
    const json& tuning = header.at("tuning");
    model.tuning.candidates = candidates_from_json(tuning.at("candidates"));
    model.tuning.divisors = tuning.at("divisors").get<std::vector<double>>();
    model.tuning.sharpness = finite(tuning.at("sharpness"));
    model.tuning.error = finite(tuning.at("error"));
    model.tuning.tried = candidates_from_json(tuning.at("tried"));
    model.tuning.wrong = tuning.at("wrong").get<std::vector<std::int64_t>>();
    model.tuning.samples = count_of(tuning.at("samples"));
    constexpr std::size_t kMostClasses = 100;
    if (model.classes.size() < 2 || model.classes.size() > kMostClasses) {
      throw InputError("it has too few or too many classes");
    }
    const std::size_t directions = model.classes.size() == 2 ? 1 : model.classes.size();
    model.estimate = estimate_from_json(header.at("estimate"), directions);
  } catch (const json::exception&) {
    file.damaged("its header is spoilt");
  } catch (const InputError& error) {
    file.damaged(error.what());
  }
  const std::size_t directions = model.classes.size() == 2 ? 1 : model.classes.size();
  if (model.class_samples.size() != model.classes.size() ||
      model.priors.size() != model.classes.size() ||
      (model.kind == RuleKind::kTwoClasses) != (directions == 1) ||
      model.intercepts.size() != directions || model.tuning.candidates.empty() ||
      model.tuning.divisors.size() != model.tuning.candidates.size() ||
      model.tuning.wrong.size() != model.tuning.tried.size()) {
    file.damaged("the parts of its header do not fit together");
  }
  const auto text = file.section<char>(0);
  const std::string_view text_view(text.data(), text.size());
  const auto ends = file.section<std::uint64_t>(1);
  std::uint64_t begin = 0;
  std::unordered_set<std::string_view> seen;
  for (const std::uint64_t end : ends) {
    if (end < begin || end > text.size()) file.damaged("a name lies outside");
    model.names.emplace_back(text.data() + begin, end - begin);
    if (!is_utf8(model.names.back())) file.damaged("a name is not UTF-8");
    if (!seen.insert(text_view.substr(begin, end - begin)).second) {
      file.damaged("it has a feature twice");
    }
    begin = end;
  }
  std::size_t section = 2;
  for (auto* values : {&model.centers, &model.scales, &model.weights, &model.offsets,
                       &model.effects, &model.zs, &model.zeros}) {
    const auto stored = file.section<double>(section);
    const std::size_t expected = model.names.size() * (section < 4 ? 1 : directions);
    if (stored.size() != expected) file.damaged("its arrays differ in size");
    values->assign(stored.begin(), stored.end());
    ++section;
  }
  try {
    check_numbers(model);
  } catch (const InputError& error) {
    file.damaged(error.what());
  }
  return model;
}

}  // namespace limber::screen
