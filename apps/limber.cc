// The launcher: finds the program of a verb beside itself and becomes it, so that a user types one
// name and a machine that only serves need not carry LibTorch.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/base/nearest_word.h"

namespace {

struct Verb {
  std::string_view name, program, what;
};

constexpr std::array verbs{
    Verb{"init", "limber-tools", "write a starter config from data"},
    Verb{"train", "limber-train", "train, evaluate and publish a model; resumes after a kill"},
    Verb{"evaluate", "limber-train", "test metrics and an HTML report of a published model"},
    Verb{"compress", "limber-train", "the model in fewer bytes, and what that costs; resumes"},
    Verb{"report", "limber-train", "several models' metrics in one table and one HTML page"},
    Verb{"export", "limber-train",
         "the rows that a config trains on and is tested on, for other learners"},
    Verb{"adapt", "limber-serve", "interactions -> meta embeddings, into a file or a store"},
    Verb{"predict", "limber-serve", "scores of the rows of a file"},
    Verb{"plan", "limber-serve",
         "a model and its log -> machines, memory and disk for many members"},
    Verb{"popularity", "limber-serve", "recent interactions -> what each item adds, published"},
    Verb{"serve", "limber-serve", "the server: ranks, learns from every click"},
    Verb{"inspect", "limber-tools", "what is inside a published model"},
    Verb{"generate", "limber-tools", "synthetic data with known preferences"},
    Verb{"assign", "limber-tools", "candidates to open positions: fitness and diversity together"},
    Verb{"screen", "limber-tools", "few features out of very many that tell classes apart"},
    Verb{"options", "limber-tools", "every option of the config"},
};

void print_help() {
  fmt::print("Limber: ranking that adapts to each person.\n\nusage: limber VERB ...\n\n");
  for (const Verb& verb : verbs) fmt::print("  {:<10} {}\n", verb.name, verb.what);
  fmt::print(
      "\n`limber VERB --help` explains each. First steps:\n"
      "  limber init logs/ -o config.yaml\n  limber train config.yaml\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "--help";
  if (word == "--help" || word == "-h" || word == "help") {
    print_help();
    return 0;
  }
  if (word == "--version" || word == "version") {
    fmt::print("limber {}\n", LIMBER_VERSION);
    return 0;
  }
  for (const Verb& verb : verbs) {
    if (verb.name != word) continue;
    std::error_code code;
    // OpenMP's threads spin while they wait, which stalls training as soon as another program wants
    // a core; asleep they cost next to nothing. Who knows better sets it otherwise.
    ::setenv("OMP_WAIT_POLICY", "passive", 0);
    const auto here = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
    const std::string program = (here / verb.program).string();
    ::execv(program.c_str(), argv);
    fmt::print(stderr, "error: {}: cannot be started: {} (build it, or install it beside limber)\n",
               program, std::strerror(errno));
    return 1;
  }
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.emplace_back(verb.name);
  fmt::print(stderr, "error: '{}' is no verb; `limber --help` lists them{}\n", word,
             limber::did_you_mean(word, names));
  return 2;
}
