// librdkafka's own small Kafka cluster as a process, for kafka_stream_test.py. Prints its brokers,
// then does what lines of its input say and answers each with one line, until its input ends.
//
// put MEMBER TEXT: puts TEXT on the topic "clicks", with MEMBER as its key; where it stands.
//
// dead PLACE: the dead letter of that place, as a list of its payload and its headers.
//
// down, up: the broker goes and comes.

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "limber/serving/stream/kafka_cluster_for_test.h"

namespace {

std::string answer(limber::KafkaClusterForTest& kafka, const std::string& line) {
  const std::size_t space = line.find(' ');
  const std::string what = line.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (what == "put") {
    const std::size_t end = rest.find(' ');
    return kafka.put(rest.substr(end + 1), rest.substr(0, end));
  }
  if (what == "dead") return nlohmann::json(kafka.dead_letter(std::stoul(rest))).dump();
  if (what != "down" && what != "up") throw limber::Error("{}: unknown", what);
  kafka.set_down(what == "down");
  return "done";
}

}  // namespace

int main(int count, char** arguments) {
  try {
    limber::KafkaClusterForTest kafka(count > 1 ? std::stoi(arguments[1]) : 6);
    fmt::print("{}\n", kafka.brokers());
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
      fmt::print("{}\n", answer(kafka, line));
      std::fflush(stdout);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
