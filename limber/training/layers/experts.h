#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/training/layers/dense.h"

namespace limber {

/// How several labels share the layers above the common ones (LiRank, arXiv 2402.06859, section
/// 3.6): hard groups, MMoE (Ma et al. 2018) or one level of PLE (Tang et al. 2020). With experts
/// f_e, each an Mlp, and for each group g of labels a linear gate over the experts V_g that it
/// sees,
///
///     z_g = sum over e in V_g of softmax(h W_g + b_g)_e f_e(h),    logits_g = z_g H_g + c_g.
///
/// MMoE: every group sees all experts. PLE: the shared ones and its own. groups: each group its own
/// expert alone, so that there is nothing to mix.
class ExpertsImpl : public torch::nn::Module {
 public:
  /// `labels`: the names in the order of the logits.
  ExpertsImpl(std::int64_t in, const std::vector<std::string>& labels, const ExpertOptions& options,
              const std::string& activation, double dropout, torch::TensorOptions tensor);
  /// h [rows, in] -> logits [rows, labels]. `last`, if given, gets by label what its last layer
  /// reads: z_g of its group [rows, out].
  torch::Tensor forward(const torch::Tensor& h, std::vector<torch::Tensor>* last = nullptr);
  /// The last layer of a label: its column of H_g, then its element of c_g [out + 1].
  torch::Tensor last_layer(std::int64_t label) const;

 private:
  std::vector<Mlp> experts_;
  std::vector<std::vector<std::int64_t>> labels_;   ///< by group: its labels
  std::vector<std::vector<std::int64_t>> visible_;  ///< by group: its experts
  std::vector<Dense> gates_, heads_;                ///< by group; no gates for kind groups
  torch::Tensor order_;  ///< [labels]: where each label stands among the groups' logits
};
TORCH_MODULE(Experts);

}  // namespace limber
