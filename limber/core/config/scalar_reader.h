#pragma once

#include <cstdint>
#include <string>

#include "limber/core/config/config_node.h"
#include "limber/core/config/constraint.h"

namespace limber {

/// Each reads one scalar into `value` and throws InputError, naming `path`, when the node has
/// another type or the value breaks the constraint. Nothing is converted: "3" in quotes is no
/// number, 1.5 no whole number, yes no truth value; but any unquoted scalar is text.
void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 std::string& value);
void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 bool& value);
void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 double& value);
void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 std::int64_t& value);
void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 std::uint64_t& value);

}  // namespace limber
