#pragma once

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <vector>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/config/config.h"
#include "limber/core/data/encoder.h"

namespace limber {

/// A published model so small that its answers are worked out by hand. Films have two tastes, f,
/// and members two numbers, e, which the inner loop moves:
///
///     logit = e . f + 0.5 (first taste of the last two films, averaged) + minutes / 100 + age / 50
///
/// Films 1 to 4 taste of (1, 0), (0, 1), (-1, 0) and (1, 1); film 5 and films that the table lacks
/// taste of nothing.
struct TinyModel {
  static constexpr double kRate = 4, kShrinkage = 1;
  static constexpr int kSteps = 2, kSupport = 3, kPast = 2;
  static constexpr std::array<std::array<double, 2>, 6> kTastes = {
      {{0, 0}, {1, 0}, {0, 1}, {-1, 0}, {1, 1}, {0, 0}}};
  static constexpr std::array<double, 6> kMinutes = {0, 90, 120, 100, 60, 80};
  static constexpr double kAge = 40;  ///< of member 7; member 8 has none

  /// Writes movies.csv and users.csv, which the model's config names by those relative paths, and
  /// publishes one more version of models/tiny. Returns the version's folder.
  static std::filesystem::path publish(const std::filesystem::path& folder);
};

inline Config tiny_config() {
  Config config;
  config.name = "tiny";
  config.data.interactions = {"ratings.csv"};
  config.data.tables = {{"movie", {"movies.csv", "movie_id"}}, {"user", {"users.csv", "user_id"}}};
  config.data.task = "user_id";
  config.data.time = "timestamp";
  config.data.labels = {{"like", "rating >= 4"}};
  const auto add = [&](const char* name, const char* kind) -> FeatureOptions& {
    FeatureOptions& feature = config.features.emplace_back();
    feature.name = name;
    feature.kind = kind;
    feature.dim = 2;
    feature.transform = "none";
    return feature;
  };
  add("movie_id", "id");
  add("minutes", "number");
  add("age", "number");
  FeatureOptions& past = add("past", "sequence");
  past.of = "movie_id";
  past.length = TinyModel::kPast;
  config.model.meta_block.inputs = {"movie_id"};
  config.model.meta_block.hidden = {};
  config.model.meta_block.dim = 2;
  config.model.meta_block.adapt = "embedding";
  config.model.global_block.cross.layers = 1;
  config.model.global_block.hidden = {};
  config.meta.inner_learning_rate = "scalar";
  config.meta.adaptation_steps = TinyModel::kSteps;
  config.meta.support = TinyModel::kSupport;
  return config;
}

inline std::vector<FeatureEncoder> tiny_encoders() {
  FeatureEncoder movie, minutes, age, past;
  movie.name = movie.column = "movie_id";
  movie.kind = FeatureKind::id;
  movie.table = "movie";
  movie.vocabulary_kind = "dictionary";
  movie.vocabulary = std::make_shared<Vocabulary>();
  for (const char* const id : {"1", "2", "3", "4"}) movie.vocabulary->add(key_of(id));
  movie.dim = 2;
  minutes.name = minutes.column = "minutes";
  minutes.table = "movie";
  age.name = age.column = "age";
  age.table = "user";
  minutes.transform = age.transform = "none";
  past.name = past.column = "past";
  past.kind = FeatureKind::sequence;
  past.of = "movie_id";
  past.length = TinyModel::kPast;
  past.dim = 2;
  return {movie, minutes, age, past};
}

inline std::filesystem::path TinyModel::publish(const std::filesystem::path& folder) {
  std::ofstream movies(folder / "movies.csv"), users(folder / "users.csv");
  movies << "movie_id,minutes\n";
  for (std::size_t m = 1; m < kMinutes.size(); ++m) movies << m << ',' << kMinutes[m] << '\n';
  users << "user_id,age\n7," << kAge << "\n8,\n";

  // Columns of the global block: e (2), past (2), taste (2), minutes, age. Its cross layer
  // multiplies e by the taste, (taste - 1) e + e, and leaves the rest as it is.
  constexpr std::int64_t kWidth = 8;
  std::vector<float> cross(kWidth * kWidth), cross_bias(kWidth), head(kWidth), taste;
  cross[4 * kWidth + 0] = cross[5 * kWidth + 1] = 1;
  cross_bias[0] = cross_bias[1] = -1;
  head[0] = head[1] = 1;
  head[2] = 0.5F;
  head[6] = 0.01F;
  head[7] = 0.02F;
  // Film 5 is in the table, but training did not know it.
  for (std::size_t m = 0; m < 5; ++m) {
    for (const double value : kTastes[m]) taste.push_back(static_cast<float>(value));
  }
  const std::vector<float> zeros(4), rate = {static_cast<float>(std::log(kRate))},
                                     shrinkage = {static_cast<float>(std::log(kShrinkage))},
                                     half = {0.5F};
  const auto view = [](const char* name, std::vector<std::int64_t> shape,
                       const std::vector<float>& values) {
    const auto count = static_cast<std::size_t>(*count_elements(shape));
    return make_tensor<float>(name, std::move(shape), std::span(values).first(count));
  };
  ArtifactWriter writer(folder / "models", "tiny");
  writer.add_tensors(
      "dense.safetensors",
      std::vector{view("meta_block.layer0_weight", {2, 2}, zeros),
                  view("meta_block.layer0_bias", {2}, zeros),
                  view("default_embedding", {1, 2}, zeros), view("log_inner_rates", {1}, rate),
                  view("log_shrinkage", {1}, shrinkage), view("log_pooling_shrinkage", {1}, zeros),
                  view("global_block.cross.layer0.weight", {kWidth, kWidth}, cross),
                  view("global_block.cross.layer0.bias", {kWidth}, cross_bias),
                  view("global_block.head.weight", {kWidth, 1}, head),
                  view("global_block.head.bias", {1}, zeros), view("base_rates", {1}, half)});
  writer.add_tensors("tables/movie_id.safetensors",
                     std::vector{view("tables.movie_id", {5, 2}, taste)});
  ManifestFields fields;
  fields.config = config_to_json(tiny_config());
  auto features = nlohmann::json::array();
  for (const FeatureEncoder& encoder : tiny_encoders()) {
    features.push_back(encoder.to_json());
    if (!encoder.vocabulary) continue;
    writer.add_file("vocabulary/movie_id.txt", encoder.vocabulary->to_lines());
    features.back()["vocabulary_file"] = "vocabulary/movie_id.txt";
  }
  fields.encoders = {{"features", features},
                     {"layout", {{"tables", {"movie", "user"}}, {"labels", {"like"}}}}};
  return writer.publish(fields);
}

}  // namespace limber
