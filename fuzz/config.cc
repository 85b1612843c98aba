/// Configs: YAML behind lines of "--set KEY=VALUE". A config that is taken must come back through
/// JSON, in which a model keeps it, and through YAML, in which it is written.
#include "limber/core/config/config.h"

#include <vector>

#include "fuzz/target.h"

namespace limber::fuzz {
namespace {

constexpr std::string_view kSetting = "--set ";

/// Takes the settings away from the front of `text`.
std::vector<std::string> take_settings(std::string& text) {
  std::vector<std::string> settings;
  while (text.starts_with(kSetting)) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    settings.push_back(text.substr(kSetting.size(), end - kSetting.size()));
    text.erase(0, std::min(end + 1, text.size()));
  }
  return settings;
}

void check_round_trips(const Config& config) {
  const nlohmann::json json = config_to_json(config);
  expect(config_to_json(config_from_json(nlohmann::json::parse(json.dump()), "json")) == json,
         "a config comes back through JSON", json.dump());
  const std::string yaml = config_to_yaml(config);
  expect(config_to_json(parse_config(yaml, "yaml")) == json, "a config comes back through YAML",
         yaml);
}

}  // namespace
}  // namespace limber::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace limber::fuzz;
  std::string text = text_of(data, size);
  const std::vector<std::string> settings = take_settings(text);
  limber::Config config;
  if (accepts([&] { config = limber::parse_config(text, "config.yaml", settings, "/data"); })) {
    check_round_trips(config);
  }
  return 0;
}
