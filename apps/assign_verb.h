#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/companions/assign/read_instance.h"
#include "limber/companions/assign/solve.h"

namespace CLI {
class App;
}

namespace limber {

struct AssignArguments {
  assign::InstanceFiles files;
  assign::SolveOptions options;
  std::vector<std::string> columns;  ///< TABLE.COLUMN=NAME
  std::string measure = "assortativity";
  double trade_off = 0.5;
  int steps = 11;
  std::string output;
  bool quiet = false;
};

/// Adds `limber assign` and its options, which fill `arguments`. Returns the verb.
CLI::App* add_assign_verb(CLI::App& app, AssignArguments& arguments);
int run_assign(AssignArguments arguments);

}  // namespace limber
