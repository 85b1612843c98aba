#include "limber/companions/screen/screen_model.h"

#include <cmath>
#include <limits>

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
  if (mixture.atoms.empty() || mixture.atoms.size() > kMostAtoms || !(mixture.null_sd > 0)) {
    throw InputError("a mixture is spoilt");
  }
  return mixture;
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

Estimate estimate_from_json(const json& from) {
  Estimate estimate;
  const json& degrees = from.at("prior_degrees");
  estimate.prior.degrees =
      degrees.is_null() ? std::numeric_limits<double>::infinity() : degrees.get<double>();
  estimate.prior.variance = finite(from.at("prior_variance"));
  estimate.features = from.at("features").get<std::int64_t>();
  estimate.constant = from.at("constant").get<std::int64_t>();
  estimate.too_few = from.at("too_few").get<std::int64_t>();
  for (const json& mixture : from.at("mixtures")) {
    estimate.mixtures.push_back(mixture_from_json(mixture));
  }
  for (const json& bins : from.at("histograms")) {
    ZHistogram& histogram = estimate.histograms.emplace_back();
    for (const json& bin : bins) {
      histogram.add(finite(bin.at(0)), bin.at(1).get<std::int64_t>());
    }
  }
  return estimate;
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
  FramedWriter writer(path, kModelKind, kModelVersion);
  std::string text;
  std::vector<std::uint64_t> ends;
  for (const std::string& name : model.names) {
    text += name;
    ends.push_back(text.size());
  }
  writer.section(std::span<const char>(text));
  writer.section(std::span<const std::uint64_t>(ends));
  for (const auto* values :
       {&model.centers, &model.scales, &model.weights, &model.effects, &model.zs, &model.zeros}) {
    writer.section(std::span<const double>(*values));
  }
  writer.finish({{"classes", model.classes},
                 {"class_samples", model.class_samples},
                 {"rule", rule_name(model.kind)},
                 {"transform", to_json(model.transform)},
                 {"intercepts", model.intercepts},
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
    model.fdr = finite(header.at("fdr"));
    model.selected = header.at("selected").get<std::int64_t>();
    model.fingerprint = header.at("fingerprint").get<std::uint64_t>();
    model.tuned = header.at("tuned").get<bool>();
    const json& tuning = header.at("tuning");
    model.tuning.candidates = candidates_from_json(tuning.at("candidates"));
    model.tuning.divisors = tuning.at("divisors").get<std::vector<double>>();
    model.tuning.sharpness = finite(tuning.at("sharpness"));
    model.tuning.error = finite(tuning.at("error"));
    model.tuning.tried = candidates_from_json(tuning.at("tried"));
    model.tuning.wrong = tuning.at("wrong").get<std::vector<std::int64_t>>();
    model.tuning.samples = tuning.at("samples").get<std::int64_t>();
    model.estimate = estimate_from_json(header.at("estimate"));
  } catch (const json::exception&) {
    file.damaged("its header is spoilt");
  } catch (const InputError& error) {
    file.damaged(error.what());
  }
  const std::size_t directions = model.classes.size() == 2 ? 1 : model.classes.size();
  if (model.classes.size() < 2 || model.class_samples.size() != model.classes.size() ||
      (model.kind == RuleKind::kTwoClasses) != (directions == 1) ||
      model.intercepts.size() != directions || model.estimate.mixtures.size() != directions ||
      model.estimate.histograms.size() != directions ||
      model.tuning.wrong.size() != model.tuning.tried.size()) {
    file.damaged("the parts of its header do not fit together");
  }
  const auto text = file.section<char>(0);
  const auto ends = file.section<std::uint64_t>(1);
  std::uint64_t begin = 0;
  for (const std::uint64_t end : ends) {
    if (end < begin || end > text.size()) file.damaged("a name lies outside");
    model.names.emplace_back(text.data() + begin, end - begin);
    if (!is_utf8(model.names.back())) file.damaged("a name is not UTF-8");
    begin = end;
  }
  std::size_t section = 2;
  for (auto* values :
       {&model.centers, &model.scales, &model.weights, &model.effects, &model.zs, &model.zeros}) {
    const auto stored = file.section<double>(section);
    const std::size_t expected = model.names.size() * (section < 4 ? 1 : directions);
    if (stored.size() != expected) file.damaged("its arrays differ in size");
    values->assign(stored.begin(), stored.end());
    ++section;
  }
  return model;
}

}  // namespace limber::screen
