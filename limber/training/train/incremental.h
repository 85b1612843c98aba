#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "limber/training/train/fisher.h"
#include "limber/training/train/hold.h"
#include "limber/training/train/publish.h"

namespace limber {

/// A published model that training goes on from.
struct EarlierModel {
  std::string label;  ///< NAME/VERSION
  std::string id;     ///< and when it was published: another one may take its place
  LoadedModel loaded;
  NamedTensors fisher;                      ///< empty where it was published without
  double examples = 0;                      ///< that the Fisher information is the mean of
  std::vector<LastLayerState> last_layers;  ///< by label; or none

  NamedTensors weights() const;
};

/// What `train --from` starts from: the latest model of a line, and the one that the line began
/// with. The first model is not loaded where it has no say: no cold weight, no hold, or the line
/// has but one model.
struct Line {
  EarlierModel latest;
  std::optional<EarlierModel> cold;
  std::string cold_label;
};

/// `from` is models/NAME or models/NAME/VERSION; the line's first model is looked for beside it,
/// then in `models_folder`. Throws InputError that names the remedy: options that the weights'
/// shapes depend on differ from the model's, no Fisher information to hold to, or the first model
/// is gone.
Line open_line(const std::filesystem::path& from, const std::filesystem::path& models_folder,
               const Config& config);

/// Of a compressed version: the one that was trained, as far as the manifest tells. Nothing: it is
/// not compressed.
std::optional<std::string> compressed_origin(const Artifact& artifact);

/// The model that training starts with: the weighted mean of the line's first and latest weights,
/// w = c w_0 + (1 - c) w_{t-1} with c the cold weight. `dataset` was built with the latest model's
/// encoders, grown: rows of new ids start as in a new model, those that an id which is gone had
/// before (max_values) among them. Where the first model has another id in a row, the latest's
/// counts alone.
RankingModel grow_model(const Line& line, const Config& config, const Dataset& dataset,
                        torch::Device device);

/// Holds that model to both, as the options say (docs/incremental.md). Each term counts as the
/// rows behind it do beside the rows of `dataset`, so that with strength 1 and no cold weight the
/// hold is what Laplace's approximation says of the earlier rows. A table's row that has another id
/// now is free.
Hold make_hold(const Line& line, const Config& config, const Dataset& dataset,
               const RankingModel& model);

/// What the published model's Fisher information becomes: that of the new rows, and what the hold
/// says of the earlier ones, but no more than that was (strength above 1 must not pile up).
void add_earlier(Fisher& fisher, const Hold& hold, const Config& config, const RankingModel& model);

/// How many ids each dictionary has gained, in rows of their own or in those of ids that are gone,
/// by feature; only those that have.
std::vector<std::pair<std::string, std::int64_t>> new_ids(const Line& line, const Dataset& dataset);

}  // namespace limber
