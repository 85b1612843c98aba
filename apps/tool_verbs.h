#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace limber {

struct InitArguments {
  std::vector<std::string> data;
  std::string output;  ///< "" = standard output
  bool force = false;  ///< `output` may exist
};
int run_init(const InitArguments& arguments);

struct GenerateArguments {
  std::string folder;
  std::string kind = "log";  ///< or "ads"
  std::int64_t rows = 100000;
  std::optional<std::int64_t> members;
  std::optional<std::int64_t> items;  ///< log only
  std::optional<double> rate;         ///< ads only
  bool with_truth = false;            ///< ads only
  bool with_dwell = false;            ///< log only
  std::uint64_t seed = 1;
  std::string format = "parquet";
};
int run_generate(const GenerateArguments& arguments);

struct InspectArguments {
  std::string model;
  bool json = false;
};
int run_inspect(const InspectArguments& arguments);

}  // namespace limber
