#include "limber/training/train/incremental.h"

#include <algorithm>
#include <map>

#include "limber/core/base/error.h"
#include "limber/core/data/fit_vocabulary.h"
#include "limber/training/train/label_weights.h"
#include "limber/training/train/last_layer_posterior.h"
#include "limber/training/train/same_options.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

torch::Tensor copy_of(const limber::Tensor& stored) {
  const auto values = stored.values<float>();
  return torch::from_blob(const_cast<float*>(values.data()), stored.shape, torch::kFloat).clone();
}

/// A compressed model has lost what training would go on from: rows are rounded, units are gone.
void refuse_compressed(const Artifact& artifact) {
  const std::optional<std::string> origin = compressed_origin(artifact);
  if (!origin) return;
  throw InputError(
      "{}: is a compressed model, and training cannot go on from it; train from {} and compress "
      "what comes out",
      artifact.folder().string(), *origin);
}

EarlierModel open_earlier(const Artifact& artifact) {
  EarlierModel earlier;
  const fs::path folder = fs::absolute(artifact.folder()).lexically_normal();
  earlier.label = (folder.parent_path().filename() / folder.filename()).generic_string();
  earlier.id = earlier.label + " of " + artifact.contents().created;
  earlier.loaded = load_model(artifact, torch::kCPU);
  earlier.last_layers = read_last_layers(artifact, earlier.loaded.config, earlier.loaded.model);
  const nlohmann::json& window = artifact.contents().fields.data_window;
  if (!window.contains("fisher")) return earlier;
  for (const TensorEntry& entry : artifact.contents().tensors) {
    if (entry.file != kFisherFile) continue;
    earlier.fisher[entry.name.substr(std::string_view(kFisherPrefix).size())] =
        copy_of(artifact.tensor(entry.name));
  }
  const nlohmann::json& fisher = window.at("fisher");
  if (!fisher.is_object() || !fisher.contains("examples") || !fisher["examples"].is_number()) {
    throw InputError("{}: data_window.fisher: the manifest is damaged",
                     (artifact.folder() / kManifestName).string());
  }
  earlier.examples = fisher["examples"];
  return earlier;
}

void need_fisher(const EarlierModel& earlier, const std::string& remedy) {
  if (!earlier.fisher.empty()) return;
  throw InputError(
      "{}: was published without the Fisher information that its weights would be held by; train "
      "it with train.incremental.fisher_rows, or pass {}",
      earlier.label, remedy);
}

/// Throws unless the dictionaries of `cold` are the beginnings of those of `latest`. Under a cap
/// (max_values) rows may have been given to other values since.
void check_one_line(const EarlierModel& cold, const EarlierModel& latest) {
  const auto& first = cold.loaded.encoders;
  const auto& last = latest.loaded.encoders;
  bool same = first.size() == last.size();
  for (std::size_t f = 0; same && f < first.size(); ++f) {
    const FeatureEncoder &before = first[f], &after = last[f];
    same = before.table_rows() <= after.table_rows() &&
           (before.vocabulary == nullptr) == (after.vocabulary == nullptr) &&
           (before.perfect_hash == nullptr) == (after.perfect_hash == nullptr) &&
           (after.max_values > 0 || replaced_rows(before, after).empty());
    if (same && before.perfect_hash) {
      same = before.perfect_hash->to_bytes() == after.perfect_hash->to_bytes();
    }
  }
  if (same) return;
  throw InputError(
      "{}: its dictionaries are not those that {} began with; it is another model, so put the "
      "first "
      "one back or pass --set train.incremental.cold_weight=0",
      cold.label, latest.label);
}

/// By tensor: the rows of embedding tables that have another id in `dataset` than in the model.
std::map<std::string, torch::Tensor> replaced_since(const EarlierModel& earlier,
                                                    const Dataset& dataset) {
  std::map<std::string, torch::Tensor> found;
  for (std::size_t f = 0; f < dataset.encoders.size(); ++f) {
    const auto rows = replaced_rows(earlier.loaded.encoders[f], dataset.encoders[f]);
    if (rows.empty()) continue;
    found["tables." + dataset.encoders[f].name] = torch::tensor(rows, torch::kInt).to(torch::kLong);
  }
  return found;
}

/// The tensor of that name, as far as `target` takes it: a table may have grown, all else must be
/// of the same shape, or it would be spread over what it does not belong to.
const torch::Tensor& stored_for(const torch::Tensor& target, const NamedTensors& stored,
                                const std::string& name, const std::string& label) {
  const auto found = stored.find(name);
  bool fits = found != stored.end() && found->second.dim() == target.dim();
  for (std::int64_t d = 0; fits && d < target.dim(); ++d) {
    const std::int64_t theirs = found->second.size(d);
    const bool grows = d == 0 && name.starts_with("tables.");
    fits = grows ? theirs <= target.size(d) : theirs == target.size(d);
  }
  if (fits) return found->second;
  throw InputError(
      "{}: its tensor {} is missing or of another shape than the config's model has; train "
      "anew without --from",
      label, name);
}

double share_of_cold(const Line& line, const Config& config) {
  return line.cold ? config.train.incremental.cold_weight : 0;
}

}  // namespace

std::optional<std::string> compressed_origin(const Artifact& artifact) {
  const nlohmann::json& window = artifact.contents().fields.data_window;
  if (!window.is_object() || !window.contains("compressed")) return std::nullopt;
  const nlohmann::json& compressed = window["compressed"];
  if (compressed.is_object()) {
    for (const char* key : {"origin", "from"}) {
      if (compressed.contains(key) && compressed[key].is_string()) return compressed[key];
    }
  }
  return "the version that it was made of";
}

NamedTensors EarlierModel::weights() const {
  NamedTensors weights;
  for (const auto& [name, tensor] : loaded.model->dense_tensors()) weights[name] = tensor.detach();
  const EmbeddingTables& tables = loaded.model->tables;
  for (std::size_t t = 0; t < tables.weights().size(); ++t) {
    weights["tables." + tables.shapes()[t].name] = tables.weights()[t];
  }
  return weights;
}

Line open_line(const fs::path& from, const fs::path& models_folder, const Config& config) {
  const IncrementalOptions& options = config.train.incremental;
  const Artifact artifact = Artifact::open(from);
  refuse_compressed(artifact);
  Line line;
  line.latest = open_earlier(artifact);
  check_same_options(config, line.latest.loaded.config, line.latest.label);
  if (config.model.batch_norm && options.cold_weight > 0) {
    throw InputError(
        "train.incremental.cold_weight: with model.batch_norm each model of a line has its own "
        "scale of the numbers, so that the first one's weights mean nothing to the latest; set it "
        "to 0");
  }
  line.cold_label = line.latest.label;
  const nlohmann::json& window = artifact.contents().fields.data_window;
  if (window.contains("incremental") && window["incremental"].contains("cold")) {
    line.cold_label = window["incremental"]["cold"].get<std::string>();
    if (!is_inner_path(line.cold_label)) {
      throw InputError("{}: data_window.incremental: the manifest is damaged",
                       (artifact.folder() / kManifestName).string());
    }
  }
  if (options.strength == 0) return line;
  need_fisher(line.latest, "--set train.incremental.strength=0 for a plain warm start");
  if (options.cold_weight == 0 || line.cold_label == line.latest.label) return line;

  const fs::path beside =
      fs::absolute(artifact.folder()).lexically_normal().parent_path().parent_path();
  for (const fs::path& models : {beside, models_folder}) {
    if (!fs::is_directory(models / line.cold_label)) continue;
    line.cold = open_earlier(Artifact::open(models / line.cold_label));
    break;
  }
  if (!line.cold) {
    throw InputError(
        "{}: the first model of {}'s line is not in {} any more; put it back, or pass "
        "--set train.incremental.cold_weight=0",
        line.cold_label, line.latest.label, beside.string());
  }
  check_same_options(config, line.cold->loaded.config, line.cold->label);
  check_one_line(*line.cold, line.latest);
  need_fisher(*line.cold, "--set train.incremental.cold_weight=0");
  return line;
}

RankingModel grow_model(const Line& line, const Config& config, const Dataset& dataset,
                        torch::Device device) {
  const std::size_t labels = dataset.layout.labels.size();
  RankingModel model(dataset.layout, config.model, config.meta, std::vector<double>(labels, 0.5),
                     config.train.seed, torch::TensorOptions().dtype(torch::kFloat).device(device));
  const torch::NoGradGuard no_grad;
  const double cold = share_of_cold(line, config);
  const NamedTensors latest = line.latest.weights();
  const NamedTensors first = line.cold ? line.cold->weights() : NamedTensors{};
  const auto replaced = replaced_since(line.latest, dataset);
  const auto replaced_first =
      line.cold ? replaced_since(*line.cold, dataset) : std::map<std::string, torch::Tensor>{};
  const auto rows_of = [&](const std::map<std::string, torch::Tensor>& by_tensor,
                           const std::string& name) {
    const auto found = by_tensor.find(name);
    return found == by_tensor.end() ? torch::empty({0}, torch::kLong) : found->second;
  };
  const auto start = [&](const torch::Tensor& target, const std::string& name, bool mixes) {
    const torch::Tensor& after = stored_for(target, latest, name, line.latest.label);
    torch::Tensor rows = target.dim() == 0 ? target : target.narrow(0, 0, after.size(0));
    const torch::Tensor anew = rows_of(replaced, name).to(device);
    const torch::Tensor fresh = anew.numel() > 0 ? rows.index_select(0, anew) : torch::Tensor();
    rows.copy_(after);
    if (mixes && cold > 0) {
      const torch::Tensor& before = stored_for(target, first, name, line.cold->label);
      torch::Tensor both = rows.dim() == 0 ? rows : rows.narrow(0, 0, before.size(0));
      const torch::Tensor other = rows_of(replaced_first, name);
      both.mul_(1 - cold).add_(before.to(both.options()), cold);
      if (other.numel() > 0) {
        both.index_copy_(0, other.to(device), after.index_select(0, other).to(both.options()));
      }
    }
    if (anew.numel() > 0) rows.index_copy_(0, anew, fresh);
  };
  for (const auto& item : model->named_parameters()) start(item.value(), item.key(), true);
  // Rates and running averages belong to the latest weights.
  for (const auto& item : model->named_buffers()) start(item.value(), item.key(), false);
  for (std::size_t t = 0; t < model->tables.weights().size(); ++t) {
    start(model->tables.weights()[t], "tables." + model->tables.shapes()[t].name, true);
  }
  return model;
}

Hold make_hold(const Line& line, const Config& config, const Dataset& dataset,
               const RankingModel& model) {
  const IncrementalOptions& options = config.train.incremental;
  if (options.strength == 0) return {};
  const double now =
      std::max(training_examples(dataset, label_weights(config.train, model)), 1e-12);
  const double cold = share_of_cold(line, config);
  const auto term = [&](const EarlierModel& earlier, double share) {
    Hold::Term held{options.strength * share * earlier.examples / now, earlier.weights(),
                    earlier.fisher};
    for (const auto& [name, rows] : replaced_since(earlier, dataset)) {
      const auto fisher = held.fisher.find(name);
      if (fisher != held.fisher.end()) fisher->second = fisher->second.index_fill(0, rows, 0);
    }
    return held;
  };
  std::vector<Hold::Term> terms = {term(line.latest, 1 - cold)};
  if (line.cold) terms.push_back(term(*line.cold, cold));
  return Hold(model, terms);
}

void add_earlier(Fisher& fisher, const Hold& hold, const Config& config,
                 const RankingModel& model) {
  const double strength = config.train.incremental.strength;
  const double scale = strength > 1 ? 1 / strength : 1;
  for (const auto& [name, stiffness] : hold.stiffness(model)) {
    fisher.tensors.at(name).add_(stiffness, scale);
  }
}

std::vector<std::pair<std::string, std::int64_t>> new_ids(const Line& line,
                                                          const Dataset& dataset) {
  std::vector<std::pair<std::string, std::int64_t>> gained;
  for (std::size_t f = 0; f < dataset.encoders.size(); ++f) {
    const FeatureEncoder &before = line.latest.loaded.encoders[f], &after = dataset.encoders[f];
    const std::int64_t rows = after.table_rows() - before.table_rows() +
                              static_cast<std::int64_t>(replaced_rows(before, after).size());
    if (rows > 0) gained.emplace_back(dataset.encoders[f].name, rows);
  }
  return gained;
}

}  // namespace limber
