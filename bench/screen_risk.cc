// The risk curve of the sparse normal means problem as JSON; bench/screen.py prints it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "limber/companions/screen/normal_means.h"

int main() {
  using namespace limber::screen;
  constexpr std::size_t kMeans = 10000;
  constexpr int kDraws = 20;
  nlohmann::json rows = nlohmann::json::array();
  for (const Signal signal : {Signal::kPoint, Signal::kTwoSided, Signal::kNormal}) {
    for (const double sparsity : {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2}) {
      nlohmann::json row{{"signal", signal_name(signal)}, {"sparsity", sparsity}};
      for (int draw = 0; draw < kDraws; ++draw) {
        const NormalMeans drawn =
            draw_normal_means(signal, kMeans, sparsity, 1000 + static_cast<std::uint64_t>(draw));
        const auto add = [&](const char* name, const std::vector<double>& estimate) {
          row[name] = row.value(name, 0.0) + squared_error(estimate, drawn.theta) / kDraws;
        };
        add("mixture", mixture_means(drawn.z));
        add("soft_universal", soft_universal(drawn.z));
        add("soft_sure", soft_sure(drawn.z));
        add("soft_oracle", soft_oracle(drawn.z, drawn.theta));
        add("james_stein", james_stein(drawn.z));
      }
      rows.push_back(row);
    }
  }
  fmt::print("{}\n", rows.dump());
  return 0;
}
