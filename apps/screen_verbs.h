#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace limber {

/// Where the data of a screening verb are.
struct ScreenDataArguments {
  std::vector<std::string> files;
  std::string layout = "columns";
  std::string label = "label";
  std::string sample;
  std::vector<std::string> ignore;
  std::string feature;
  std::string labels;
};

/// How a rule is fitted.
struct ScreenFitArguments {
  std::string transform = "none";
  std::string normalize = "none";
  std::string null = "theoretical";
  int atoms = 20;
  double fdr = 0.05;
  std::string priors = "empirical";
  std::string multiclass = "joint";
  int tune = 5;
  std::string combine = "mean";
  std::string select = "fdr";
  double correlation = 1;
  std::uint64_t seed = 1;
  int threads = 0;
};

struct ScreenArguments {
  ScreenDataArguments data;
  ScreenFitArguments fit;
  std::string model;
  std::string output;
  std::string ranked;
  // partial, merge
  std::string shard = "1/1";
  std::vector<std::string> partials;
  // cross-validate
  int folds = 10;
  int repeats = 1;
  bool leave_one_out = false;
  std::string fold_table;
  std::string predictions;
  std::string metrics;
  // report
  std::string validation;
  int top = 100;

  std::string verb;                ///< fit, predict, ...
  std::vector<std::string> given;  ///< options that stand on the command line, e.g. "--folds"
};

/// Declares `screen` and the verbs below it on `app`; the one that is called is left in
/// `arguments.verb`.
CLI::App* add_screen_verbs(CLI::App& app, ScreenArguments& arguments);

/// Throws InputError for an option that another one makes void, rather than ignore it.
void check_screen_options(const ScreenArguments& arguments);

int run_screen(const ScreenArguments& arguments);

}  // namespace limber
