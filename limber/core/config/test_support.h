#pragma once

#include <string>

#include "limber/core/base/error.h"

namespace limber {

/// A config that uses every kind of section; its lines are counted by tests.
inline const std::string kMoviesYaml = R"(name: movies
data:
  interactions: logs/*.parquet
  tables:
    item: {path: items.parquet, key: item_id}
  task: user_id
  time: timestamp
  labels: {like: "rating >= 4"}
features:
  - {name: item_id, kind: id, dim: 8}
  - {name: genres, kind: ids, separator: "|"}
  - {name: age, kind: number}
  - {name: history, kind: sequence, of: item_id, length: 20}
model:
  meta_block: {inputs: [item_id, age], hidden: [32]}
train:
  learning_rate: 1e-2
  warm_up: 0.2
)";

/// `text` with the first `part` replaced; fails loudly where there is none.
inline std::string replaced(std::string text, const std::string& part, const std::string& other) {
  const std::size_t place = text.find(part);
  if (place == std::string::npos) throw Error("the test's text does not hold '{}'", part);
  return text.replace(place, part.size(), other);
}

/// The message of the InputError that `run` throws; empty when it throws none.
template <class Run>
std::string input_error(Run run) {
  try {
    run();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

}  // namespace limber
