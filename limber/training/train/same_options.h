#pragma once

#include <string>

#include "limber/core/config/options.h"

namespace limber {

/// Throws InputError that names the first option in which a config differs from that of the model
/// that training is to go on from, among those that its weights depend on. `label` names the model.
void check_same_options(const Config& now, const Config& before, const std::string& label);

}  // namespace limber
