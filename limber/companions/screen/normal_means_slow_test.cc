#include <gtest/gtest.h>

#include "limber/companions/screen/normal_means.h"

namespace limber::screen {
namespace {

/// The risk curve of the sparse normal means problem: at every sparsity from 0.1% to 20% the
/// mixture's loss, averaged over draws, must be below soft thresholding's (universal) and
/// James-Stein's. Below that of soft thresholding by SURE, too, but for ten or twenty signals at
/// distance 3 on both sides among 10,000: there the bound may hold those of one side, or all, for
/// zero, and the mixture's loss must not be more than a tenth larger.
TEST(NormalMeansSlow, MixtureBeatsSoftThresholdingAndJamesStein) {
  constexpr std::size_t kMeans = 10000;
  constexpr int kDraws = 10;
  for (const Signal signal : {Signal::kPoint, Signal::kTwoSided, Signal::kNormal}) {
    for (const double sparsity : {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2}) {
      double ours = 0;
      double universal = 0;
      double sure = 0;
      double stein = 0;
      for (int draw = 0; draw < kDraws; ++draw) {
        const NormalMeans drawn =
            draw_normal_means(signal, kMeans, sparsity, 100 + static_cast<std::uint64_t>(draw));
        ours += squared_error(mixture_means(drawn.z), drawn.theta) / kDraws;
        universal += squared_error(soft_universal(drawn.z), drawn.theta) / kDraws;
        sure += squared_error(soft_sure(drawn.z), drawn.theta) / kDraws;
        stein += squared_error(james_stein(drawn.z), drawn.theta) / kDraws;
      }
      const auto where = signal_name(signal) + ", " + std::to_string(sparsity);
      EXPECT_LT(ours, universal) << where;
      const bool hardly_seen = signal == Signal::kTwoSided && sparsity < 0.004;
      EXPECT_LT(ours, hardly_seen ? 1.1 * sure : sure) << where;
      EXPECT_LT(ours, stein) << where;
    }
  }
}

}  // namespace
}  // namespace limber::screen
