#include "limber/training/compress/compress_state.h"

#include <limits>

#include "limber/core/artifact/checksum.h"
#include "limber/core/config/config.h"

namespace limber {
namespace {

using Quality = CompressibleNetwork::Quality;

/// JSON has no numbers that are not finite; null stands for them.
nlohmann::json quality_json(const Quality& quality) {
  return {{"loss", quality.loss}, {"metric", quality.metric}};
}

Quality quality_of(const nlohmann::json& json) {
  const auto number = [](const nlohmann::json& value) {
    return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
  };
  return {number(json.at("loss")), number(json.at("metric"))};
}

}  // namespace

nlohmann::json to_json(const CompressState& state) {
  return {
      {"phase", state.phase},
      {"epoch", state.epoch},
      {"step", state.step},
      {"share", state.share},
      {"rho", state.rho},
      {"search",
       {{"trials", state.search.trials}, {"low", state.search.low}, {"high", state.search.high}}},
      {"before", quality_json(state.before)},
      {"best", quality_json(state.best)},
      {"best_epoch", state.best_epoch}};
}

CompressState compress_state_of(const nlohmann::json& json) {
  CompressState state;
  state.phase = json.at("phase");
  state.epoch = json.at("epoch");
  state.step = json.at("step");
  state.share = json.at("share");
  state.rho = json.at("rho");
  const nlohmann::json& search = json.at("search");
  state.search = {search.at("trials"), search.at("low"), search.at("high")};
  state.before = quality_of(json.at("before"));
  state.best = quality_of(json.at("best"));
  state.best_epoch = json.at("best_epoch");
  return state;
}

std::string compression_fingerprint(CompressibleNetwork& network, const CompressOptions& options) {
  Config config;
  config.compress = options;
  config.compress.crossbar = {};
  config.compress.rows = CompressOptions().rows;
  config.compress.vocabularies = CompressOptions().vocabularies;
  Checksum checksum;
  for (const auto& [name, tensor] : network.state()) {
    const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
    checksum.add({static_cast<const std::byte*>(plain.const_data_ptr()), plain.nbytes()});
  }
  return config_to_json(config).at("compress").dump() + " steps " +
         std::to_string(network.steps_per_epoch()) + " weights " + checksum.hex() + " on " +
         network.origin();
}

}  // namespace limber
