#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "limber/core/config/options.h"

namespace limber {

/// Reads a YAML config, applies `settings` ("train.seed=3", "features.item_id.dim=8") and checks
/// it. Throws InputError with one line: file and line, key, what is wrong, and for an unknown key
/// the nearest valid one. A relative path in `data` is relative to the config file's folder, one in
/// `settings` to the current folder.
Config load_config(const std::filesystem::path& path, std::span<const std::string> settings = {});

/// The same from text; `origin` stands for the file's name in messages, `folder` is what the text's
/// relative paths are relative to.
Config parse_config(const std::string& yaml, const std::string& origin,
                    std::span<const std::string> settings = {},
                    const std::filesystem::path& folder = {});

/// Checks what no single option can say: duplicate feature names, inputs that name no feature,
/// `of` of a sequence, a history start without a history encoder, shares that sum to 1 or more.
void check_config(const Config& config, const std::string& origin);

/// The whole config, defaults included.
nlohmann::json config_to_json(const Config& config);
Config config_from_json(const nlohmann::json& json, const std::string& origin);
std::string config_to_yaml(const Config& config);

/// docs/options.md, whole.
std::string options_page();

/// What --help prints of the options: one line each, grouped by section.
std::string options_help();

}  // namespace limber
