#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/data/generator.h"

namespace limber {

struct InitArguments {
  std::vector<std::string> data;
  std::string output;  ///< "" = standard output
  bool force = false;  ///< `output` may exist
};
int run_init(const InitArguments& arguments);

struct GenerateArguments {
  GeneratorOptions options;
  std::string folder;
};
int run_generate(const GenerateArguments& arguments);

struct InspectArguments {
  std::string model;
  bool json = false;
};
int run_inspect(const InspectArguments& arguments);

}  // namespace limber
