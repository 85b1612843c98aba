#include "bench/explore_replay.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "limber/core/base/error.h"
#include "limber/core/explore/bayesian_last_layer.h"

namespace limber::bench {
namespace {

using Candidates = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The film shown among others, all different, in random order.
std::vector<std::size_t> draw_candidates(const std::vector<ReplayLog::Event>& events,
                                         std::size_t shown, std::size_t count, Random& random) {
  std::vector<std::size_t> films{shown};
  while (films.size() < count) {
    const std::size_t film = events[random.below(events.size())].film;
    if (std::find(films.begin(), films.end(), film) == films.end()) films.push_back(film);
  }
  random.shuffle(std::span(films));
  return films;
}

void write_input(const ReplayLog& log, std::size_t user, std::size_t film,
                 Candidates::RowXpr input) {
  Eigen::Index next = 0;
  for (const double feature : log.films[film]) input[next++] = feature;
  for (std::size_t i = 0; i < log.crossed; ++i) {
    input[next++] = log.users[user] * log.films[film][log.first_crossed + i];
  }
}

}  // namespace

ReplayLog read_replay_log(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw InputError("{}: cannot be read", path.string());
  const nlohmann::json json = nlohmann::json::parse(file);
  ReplayLog log;
  json.at("films").get_to(log.films);
  json.at("first_crossed").get_to(log.first_crossed);
  json.at("crossed").get_to(log.crossed);
  json.at("users").get_to(log.users);
  for (const nlohmann::json& event : json.at("events")) {
    log.events.push_back({event.at(0), event.at(1), event.at(2)});
  }
  return log;
}

Replayed replay(const ReplayLog& log, const BanditPolicy& policy, bool tuning,
                std::size_t candidates, std::size_t batch, std::uint64_t seed) {
  std::vector<ReplayLog::Event> events;
  for (const ReplayLog::Event& event : log.events) {
    if ((event.user % 4 == 0) == tuning) events.push_back(event);
  }
  // Two generators, so that every policy meets the same events and candidates.
  Random random(mix64(seed)), choices(mix64(seed ^ 0x5EEDULL));
  random.shuffle(std::span(events));
  BayesianLastLayer posterior(std::vector<double>(log.dim()), {});
  std::vector<double> inputs, labels;
  Replayed replayed;
  Candidates z(static_cast<Eigen::Index>(candidates), static_cast<Eigen::Index>(log.dim()));
  for (const ReplayLog::Event& event : events) {
    const auto films = draw_candidates(events, event.film, candidates, random);
    for (std::size_t i = 0; i < candidates; ++i) {
      write_input(log, event.user, films[i], z.row(static_cast<Eigen::Index>(i)));
    }
    const Eigen::Index chosen = policy.choose(posterior, z, choices);
    if (films[static_cast<std::size_t>(chosen)] != event.film) continue;
    ++replayed.counted;
    replayed.reward_rate += event.reward;
    const auto input = z.row(chosen);
    inputs.insert(inputs.end(), input.begin(), input.end());
    labels.push_back(event.reward);
    if (labels.size() == batch) {
      posterior.update({.inputs = inputs, .labels = labels, .weights = {}, .offsets = {}});
      inputs.clear();
      labels.clear();
    }
  }
  replayed.reward_rate /= static_cast<double>(std::max<std::size_t>(replayed.counted, 1));
  return replayed;
}

}  // namespace limber::bench
