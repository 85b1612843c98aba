#include "limber/core/config/config.h"

#include "limber/core/base/files.h"
#include "limber/core/config/json_nodes.h"
#include "limber/core/config/option_reader.h"
#include "limber/core/config/option_writer.h"
#include "limber/core/config/relative_paths.h"
#include "limber/core/config/settings.h"
#include "limber/core/config/yaml_reader.h"
#include "limber/core/config/yaml_writer.h"

namespace limber {
namespace {

ConfigNode write_config(const Config& config) {
  // describe hands out members that may be written to, so it needs a config of its own.
  Config copy = config;
  return write_value(copy);
}

}  // namespace

Config load_config(const std::filesystem::path& path, std::span<const std::string> settings) {
  return parse_config(read_file(path), path.string(), settings, path.parent_path());
}

Config parse_config(const std::string& yaml, const std::string& origin,
                    std::span<const std::string> settings, const std::filesystem::path& folder) {
  ConfigNode root = read_yaml(yaml, origin);
  resolve_paths(root, folder);
  for (const std::string& setting : settings) apply_setting(root, setting);
  // What is missing altogether stands on no line.
  root.where = origin;
  Config config = read_options(root);
  check_config(config, origin);
  return config;
}

nlohmann::json config_to_json(const Config& config) {
  return node_to_json(write_config(config));
}

Config config_from_json(const nlohmann::json& json, const std::string& origin) {
  Config config = read_options(node_from_json(json, origin));
  check_config(config, origin);
  return config;
}

std::string config_to_yaml(const Config& config) {
  return write_yaml(write_config(config));
}

}  // namespace limber
