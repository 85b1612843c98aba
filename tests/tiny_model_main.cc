// Publishes the tiny model of limber/serving/ranker/tiny_model_for_test.h for
// embed_example_test.py.
#include <fmt/format.h>

#include "limber/core/base/main.h"
#include "limber/serving/ranker/tiny_model_for_test.h"

int main(int argc, char** argv) {
  return limber::run_main(argc, argv, [](int count, char** words) {
    if (count != 2) throw limber::InputError("usage: tiny_model_main FOLDER");
    fmt::print("{}\n", limber::TinyModel::publish(words[1]).string());
    return 0;
  });
}
