#pragma once

#include <string>
#include <vector>

#include "limber/core/artifact/artifact.h"
#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/core/explore/bayesian_last_layer.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// How well each label's last layer is known after training (LiRank, arXiv 2402.06859, explore and
/// exploit), by label; the weights are those of the layer, then its bias.
///
/// One more pass over the training rows, with members adapted as a server adapts them, finds the
/// curvature of the loss in the weights where training has left them:
///
///     A = p I + sum over rows of weight q (1 - q) s^2 [z; 1] [z; 1]',   q = sigmoid(logit)
///
/// where s is how much the calibration raises the logit there, 1 without calibration. A label's
/// absent rows say nothing. The mean stays at the trained weights: they were found on these very
/// rows with early stopping, and a mode of the last layer alone would fit them once more.
///
/// `before`: posteriors of the model that training went on from, or none; of what they knew the
/// share `explore.keep` still counts.
std::vector<LastLayerState> last_layer_posteriors(RankingModel& model, const Dataset& dataset,
                                                  const Config& config,
                                                  const std::vector<LastLayerState>& before = {});

/// Name of the tensor that holds a label's factor: L's lower triangle, row by row.
std::string last_layer_tensor(const std::string& label);

/// The posteriors that an artifact holds, by label, with the weights of `model`; none where it has
/// none. Throws InputError where one does not fit the model.
std::vector<LastLayerState> read_last_layers(const Artifact& artifact, const Config& config,
                                             const RankingModel& model);

}  // namespace limber
